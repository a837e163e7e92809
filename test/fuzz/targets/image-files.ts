/** Files of an image with any bytes in them: what we find out about the image, and the patches that we make from it. */
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { gzipSync } from "node:zlib";
import { whenReady } from "../../../server/src/base/index.ts";
import { type DeviceIdentity, patchesFor } from "../../../server/src/boot/patches/index.ts";
import { inspectImage } from "../../../server/src/images/index.ts";
import { KernelScanner, scanKernel } from "../../../server/src/images/kernel-scan.ts";
import {
	DEBIAN_NETWORK_MANAGER,
	DEBIAN_NETWORKD,
	RASPBERRY_PI_OS_BOOKWORM,
	RASPBERRY_PI_OS_TRIXIE,
	TABLE,
} from "../../../server/src/images/testing/stock.ts";
import { type Entries, makeTree } from "../../../server/src/images/testing/tree.ts";
import { type FileTree, PatchedTree } from "../../../server/src/vfs/index.ts";
import { mutateBytes, number } from "../mutate.ts";
import { attempt, refusal } from "../outcome.ts";
import type { Random } from "../random.ts";
import type { FuzzTarget } from "../target.ts";

const STOCK = [DEBIAN_NETWORKD, DEBIAN_NETWORK_MANAGER, RASPBERRY_PI_OS_BOOKWORM, RASPBERRY_PI_OS_TRIXIE];

/** Whose content is changed; the boot volume's begin with a colon. */
const PATHS = [
	...["/etc/fstab", "/etc/passwd", "/etc/shadow", "/etc/group", "/etc/gshadow", "/etc/hosts", "/usr/lib/os-release"],
	...["/etc/network/interfaces", "/etc/dhcpcd.conf", "/etc/initramfs-tools/initramfs.conf", "/etc/ssh/sshd_config"],
	...["/etc/NetworkManager/NetworkManager.conf", "/etc/systemd/network/10-eth.network", "/etc/rpi-issue"],
	...["/usr/bin/dash", "/boot/config-6.12", "/etc/cloud/cloud.cfg", "/etc/dphys-swapfile"],
	...[":config.txt", ":cmdline.txt", ":user-data", ":network-config", ":custom.toml", ":kernel8.img"],
];

const DEVICE: DeviceIdentity = {
	hostname: "pi-7f3a",
	machineId: "0123456789abcdef0123456789abcdef",
	sshHostKeys: [generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString()],
	authorizedKeys: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIG me@home"],
	mac: "dc:a6:32:01:02:03",
};

/** Which stock image, whose files are replaced: image, mode, then path (1 byte), length (2 bytes) and content, repeated. */
function parse(input: Buffer): { stock: number; mode: number; files: Map<string, Buffer> } {
	const files = new Map<string, Buffer>();
	for (let at = 2; at + 3 <= input.length; ) {
		const length = input.readUInt16BE(at + 1);
		files.set(PATHS[input.readUInt8(at) % PATHS.length] ?? "", input.subarray(at + 3, at + 3 + length));
		at += 3 + length;
	}
	return { stock: input[0] ?? 0, mode: input[1] ?? 0, files };
}

function compose(stock: number, mode: number, files: ReadonlyMap<string, Buffer>): Buffer {
	const parts = [...files].map(([path, content]) => {
		const head = Buffer.of(PATHS.indexOf(path), content.length >> 8, content.length & 0xff);
		return Buffer.concat([head, content]);
	});
	return Buffer.concat([Buffer.of(stock, mode), ...parts]);
}

/** What a stock image has at a path, as far as it is a plain file. */
function stockContent(stock: Entries, path: string): Buffer {
	const entry = stock[path];
	if (entry === undefined || typeof entry === "string" || Buffer.isBuffer(entry)) return Buffer.from(entry ?? "x=y\n");
	return "text" in entry ? Buffer.from(entry.text) : Buffer.alloc(0);
}

const WORDS = [
	"\n",
	"\0",
	":",
	"=",
	"#",
	'"',
	"[",
	"pi:x:1000:1000::/home/pi:/bin/bash\n",
	"UUID=",
	" / ext4 ",
	"include ",
	"\\\n",
].map((word) => Buffer.from(word));

function mutate(random: Random, input: Buffer, other: Buffer): Buffer {
	const { stock, mode, files } = parse(input);
	const path = random.pick(PATHS);
	const had = files.get(path) ?? stockContent(STOCK[stock % STOCK.length] ?? {}, path);
	files.set(path, mutateBytes(random, had, random.oneIn(2) ? other : had, { words: WORDS, longest: 1000 }));
	if (files.size > 3) files.delete(random.pick([...files.keys()]));
	return compose(random.oneIn(8) ? random.below(4) : stock, random.oneIn(4) ? number(random) & 0xff : mode, files);
}

