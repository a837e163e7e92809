/** NFS calls for tests: one method per procedure, results as plain values. */
import { silentLogger } from "../../../base/index.ts";
import { RpcService, type XdrReader, type XdrWriter } from "../../rpc/index.ts";
import { createMount3Program, createNfs3Program } from "../index.ts";
import {
	DirectClient,
	type Fattr,
	readFattr3,
	readPostOpAttr,
	readWcc,
	type Sattr,
	type Wcc,
	writeSattr3,
} from "./client.ts";
import { MemoryPort } from "./memory-port.ts";

export const OK = 0;

export interface Created {
	readonly status: number;
	readonly handle: Buffer;
	readonly attributes: Fattr | undefined;
	readonly wcc: Wcc;
}

export interface ListedEntry {
	readonly fileid: number;
	readonly name: string;
	readonly cookie: number;
	readonly attributes?: Fattr | undefined;
	readonly handle?: Buffer | undefined;
}

export interface Listing {
	readonly status: number;
	readonly entries: ListedEntry[];
	readonly eof: boolean;
	/** Bytes of resok. */
	readonly size: number;
}

const none = Buffer.alloc(0);

export class NfsTestClient extends DirectClient {
	readonly port: MemoryPort;

	constructor(port = new MemoryPort()) {
		const programs = [createNfs3Program(port, silentLogger), createMount3Program(port, silentLogger)];
		super(new RpcService(programs, silentLogger));
		this.port = port;
	}

	get tree() {
		return this.port.exported.tree;
	}

	get rootHandle(): Buffer {
		return this.handle(this.tree.root);
	}

	handle(ino: number): Buffer {
		return this.port.exported.handleOf({ tree: this.tree, ino });
	}

	nfs(procedure: number, write: (out: XdrWriter) => unknown, options?: { xid?: number; attempt?: number }) {
		return this.call(100003, procedure, write, options);
	}

	async getattr(handle: Buffer): Promise<{ status: number; attributes: Fattr | undefined }> {
		const results = await this.nfs(1, (out) => out.opaque(handle));
		const status = results.u32();
		return { status, attributes: status === OK ? readFattr3(results) : undefined };
	}

	async setattr(handle: Buffer, sattr: Sattr, guard?: readonly [number, number]) {
		const results = await this.nfs(2, (out) => {
			writeSattr3(out.opaque(handle), sattr).bool(guard !== undefined);
			if (guard !== undefined) out.u32(guard[0]).u32(guard[1]);
		});
		return { status: results.u32(), wcc: readWcc(results) };
	}

	async lookup(directory: Buffer, name: string) {
		const results = await this.nfs(3, (out) => out.opaque(directory).string(name));
		const status = results.u32();
		const handle = status === OK ? results.opaque(64) : none;
		const attributes = status === OK ? readPostOpAttr(results) : undefined;
		return { status, handle, attributes, directory: readPostOpAttr(results) };
	}

	async access(handle: Buffer, asked = 0x3f) {
		const results = await this.nfs(4, (out) => out.opaque(handle).u32(asked));
		const status = results.u32();
		const attributes = readPostOpAttr(results);
		return { status, attributes, access: status === OK ? results.u32() : 0 };
	}

	async readlink(handle: Buffer) {
		const results = await this.nfs(5, (out) => out.opaque(handle));
		const status = results.u32();
		readPostOpAttr(results);
		return { status, target: status === OK ? results.string(4096) : "" };
	}

	async read(handle: Buffer, offset: number, count: number) {
		const results = await this.nfs(6, (out) => out.opaque(handle).u64(offset).u32(count));
		const status = results.u32();
		const attributes = readPostOpAttr(results);
		if (status !== OK) return { status, attributes, count: 0, eof: false, data: none };
		return { status, attributes, count: results.u32(), eof: results.bool(), data: results.opaque(1 << 20) };
	}

	async write(handle: Buffer, offset: number, data: Uint8Array, stable = 0, count = data.length) {
		const results = await this.nfs(7, (out) => out.opaque(handle).u64(offset).u32(count).u32(stable).opaque(data));
		const status = results.u32();
		const wcc = readWcc(results);
		if (status !== OK) return { status, wcc, count: 0, committed: 0, verifier: "" };
		const [written, committed] = [results.u32(), results.u32()];
		return { status, wcc, count: written, committed, verifier: results.fixed(8).toString() };
	}

