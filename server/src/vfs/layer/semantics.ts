/** How a volume of a layer behaves when it is changed: as POSIX, or as Linux's vfat. */
import { type Attributes, FileError, nameFromUtf8, nameToUtf8 } from "../../base/index.ts";
import { FILE_SIZE_MAX } from "../changes.ts";
import { checkNewName } from "../names.ts";
import type { AttributeChanges, NewFile } from "../tree.ts";

export interface Semantics {
	/** Names with equal keys are the same name. */
	key(name: string): string;
	/** True when names that differ can be the same. */
	readonly foldsNames: boolean;
	/** @throws FileError EINVAL, ENAMETOOLONG. */
	checkNewName(name: string): void;
	/** Only files and directories with one name each. */
	readonly plainFilesOnly: boolean;
	/** Bytes. */
	readonly maxFileSize: number;
	/** What a new file or directory gets of what was asked for. */
	newFile(file: NewFile, root: Attributes): NewFile;
	/** What is done of what was asked for. @throws FileError EPERM. */
	allow(changes: AttributeChanges, file: Attributes, root: Attributes): AttributeChanges;
}

export const posix: Semantics = {
	key: (name) => name,
	foldsNames: false,
	checkNewName,
	plainFilesOnly: false,
	maxFileSize: FILE_SIZE_MAX,
	newFile: (file) => file,
	allow: (changes) => changes,
};

const WRITE_BITS = 0o222;

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** What no long name may hold, by the FAT specification. */
const FORBIDDEN = /["*/:<>?\\|]/;

/**
 * vfat, mounted by root with its defaults: owner, group and mode come from the mount, which is what the root directory
 * shows. The one thing that can be changed is the read-only attribute, by taking away every write bit.
 */
export const vfat: Semantics = {
	key: (name) => foldName(name.replace(/\.+$/, "")),
	foldsNames: true,
	checkNewName(name) {
		checkNewName(name);
		if (!isLongName(name)) throw new FileError("EINVAL", `${JSON.stringify(name)} cannot be a name on FAT`);
	},
	plainFilesOnly: true,
	maxFileSize: 0xffff_ffff,
	newFile: (_file, root) => ({ mode: root.mode & 0o777, uid: root.uid, gid: root.gid }),
	allow(changes, file, root) {
		const { mode, uid, gid, ...others } = changes;
		if ((uid ?? file.uid) !== file.uid || (gid ?? file.gid) !== file.gid) {
			throw new FileError("EPERM", "FAT knows no owners");
		}
		if (mode === undefined) return others;
		if ((mode & ~0o777) !== 0) throw new FileError("EPERM", "FAT knows no setuid, setgid and sticky bits");
		const full = root.mode & 0o777;
		if ((mode & full) === full) return { ...others, mode: full };
		const isReadOnly = file.type === "file" && (mode & full) === (full & ~WRITE_BITS);
		if (isReadOnly) return { ...others, mode: full & ~WRITE_BITS };
		// fat_setattr: "We don't return -EPERM here. Yes, strange, but this is too old behavior." A mode that FAT cannot hold
		// is left alone, so that cp -p and tar go on.
		return others;
	},
};

function foldName(name: string): string {
	// ASCII, nearly always.
	if (/^[ -~]*$/.test(name)) return name.toUpperCase();
	return nameFromUtf8([...nameToUtf8(name)].map(upperCase).join(""));
}

/** A letter becomes one letter, as in FAT's own table: SS is not another case of ß. */
function upperCase(letter: string): string {
	const upper = letter.toUpperCase();
	return upper.length === letter.length ? upper : letter;
}

function isLongName(name: string): boolean {
	const bytes = Buffer.from(name, "latin1");
	if (bytes.some((byte) => byte < 0x20) || FORBIDDEN.test(name) || name.endsWith(".")) return false;
	try {
		return utf8.decode(bytes).length <= 255;
	} catch (error) {
		if (error instanceof TypeError) return false;
		throw error;
	}
}