const MODES = ["persistent", "ephemeral", "read-only"] as const;

function withFiles(entries: Entries, files: ReadonlyMap<string, Buffer>): Entries {
	return { ...entries, ...Object.fromEntries(files) };
}

const BOOT: Entries = {
	"/config.txt": "arm_64bit=1\n",
	"/cmdline.txt": "root=PARTUUID=1f00cafe-02\n",
	"/kernel8.img": "k",
	"/start4.elf": "s",
};

function readEverything(tree: FileTree, directory: number, depth = 0): void {
	const inodes: number[] = [];
	tree.readdir(directory, 0, ({ ino }) => inodes.push(ino) > 0);
	for (const ino of inodes) {
		const { type, size } = tree.getattr(ino);
		if (type === "file") assert.equal(tree.read(ino, 0, Buffer.alloc(size)), size);
		else if (type === "symlink") tree.readlink(ino);
		else if (type === "directory" && depth < 12) readEverything(tree, ino, depth + 1);
	}
}

export const patches: FuzzTarget = {
	name: "patches",
	longest: 4000,
	mutate,
	shortRuns: 250,
	seeds: () => [0, 1, 2, 3].map((stock) => Buffer.of(stock, stock)),
	async run(input) {
		const seen = new Set<string>();
		const { stock, mode, files } = parse(input);
		const isOfBoot = ([path]: readonly [string, Buffer]) => path.startsWith(":");
		const bootFiles = [...files].filter(isOfBoot).map(([path, content]) => [`/${path.slice(1)}`, content] as const);
		const root = makeTree(
			withFiles(STOCK[stock % STOCK.length] ?? {}, new Map([...files].filter((file) => !isOfBoot(file)))),
		);
		const boot = makeTree(withFiles(BOOT, new Map(bootFiles)));
		const bootMount = "/boot/firmware";
		const facts = await whenReady(() => inspectImage({ root, boot, bootMount, table: TABLE }));
		for (const { code } of facts.findings) seen.add(`finding ${code}`);
		const made = attempt(seen, () =>
			patchesFor({ root, boot, bootMount, facts, device: DEVICE, mode: MODES[mode % MODES.length] ?? "persistent" }),
		);
		if (made === undefined) return [...seen].join("\n");
		const tree = new PatchedTree(root, made);
		readEverything(tree, tree.root);
		for (const { path } of tree.skipped) seen.add(`skipped ${path}`);
		seen.add(`patches ${made.length}`);
		return [...seen].join("\n");
	},
};

const CONFIG = gzipSync(Buffer.from("CONFIG_ROOT_NFS=y\nCONFIG_NFS_V3=y\n"));
const BANNER = "Linux version 6.12.47+rpt-rpi-v8 (serge@x) (gcc) #1 SMP\n";

function arm64Image(): Buffer {
	const head = Buffer.alloc(64);
	head.write("ARM\x64", 56, "latin1");
	return Buffer.concat([
		head,
		Buffer.from(BANNER),
		Buffer.from("IKCFG_ST"),
		CONFIG,
		Buffer.from("IKCFG_ED"),
		Buffer.alloc(40),
	]);
}

export const kernels: FuzzTarget = {
	name: "kernels",
	shortRuns: 300,
	words: [
		"IKCFG_ST",
		"IKCFG_ED",
		"Linux version ",
		"6.1 ",
		Buffer.of(0x1f, 0x8b, 0x08),
		Buffer.from("ARM\x64", "latin1"),
		CONFIG,
	],
	// A configuration may be unpacked to 4 MiB; it is read in pieces whatever the input's size.
	allowance: 6 << 20,
	seeds: () => [arm64Image(), gzipSync(arm64Image()), Buffer.concat([Buffer.alloc(100, 1), gzipSync(arm64Image())])],
	async run(input) {
		const scanner = new KernelScanner();
		const step = 1 + (input[0] ?? 0);
		for (let at = 0; at < input.length; at += step) scanner.push(input.subarray(at, at + step));
		const seen = [`${scanner.arm64} ${scanner.version !== undefined} ${scanner.config !== undefined}`];
		const tree = makeTree({ "/kernel8.img": input });
		try {
			const { bits, version, config } = await scanKernel(tree, tree.lookup(tree.root, "kernel8.img"));
			seen.push(`file ${bits} ${version !== undefined} ${config !== undefined}`);
		} catch (error) {
			seen.push(refusal(error));
		}
		return seen.join("\n");
	},
};
