/**
 * A directory of the host as a tree: a root file system that somebody prepared there. Owners and modes are what they are on the
 * host. It is read by blocking calls, so it belongs on a disk of this machine.
 *
 * The host's inode numbers are the tree's, so that handles outlive a restart; where each of them is, a scan finds out when the
 * tree is opened. What changes on the host shows when its directory is looked into again. What is mounted in it is not part of it.
 */
import fs from "node:fs";
import {
	type Attributes,
	type DirectoryEntry,
	FileError,
	type FileErrorCode,
	type FileSystemStatistics,
	systemCode,
	UnsupportedError,
} from "../../base/index.ts";
import { checkIsFile, checkRange } from "../changes.ts";
import { checkNameLength } from "../names.ts";
import { PATCHED_FIRST } from "../patched-tree.ts";
import type { FileTree } from "../tree.ts";
import { hostAttributes, hostType } from "./host-attributes.ts";

/** Files whose places are remembered; each takes about 200 bytes. */
const MOST_FILES = 2_000_000;

interface Place {
	/** Of the directory; the root is its own. */
	readonly parent: number;
	readonly name: string;
	/** Of a directory: its names, each with a cookie that stays. */
	readonly entries: Map<string, DirectoryEntry> | undefined;
}

const CODES: Readonly<Record<string, FileErrorCode>> = {
	EACCES: "EACCES",
	EPERM: "EACCES",
	EIO: "EIO",
	ENOENT: "ESTALE",
	ENOTDIR: "ESTALE",
};

export interface HostTreeOptions {
	readonly fsid?: number;
}

/** See the head of this file. */
export class HostTree implements FileTree {
	readonly root: number;
	readonly #folder: Buffer;
	readonly #fsid: number;
	readonly #device: bigint;
	readonly #places = new Map<number, Place>();
	#cookies = 0;

	private constructor(folder: string, stats: fs.BigIntStats, { fsid = 1 }: HostTreeOptions) {
		this.#folder = Buffer.from(folder);
		this.#fsid = fsid;
		this.#device = stats.dev;
		this.root = checkedIno(stats);
		this.#places.set(this.root, { parent: this.root, name: "", entries: new Map() });
	}

	/**
	 * Opens a directory, and finds everything in it.
	 *
	 * @throws UnsupportedError (`directory`) when it is none, has too many files, or its file system has inode numbers that are
	 * too large for NFS clients of 32 bits. @throws the operating system's error when it cannot be read.
	 */
	static async open(folder: string, options: HostTreeOptions = {}): Promise<HostTree> {
		const stats = await fs.promises.stat(folder, { bigint: true });
		if (!stats.isDirectory()) throw new UnsupportedError("directory", `${folder} is no directory`);
		const tree = new HostTree(folder, stats, options);
		await tree.#scan(tree.root);
		return tree;
	}

