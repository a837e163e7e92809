/**
 * A look over everything in a directory of the host: what is there, in an order that is the same each time, and a checksum by
 * which two looks are compared. It blocks, so it belongs into a worker.
 */
import { createHash, type Hash } from "node:crypto";
import fs from "node:fs";
import { FileError, type FileType, systemCode, UnsupportedError } from "../../base/index.ts";
import { deviceNumbers, hostType } from "./host-attributes.ts";
import { MovedError, openBelow, pathBelow, pathOfOpen } from "./host-folder.ts";

/** One name in the directory, or the directory itself. A plain value: it crosses threads. */
export interface ScannedFile {
	/** The number of the directory; the directory itself, which comes first, has its own. */
	readonly parent: number;
	/** Byte string. */
	readonly name: string;
	/** Counted from 2 on; one that was there before is another name of that file. */
	readonly ino: number;
	readonly type: FileType;
	readonly mode: number;
	readonly uid: number;
	readonly gid: number;
	readonly size: number;
	readonly used: number;
	readonly major: number;
	readonly minor: number;
	/** Nanoseconds since 1970. */
	readonly mtimeNs: bigint;
	readonly ctimeNs: bigint;
	/** The host's number for it. */
	readonly hostIno: bigint;
	/** Of a symbolic link. */
	readonly target: string;
}

export interface ScanResult {
	/** Another one as soon as anything is different, also what a file's bytes were last changed. */
	readonly identity: string;
	/** When something was last changed, in milliseconds since 1970. */
	readonly newestMs: number;
	/** Files and directories that the server may not read: how many, and the first of them. */
	readonly unreadable: number;
	readonly unreadableNames: readonly string[];
	/** Directories that are empty here because something is mounted on them. */
	readonly mounts: readonly string[];
	/** Whether anything in it belongs to root. */
	readonly hasRootOwner: boolean;
}

/** Bytes of memory are about 500 per file. */
const MOST_FILES = 1_000_000;

const MOST_NAMES = 5;

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = fs.constants;

const FIRST_INO = 2;

interface Directory {
	readonly ino: number;
	readonly names: readonly string[];
	readonly hostIno: bigint;
}

/**
 * @param base of a `HostFolder`.
 * @param visit is given every file, directories before what is in them.
 * @throws FileError EAGAIN when it changes meanwhile. @throws UnsupportedError (`directory`) when there is too much of it.
 */
export function scan(base: string, visit: (file: ScannedFile) => void): ScanResult {
	try {
		return new Scan(base, visit).run();
	} catch (error) {
		const code = systemCode(error);
		if (code === "ENAMETOOLONG")
			throw new UnsupportedError("directory", "a path in the directory is too long to be opened");
		const hasMoved = error instanceof MovedError || /^(ENOENT|ENOTDIR|ELOOP)$/.test(code ?? "");
		if (hasMoved) throw new FileError("EAGAIN", "the directory changes");
		throw error;
	}
}

class Scan {
	readonly #base: string;
	readonly #visit: (file: ScannedFile) => void;
	readonly #hash: Hash = createHash("sha256");
	readonly #twins = new Map<bigint, number>();
	readonly #waiting: Directory[] = [];
	readonly #unreadableNames: string[] = [];
	readonly #mounts: string[] = [];
	readonly #isPrivileged = process.geteuid?.() === 0;
	#device = 0n;
	#count = 0;
	#newestNs = 0n;
	#unreadable = 0;
	#hasRootOwner = false;

	constructor(base: string, visit: (file: ScannedFile) => void) {
		this.#base = base;
		this.#visit = visit;
	}

