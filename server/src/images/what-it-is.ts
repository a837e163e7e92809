/** What a file is that holds no system: by its first bytes, so that a person sees what was mixed up. */
import { isUtf8 } from "node:buffer";
import type { BlockSource } from "../disk/index.ts";

export interface Guess {
	/** A whole sentence. */
	readonly message: string;
	readonly fix: string;
}

/** As much as the magics below need, and more than the text that is looked at. */
const HEAD_BYTES = 4096;

/** Magic numbers at the beginning of a file, in latin1. */
const MAGICS: readonly (readonly [magic: string, what: string, fix: string])[] = [
	["QFI\xfb", "a disk of a virtual machine (QCOW2)", "Convert it: qemu-img convert -O raw OLD NEW.img"],
	["KDMV", "a disk of a virtual machine (VMDK)", "Convert it: qemu-img convert -O raw OLD NEW.img"],
	["conectix", "a disk of a virtual machine (VHD)", "Convert it: qemu-img convert -O raw OLD NEW.img"],
	["vhdxfile", "a disk of a virtual machine (VHDX)", "Convert it: qemu-img convert -O raw OLD NEW.img"],
	["<<< ", "a disk of a virtual machine (VDI)", "Convert it: qemu-img convert -O raw OLD NEW.img"],
	["\x3a\xff\x26\xed", "a sparse image for fastboot (Android)", "Convert it: simg2img OLD NEW.img"],
	["7z\xbc\xaf\x27\x1c", "a 7z archive", "Unpack it: 7z x FILE"],
	["Rar!\x1a\x07", "a RAR archive", "Unpack it: unrar x FILE"],
	["\x27\x05\x19\x56", "a program for U-Boot, not a disk", "Use the image of the whole disk."],
	["\xd0\x0d\xfe\xed", "a device tree, not a disk", "Use the image of the whole disk."],
	["\x7fELF", "a program, not a disk", "Use the image of the whole disk."],
	["MZ", "a program for Windows", "Use the image itself, not what installs it."],
	["%PDF", "a PDF document", "Use the image itself."],
];

const ANOTHER = "Use an image that was made for the Raspberry Pi.";

/** Undefined when nothing is known of it. @throws BlockFault, and what the source throws when it fails. */
export function guessWhatItIs(source: BlockSource): Guess | undefined {
	const head = Buffer.alloc(Math.min(HEAD_BYTES, source.size));
	source.read(0, head);
	const found = MAGICS.find(([magic]) => head.toString("latin1", 0, magic.length) === magic);
	if (found !== undefined) return { message: `It is ${found[1]}.`, fix: found[2] };
	if (isText(head)) return textGuess(head.toString("utf8"));
	if (head.every((byte) => byte === 0)) {
		const message = "Its beginning holds nothing but zeros: its copy may have been interrupted.";
		return { message, fix: "Copy it again." };
	}
	return undefined;
}

/** Printable characters and line ends alone, of UTF-8. */
function isText(head: Buffer): boolean {
	const isControl = (byte: number) => byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d;
	if (head.some((byte) => isControl(byte) || byte === 0x7f)) return false;
	// The last letter may be cut in two.
	const end = head.findLastIndex((byte) => byte < 0x80) + 1;
	return end > 0 && isUtf8(head.subarray(0, end));
}

function textGuess(text: string): Guess {
	if (/^\s*<(!doctype|html|\?xml|head)/i.test(text)) {
		return { message: "It is a web page: the download gave one in place of the image.", fix: "Download it again." };
	}
	if (text.startsWith("version https://git-lfs")) {
		return { message: "It is only a pointer to the file, as Git LFS has it.", fix: "Fetch the file: git lfs pull" };
	}
	return { message: "It is a text file, not an image of a disk.", fix: ANOTHER };
}