	getattr(ino: number): Attributes {
		return hostAttributes(this.#stats(ino), ino, this.#fsid);
	}

	/** Always 0: the host does not tell it. */
	generation(ino: number): number {
		this.#place(ino);
		return 0;
	}

	lookup(directory: number, name: string): number {
		const entries = this.#directory(directory);
		checkNameLength(name);
		if (name === "." || name === ".." || name === "" || /[/\0]/.test(name)) throw new FileError("ENOENT");
		const stats = said(() => fs.lstatSync(this.#path(directory, name), { bigint: true }), "ENOENT");
		if (stats.dev !== this.#device) throw new FileError("ENOENT", "another file system is mounted there");
		return this.#enter(directory, entries, name, stats);
	}

	parent(directory: number): number {
		this.#directory(directory);
		return this.#place(directory).parent;
	}

	readlink(ino: number): Buffer {
		const type = hostType(this.#stats(ino));
		if (type !== "symlink") throw new FileError("EINVAL", `inode ${ino} is a ${type}, not a symlink`);
		return said(() => fs.readlinkSync(this.#path(ino), "buffer"));
	}

	read(ino: number, offset: number, target: Uint8Array): number {
		checkIsFile(hostType(this.#stats(ino)));
		checkRange(offset);
		const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
		const fd = said(() => fs.openSync(this.#path(ino), O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
		try {
			if (Number(fs.fstatSync(fd, { bigint: true }).ino) !== ino)
				throw new FileError("ESTALE", `inode ${ino} has gone`);
			return said(() => readAll(fd, offset, target));
		} finally {
			fs.closeSync(fd);
		}
	}

	readdir(directory: number, cookie: number, visit: (entry: DirectoryEntry) => boolean): boolean {
		const entries = this.#directory(directory);
		if (cookie === 0) this.#list(directory, entries);
		for (const entry of entries.values()) {
			if (entry.cookie > cookie && !visit(entry)) return false;
		}
		return true;
	}

	/** Nothing can be written here: what is free on the host is not the Pi's. */
	statfs(): FileSystemStatistics {
		const { bsize, blocks, bfree } = said(() => fs.statfsSync(this.#folder));
		const totals = { totalBytes: (blocks - bfree) * bsize, totalInodes: this.#places.size };
		return { ...totals, freeBytes: 0, availableBytes: 0, freeInodes: 0 };
	}

	/** Off the loop, as far as that goes: directory by directory. */
	async #scan(directory: number): Promise<void> {
		const waiting = [directory];
		for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
			await new Promise(setImmediate);
			const entries = this.#directory(at);
			this.#list(at, entries);
			for (const { ino } of entries.values())
				if (this.#place(ino).entries !== undefined && ino !== at) waiting.push(ino);
		}
	}

	/** Brings what is known of a directory up to date. Names that stay keep their cookies. */
	#list(directory: number, entries: Map<string, DirectoryEntry>): void {
		const names = said(() => fs.readdirSync(this.#path(directory), "buffer")).map((name) => name.toString("latin1"));
		const present = new Set(names);
		for (const name of entries.keys()) if (!present.has(name)) entries.delete(name);
		for (const name of names.sort()) {
			try {
				const stats = fs.lstatSync(this.#path(directory, name), { bigint: true });
				if (stats.dev === this.#device) this.#enter(directory, entries, name, stats);
				else entries.delete(name);
			} catch (error) {
				// It vanished meanwhile.
				if (systemCode(error) !== "ENOENT") throw error;
			}
		}
	}

	#enter(parent: number, entries: Map<string, DirectoryEntry>, name: string, stats: fs.BigIntStats): number {
		const ino = checkedIno(stats);
		const known = entries.get(name);
		if (known?.ino !== ino) entries.set(name, { name, ino, cookie: known?.cookie ?? ++this.#cookies });
		if (!this.#isAt(ino, parent, name, stats))
			this.#remember(ino, { parent, name, entries: stats.isDirectory() ? new Map() : undefined });
		return ino;
	}

	/** A file with several names stays where it was first found, as long as it is there. */
	#isAt(ino: number, parent: number, name: string, stats: fs.BigIntStats): boolean {
		const place = this.#places.get(ino);
		if (place === undefined || (place.entries !== undefined) !== stats.isDirectory()) return false;
		if (place.parent === parent && place.name === name) return true;
		return stats.nlink > 1n && !stats.isDirectory() && this.#exists(ino);
	}

	#exists(ino: number): boolean {
		try {
			this.#stats(ino);
			return true;
		} catch (error) {
			if (error instanceof FileError) return false;
			throw error;
		}
	}

	#remember(ino: number, place: Place): void {
		if (this.#places.size >= MOST_FILES && !this.#places.has(ino)) {
			throw new UnsupportedError("directory", `${this.#folder} has more than ${MOST_FILES} files`);
		}
		this.#places.set(ino, place);
	}

	/** What the host says of the file that this number was given to. @throws FileError ESTALE when another one is there now. */
	#stats(ino: number): fs.BigIntStats {
		const stats = said(() => fs.lstatSync(this.#path(ino), { bigint: true }));
		if (Number(stats.ino) !== ino || stats.dev !== this.#device) throw new FileError("ESTALE", `inode ${ino} has gone`);
		return stats;
	}

	#place(ino: number): Place {
		const place = this.#places.get(ino);
		if (place === undefined) throw new FileError("ESTALE", `there is no inode ${ino}`);
		return place;
	}

	#directory(ino: number): Map<string, DirectoryEntry> {
		const { entries } = this.#place(ino);
		if (entries === undefined) throw new FileError("ENOTDIR", `inode ${ino} is no directory`);
		return entries;
	}

	/** Names are bytes, which a path as text could not hold. */
	#path(ino: number, ...last: string[]): Buffer {
		const names = [...last];
		for (let at = ino; at !== this.root; ) {
			const { parent, name } = this.#place(at);
			names.unshift(name);
			at = parent;
		}
		return Buffer.concat([this.#folder, ...names.map((name) => Buffer.from(`/${name}`, "latin1"))]);
	}
}

/** @throws UnsupportedError (`directory`): the numbers above are those of files that the server adds. */
function checkedIno({ ino }: fs.BigIntStats): number {
	if (ino < BigInt(PATCHED_FIRST)) return Number(ino);
	throw new UnsupportedError(
		"directory",
		`its file system has inode numbers as large as ${ino}, at most ${PATCHED_FIRST - 1} can be used`,
		{
			hint: "Pack it into a tar: tar -C DIRECTORY -cf images/NAME.tar .",
		},
	);
}

function readAll(fd: number, offset: number, target: Uint8Array): number {
	let done = 0;
	while (done < target.length) {
		const bytes = fs.readSync(fd, target, done, target.length - done, offset + done);
		if (bytes === 0) break;
		done += bytes;
	}
	return done;
}

/** Runs a call to the host; what it fails with becomes an error of a file operation. */
function said<T>(call: () => T, absent: FileErrorCode = "ESTALE"): T {
	try {
		return call();
	} catch (error) {
		const code = systemCode(error);
		if (error instanceof FileError || code === undefined) throw error;
		const isAbsent = code === "ENOENT" || code === "ENOTDIR";
		throw new FileError(isAbsent ? absent : (CODES[code] ?? "EIO"), `the host's directory: ${code}`);
	}
}