	run(): ScanResult {
		const root = fs.statSync(this.#base, { bigint: true });
		this.#device = root.dev;
		// Its ctime is left out: that changes when the directory itself is renamed.
		this.#found(FIRST_INO, "", [], { ...described(root), ctimeNs: root.mtimeNs, target: "" });
		for (let at = this.#waiting.pop(); at !== undefined; at = this.#waiting.pop()) this.#list(at);
		return {
			identity: this.#hash.digest("hex").slice(0, 32),
			newestMs: Number(this.#newestNs / 1_000_000n),
			unreadable: this.#unreadable,
			unreadableNames: this.#unreadableNames,
			mounts: this.#mounts,
			hasRootOwner: this.#hasRootOwner,
		};
	}

	#list(directory: Directory): void {
		const fd = this.#open(directory);
		if (fd === undefined) return;
		try {
			const before = fs.fstatSync(fd, { bigint: true });
			if (before.ino !== directory.hostIno) throw new MovedError();
			const at = pathOfOpen(fd, this.#base, directory.names);
			const names = fs.readdirSync(at, "buffer").map((name) => name.toString("latin1"));
			for (const name of names.sort()) this.#look(directory, at, name);
			const after = fs.fstatSync(fd, { bigint: true });
			if (after.mtimeNs !== before.mtimeNs || after.ctimeNs !== before.ctimeNs) throw new MovedError();
		} finally {
			fs.closeSync(fd);
		}
	}

	#open({ names }: Directory): number | undefined {
		try {
			return openBelow(this.#base, names);
		} catch (error) {
			if (!isForbidden(error)) throw error;
			this.#cannotRead(names);
			return undefined;
		}
	}

	#look(directory: Directory, at: Buffer, name: string): void {
		const path = pathBelow(at, [name]);
		const stats = fs.lstatSync(path, { bigint: true });
		const names = [...directory.names, name];
		if (stats.isDirectory() && stats.dev !== this.#device) {
			this.#mounts.push(names.join("/"));
			this.#found(directory.ino, name, undefined, MOUNT_POINT);
			return;
		}
		const target = stats.isSymbolicLink() ? fs.readlinkSync(path, "buffer").toString("latin1") : "";
		if (stats.isFile() && !this.#mayRead(path)) this.#cannotRead(names);
		this.#found(directory.ino, name, names, { ...described(stats), target }, stats.nlink > 1n);
	}

	#mayRead(path: Buffer): boolean {
		if (this.#isPrivileged) return true;
		try {
			// access(2) would ask for the user who started the program, not for the one as whom it runs.
			fs.closeSync(fs.openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
			return true;
		} catch (error) {
			if (!isForbidden(error)) throw error;
			return false;
		}
	}

	#cannotRead(names: readonly string[]): void {
		this.#unreadable += 1;
		if (this.#unreadableNames.length < MOST_NAMES) this.#unreadableNames.push(names.join("/"));
	}

	/** @param names the path of what may be looked into. */
	#found(parent: number, name: string, names: readonly string[] | undefined, what: Described, hasTwins = false): void {
		const { type, mode, uid, gid, size, major, minor, mtimeNs, ctimeNs, hostIno, target } = what;
		const twin = hasTwins && type !== "directory" ? this.#twins.get(hostIno) : undefined;
		const ino = twin ?? FIRST_INO + this.#count++;
		if (this.#count > MOST_FILES) {
			throw new UnsupportedError("directory", `the directory has more than ${MOST_FILES} files`);
		}
		if (hasTwins && type !== "directory") this.#twins.set(hostIno, ino);
		if (type === "directory" && names !== undefined) this.#waiting.push({ ino, names, hostIno });
		if (uid === 0 && parent !== ino) this.#hasRootOwner = true;
		if (ctimeNs > this.#newestNs) this.#newestNs = ctimeNs;
		const length = type === "directory" ? 0 : size;
		const facts = [parent, ino, type, mode, uid, gid, length, major, minor, mtimeNs, ctimeNs, hostIno].join(" ");
		this.#hash.update(`${facts}\0${name}\0${target}\0`, "latin1");
		this.#visit({ parent, name, ino, ...what });
	}
}

type Described = Omit<ScannedFile, "parent" | "name" | "ino">;

function described(stats: fs.BigIntStats): Omit<Described, "target"> {
	const type = hostType(stats);
	const isDevice = type === "block" || type === "character";
	return {
		type,
		mode: Number(stats.mode) & 0o7777,
		uid: Number(stats.uid),
		gid: Number(stats.gid),
		size: type === "file" || type === "symlink" ? Number(stats.size) : 0,
		used: Number(stats.blocks) * 512,
		...(isDevice ? deviceNumbers(stats.rdev, process.platform) : { major: 0, minor: 0 }),
		mtimeNs: stats.mtimeNs,
		ctimeNs: stats.ctimeNs,
		hostIno: stats.ino,
	};
}

/** What lies below a mount is not to be seen, and what is mounted is not the Pi's. */
const MOUNT_POINT: Described = {
	type: "directory",
	mode: 0o755,
	uid: 0,
	gid: 0,
	size: 0,
	used: 0,
	major: 0,
	minor: 0,
	mtimeNs: 0n,
	ctimeNs: 0n,
	hostIno: 0n,
	target: "",
};

function isForbidden(error: unknown): boolean {
	return /^(EACCES|EPERM)$/.test(systemCode(error) ?? "");
}