	#created(results: XdrReader): Created {
		const status = results.u32();
		const handle = status === OK && results.bool() ? results.opaque(64) : none;
		const attributes = status === OK ? readPostOpAttr(results) : undefined;
		return { status, handle, attributes, wcc: readWcc(results) };
	}

	async create(directory: Buffer, name: string, sattr: Sattr = { mode: 0o644 }, how = 0, xid?: number) {
		const write = (out: XdrWriter) => writeSattr3(out.opaque(directory).string(name).u32(how), sattr);
		return this.#created(await this.nfs(8, write, xid === undefined ? {} : { xid }));
	}

	async createExclusive(directory: Buffer, name: string, verifier: Buffer) {
		return this.#created(await this.nfs(8, (out) => out.opaque(directory).string(name).u32(2).fixed(verifier)));
	}

	async mkdir(directory: Buffer, name: string, sattr: Sattr = { mode: 0o755 }) {
		return this.#created(await this.nfs(9, (out) => writeSattr3(out.opaque(directory).string(name), sattr)));
	}

	async symlink(directory: Buffer, name: string, target: string) {
		const write = (out: XdrWriter) => writeSattr3(out.opaque(directory).string(name), {}).string(target);
		return this.#created(await this.nfs(10, write));
	}

	async mknod(directory: Buffer, name: string, type: number, spec?: readonly [number, number]) {
		const results = await this.nfs(11, (out) => {
			writeSattr3(out.opaque(directory).string(name).u32(type), { mode: 0o600 });
			if (spec !== undefined) out.u32(spec[0]).u32(spec[1]);
		});
		return this.#created(results);
	}

	async remove(directory: Buffer, name: string, xid?: number) {
		const options = xid === undefined ? {} : { xid };
		const results = await this.nfs(12, (out) => out.opaque(directory).string(name), options);
		return { status: results.u32(), wcc: readWcc(results) };
	}

	async rmdir(directory: Buffer, name: string) {
		const results = await this.nfs(13, (out) => out.opaque(directory).string(name));
		return { status: results.u32(), wcc: readWcc(results) };
	}

	async rename(from: Buffer, fromName: string, to: Buffer, toName: string) {
		const results = await this.nfs(14, (out) => out.opaque(from).string(fromName).opaque(to).string(toName));
		return { status: results.u32(), from: readWcc(results), to: readWcc(results) };
	}

	async link(file: Buffer, directory: Buffer, name: string) {
		const results = await this.nfs(15, (out) => out.opaque(file).opaque(directory).string(name));
		return { status: results.u32(), attributes: readPostOpAttr(results), wcc: readWcc(results) };
	}

	#listing(results: XdrReader, plus: boolean): Listing {
		const status = results.u32();
		const size = results.remaining;
		readPostOpAttr(results);
		if (status !== OK) return { status, entries: [], eof: false, size };
		results.fixed(8);
		const entries: ListedEntry[] = [];
		while (results.bool()) entries.push(readEntry(results, plus));
		return { status, entries, eof: results.bool(), size };
	}

	async readdir(directory: Buffer, cookie: number, count: number): Promise<Listing> {
		const write = (out: XdrWriter) => out.opaque(directory).u64(cookie).u64(0).u32(count);
		return this.#listing(await this.nfs(16, write), false);
	}

	async readdirplus(directory: Buffer, cookie: number, dircount: number, maxcount: number, attempt = 0) {
		const write = (out: XdrWriter) => out.opaque(directory).u64(cookie).u64(0).u32(dircount).u32(maxcount);
		return this.#listing(await this.nfs(17, write, { attempt }), true);
	}

	async commit(handle: Buffer) {
		const results = await this.nfs(21, (out) => out.opaque(handle).u64(0).u32(0));
		const status = results.u32();
		const wcc = readWcc(results);
		return { status, wcc, verifier: status === OK ? results.fixed(8).toString() : "" };
	}
}

function readEntry(results: XdrReader, plus: boolean): ListedEntry {
	const entry = { fileid: results.u64(), name: results.string(255), cookie: results.u64() };
	if (!plus) return entry;
	return { ...entry, attributes: readPostOpAttr(results), handle: results.bool() ? results.opaque(64) : undefined };
}
