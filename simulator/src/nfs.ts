/** NFS version 3 (RFC 1813), the calls of a client that only looks and reads. */
import { ProtocolError } from "./errors.ts";
import { type Credential, type Procedure, RpcRefusal } from "./rpc.ts";
import type { Caller } from "./rpc-client.ts";
import { type XdrReader, XdrWriter } from "./xdr.ts";

export const NFS_PROGRAM = 100003;
export const NFS_V3 = 3;
const NFSACL_PROGRAM = 100227;

const FHSIZE3 = 64;
const MAX_NAME = 255;
const MAX_PATH = 1024;
const COOKIEVERFSIZE = 8;

/** NFS3ERR_JUKEBOX: "The server initiated the request, but was not able to complete it in a timely fashion. The client should wait". */
const JUKEBOX = 10008;

const STATUS: Readonly<Record<number, string>> = {
	1: "NFS3ERR_PERM",
	2: "NFS3ERR_NOENT",
	5: "NFS3ERR_IO",
	6: "NFS3ERR_NXIO",
	13: "NFS3ERR_ACCES",
	20: "NFS3ERR_NOTDIR",
	21: "NFS3ERR_ISDIR",
	22: "NFS3ERR_INVAL",
	30: "NFS3ERR_ROFS",
	63: "NFS3ERR_NAMETOOLONG",
	70: "NFS3ERR_STALE",
	10001: "NFS3ERR_BADHANDLE",
	10003: "NFS3ERR_BAD_COOKIE",
	10004: "NFS3ERR_NOTSUPP",
	10005: "NFS3ERR_TOOSMALL",
	10006: "NFS3ERR_SERVERFAULT",
	[JUKEBOX]: "NFS3ERR_JUKEBOX",
};

export const FileType = { REG: 1, DIR: 2, BLK: 3, CHR: 4, LNK: 5, SOCK: 6, FIFO: 7 } as const;

/** Of fattr3, what we look at. */
export interface Attributes {
	readonly type: number;
	readonly mode: number;
	readonly nlink: number;
	readonly uid: number;
	readonly gid: number;
	readonly size: number;
	/** Major and minor number of a device. */
	readonly rdev: readonly [major: number, minor: number];
	readonly fsid: bigint;
	readonly fileid: bigint;
	/** Seconds since 1970, and nanoseconds. */
	readonly mtime: readonly [sec: number, nsec: number];
}

export interface DirectoryEntry {
	readonly fileid: bigint;
	readonly name: string;
	readonly cookie: bigint;
	readonly attributes: Attributes | undefined;
}

/** The server did what it could, and says no. */
export class NfsError extends Error {
	override readonly name = "NfsError";
	readonly status: number;

	constructor(what: string, status: number) {
		super(`${what}: the server answers ${STATUS[status] ?? `nfsstat3 ${status}`}`);
		this.status = status;
	}
}

export interface NfsTiming {
	/** Milliseconds to wait when the server says NFS3ERR_JUKEBOX; Linux waits 5 s. */
	readonly jukebox: number;
	/** How often it asks again then. */
	readonly jukeboxRetries: number;
}

export class NfsClient {
	readonly #caller: Caller;
	readonly #credential: Credential;
	readonly #timing: NfsTiming;

	constructor(caller: Caller, credential: Credential, timing: NfsTiming) {
		this.#caller = caller;
		this.#credential = credential;
		this.#timing = timing;
	}

