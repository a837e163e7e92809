/**
 * A directory of the host, held open, and nothing outside of it. Symbolic links in it are a Pi's: they are never followed here.
 * Node has no `openat`; instead the kernel is asked afterwards what was opened (/proc/self/fd), so that also a directory that
 * somebody swaps for a link at the right moment leads nowhere. Where there is no /proc, the path is looked at twice.
 */
import fs from "node:fs";
import { UnsupportedError } from "../../base/index.ts";

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK } = fs.constants;

const PROC = "/proc/self/fd";
const hasProc = fs.existsSync(PROC);

/** Says that what was asked for is not what is there: somebody changes the directory at this moment. */
export class MovedError extends Error {}

export class HostFolder {
	/** A path that leads to this directory, whatever becomes of its name, in every thread of this process. */
	readonly base: string;
	/** Stays the same, whatever changes in it: when it was made, as far as the host knows. */
	readonly identity: string;
	readonly #fd: number;

	private constructor(fd: number, base: string) {
		this.#fd = fd;
		this.base = base;
		this.identity = `directory ${fs.fstatSync(fd, { bigint: true }).birthtimeNs}`;
	}

	/** @throws UnsupportedError (`directory`) when it is none; the operating system's error. */
	static open(path: string): HostFolder {
		if (!fs.statSync(path).isDirectory()) throw new UnsupportedError("directory", `${path} is no directory`);
		const fd = fs.openSync(path, O_RDONLY | O_DIRECTORY | O_NONBLOCK);
		return new HostFolder(fd, hasProc ? `${PROC}/${fd}` : fs.realpathSync.native(path));
	}

	close(): void {
		fs.closeSync(this.#fd);
	}
}

/** A path below a folder, in bytes. @param names byte strings. */
export function pathBelow(base: string | Buffer, names: readonly string[]): Buffer {
	return Buffer.concat([
		typeof base === "string" ? Buffer.from(base) : base,
		...names.map((name) => Buffer.from(`/${name}`, "latin1")),
	]);
}

/**
 * Opens a file or a directory below a folder for reading. FIFOs and devices do not wait.
 *
 * @param base of a `HostFolder`. @throws MovedError when a link leads there, or out; the operating system's error.
 */
export function openBelow(base: string, names: readonly string[]): number {
	const path = pathBelow(base, names);
	const isBase = names.length === 0;
	// The base itself is a link where it is a number in /proc.
	const fd = fs.openSync(path, O_RDONLY | O_NONBLOCK | (isBase ? O_DIRECTORY : O_NOFOLLOW));
	try {
		if (!isBase && !truePath(fd, path).equals(pathBelow(trueBase(base), names))) throw new MovedError();
		return fd;
	} catch (error) {
		fs.closeSync(fd);
		throw error;
	}
}

/** A path to a directory that is open: what is in it is reached by that, wherever it was moved to. */
export function pathOfOpen(fd: number, base: string, names: readonly string[]): Buffer {
	return hasProc ? Buffer.from(`${PROC}/${fd}`) : pathBelow(base, names);
}

function trueBase(base: string): Buffer {
	return hasProc ? fs.readlinkSync(base, "buffer") : Buffer.from(base);
}

function truePath(fd: number, path: Buffer): Buffer {
	return hasProc ? fs.readlinkSync(`${PROC}/${fd}`, "buffer") : fs.realpathSync.native(path, "buffer");
}