	async ping(): Promise<void> {
		(await this.#caller.call(nfs(0, "NFS NULL"), Buffer.alloc(0))).end();
	}

	/**
	 * Linux asks for POSIX ACLs when it mounts.
	 * @returns whether the server has them. A server without must say PROG_UNAVAIL, and at once.
	 */
	async hasAcl(): Promise<boolean> {
		const probe = { program: NFSACL_PROGRAM, version: 3, procedure: 0, name: "NFSACL NULL" };
		try {
			(await this.#caller.call(probe, Buffer.alloc(0))).end();
			return true;
		} catch (error) {
			if (error instanceof RpcRefusal && error.status === "PROG_UNAVAIL") return false;
			throw error;
		}
	}

	async getattr(handle: Buffer): Promise<Attributes> {
		const results = await this.#call(nfs(1, "GETATTR"), new XdrWriter().opaque(handle));
		const attributes = readAttributes(results);
		results.end();
		return attributes;
	}

	/** @returns undefined when there is no such name. */
	async lookup(directory: Buffer, name: string): Promise<Buffer | undefined> {
		try {
			const results = await this.#call(nfs(3, `LOOKUP ${name}`), new XdrWriter().opaque(directory).string(name));
			const handle = results.opaque(FHSIZE3);
			readPostOpAttributes(results);
			readPostOpAttributes(results);
			results.end();
			return handle;
		} catch (error) {
			if (error instanceof NfsError && error.status === 2) return undefined;
			throw error;
		}
	}

	/** @returns which of the asked rights are granted. */
	async access(handle: Buffer, rights: number): Promise<number> {
		const results = await this.#call(nfs(4, "ACCESS"), new XdrWriter().opaque(handle).uint32(rights));
		readPostOpAttributes(results);
		const granted = results.uint32();
		results.end();
		return granted;
	}

	async readlink(handle: Buffer): Promise<string> {
		const results = await this.#call(nfs(5, "READLINK"), new XdrWriter().opaque(handle));
		readPostOpAttributes(results);
		const target = results.string(MAX_PATH);
		results.end();
		return target;
	}

	async read(handle: Buffer, offset: number, count: number): Promise<{ data: Buffer; eof: boolean }> {
		const args = new XdrWriter().opaque(handle).uint64(BigInt(offset)).uint32(count);
		const results = await this.#call(nfs(6, "READ"), args);
		readPostOpAttributes(results);
		const length = results.uint32();
		const eof = results.bool();
		const data = results.opaque(count);
		results.end();
		if (data.length !== length) throw new ProtocolError(`READ: count is ${length}, but ${data.length} bytes came`);
		return { data, eof };
	}

	/** One part of a directory. @param cookie and `verifier` of the part before, zeros at the beginning. */
	async readdirplus(
		directory: Buffer,
		cookie: bigint,
		verifier: Buffer,
	): Promise<{ entries: DirectoryEntry[]; verifier: Buffer; eof: boolean }> {
		const args = new XdrWriter().opaque(directory).uint64(cookie).fixed(verifier).uint32(DIRCOUNT).uint32(MAXCOUNT);
		const results = await this.#call(nfs(17, "READDIRPLUS"), args);
		readPostOpAttributes(results);
		const next = results.fixed(COOKIEVERFSIZE);
		const entries: DirectoryEntry[] = [];
		while (results.bool()) entries.push(readEntry(results));
		const eof = results.bool();
		results.end();
		return { entries, verifier: next, eof };
	}

	async fsinfo(root: Buffer): Promise<{ rtmax: number; dtpref: number }> {
		const results = await this.#call(nfs(19, "FSINFO"), new XdrWriter().opaque(root));
		readPostOpAttributes(results);
		const [rtmax = 0, , , , , , dtpref = 0] = Array.from({ length: 7 }, () => results.uint32());
		results.uint64();
		results.fixed(8);
		results.uint32();
		results.end();
		return { rtmax, dtpref };
	}

	async pathconf(root: Buffer): Promise<void> {
		const results = await this.#call(nfs(20, "PATHCONF"), new XdrWriter().opaque(root));
		readPostOpAttributes(results);
		results.fixed(24);
		results.end();
	}

	async #call(to: Procedure, args: XdrWriter): Promise<XdrReader> {
		for (let attempt = 0; ; attempt++) {
			const results = await this.#caller.call(to, args.bytes(), this.#credential);
			const status = results.uint32();
			if (status === 0) return results;
			if (status !== JUKEBOX || attempt >= this.#timing.jukeboxRetries) throw new NfsError(to.name, status);
			await new Promise((resolve) => setTimeout(resolve, this.#timing.jukebox));
		}
	}
}

/** READDIRPLUS: at most this much of names, and of everything. */
const DIRCOUNT = 8192;
const MAXCOUNT = 32768;

export const NO_VERIFIER: Buffer = Buffer.alloc(COOKIEVERFSIZE);

function nfs(procedure: number, name: string): Procedure {
	return { program: NFS_PROGRAM, version: NFS_V3, procedure, name };
}

function readPostOpAttributes(results: XdrReader): Attributes | undefined {
	return results.bool() ? readAttributes(results) : undefined;
}

/** fattr3: type mode nlink uid gid size(8) used(8) rdev(8) fsid(8) fileid(8) atime(8) mtime(8) ctime(8) */
function readAttributes(results: XdrReader): Attributes {
	const type = results.uint32();
	if (type < FileType.REG || type > FileType.FIFO) throw new ProtocolError(`NFS: a file of type ${type}`);
	const [mode = 0, nlink = 0, uid = 0, gid = 0] = Array.from({ length: 4 }, () => results.uint32());
	const size = results.size();
	results.uint64();
	const rdev = [results.uint32(), results.uint32()] as const;
	const fsid = results.uint64();
	const fileid = results.uint64();
	results.fixed(8);
	const mtime = [results.uint32(), results.uint32()] as const;
	results.fixed(8);
	return { type, mode, nlink, uid, gid, size, rdev, fsid, fileid, mtime };
}

function readEntry(results: XdrReader): DirectoryEntry {
	const fileid = results.uint64();
	const name = results.string(MAX_NAME);
	const cookie = results.uint64();
	const attributes = readPostOpAttributes(results);
	if (results.bool()) results.opaque(FHSIZE3);
	return { fileid, name, cookie, attributes };
}
