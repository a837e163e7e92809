/** A client for tests: makes calls as a Linux client does, and reads the replies by the standard's grammar. */
import assert from "node:assert/strict";
import { type RpcCaller, type RpcService, XdrReader, XdrWriter } from "../../rpc/index.ts";

export interface Credential {
	readonly uid: number;
	readonly gid: number;
	readonly gids?: readonly number[];
}

export const root: Credential = { uid: 0, gid: 0 };

/** A CALL message with AUTH_SYS, or AUTH_NONE without a credential. */
export function encodeCall(
	header: { xid: number; program: number; version: number; procedure: number },
	credential: Credential | undefined,
	writeArguments: (out: XdrWriter) => unknown = () => undefined,
): Buffer {
	const out = new XdrWriter();
	out.u32(header.xid).u32(0).u32(2).u32(header.program).u32(header.version).u32(header.procedure);
	if (credential === undefined) out.u32(0).u32(0);
	else {
		const body = new XdrWriter();
		const { uid, gid, gids = [] } = credential;
		body.u32(7).string("pi").u32(uid).u32(gid).u32(gids.length);
		for (const each of gids) body.u32(each);
		out.u32(1).opaque(body.copy());
	}
	out.u32(0).u32(0);
	writeArguments(out);
	return out.copy();
}

/** Reads the header of a reply that must be accepted, and gives accept_stat and the results. */
export function decodeReply(reply: Buffer, xid: number): { acceptStat: number; results: XdrReader } {
	const results = new XdrReader(reply);
	assert.equal(results.u32(), xid, "xid");
	assert.equal(results.u32(), 1, "REPLY");
	assert.equal(results.u32(), 0, "MSG_ACCEPTED");
	assert.equal(results.u32(), 0, "verf flavor");
	assert.equal(results.u32(), 0, "verf length");
	return { acceptStat: results.u32(), results };
}

export interface Fattr {
	readonly type: number;
	readonly mode: number;
	readonly nlink: number;
	readonly uid: number;
	readonly gid: number;
	readonly size: number;
	readonly used: number;
	readonly rdev: readonly [number, number];
	readonly fsid: number;
	readonly fileid: number;
	readonly atime: string;
	readonly mtime: string;
	readonly ctime: string;
}

const time = (results: XdrReader) => `${results.u32()}.${String(results.u32()).padStart(9, "0")}`;

export function readFattr3(results: XdrReader): Fattr {
	return {
		type: results.u32(),
		mode: results.u32(),
		nlink: results.u32(),
		uid: results.u32(),
		gid: results.u32(),
		size: results.u64(),
		used: results.u64(),
		rdev: [results.u32(), results.u32()],
		fsid: results.u64(),
		fileid: results.u64(),
		atime: time(results),
		mtime: time(results),
		ctime: time(results),
	};
}

export function readPostOpAttr(results: XdrReader): Fattr | undefined {
	return results.bool() ? readFattr3(results) : undefined;
}

export interface Wcc {
	readonly before: { size: number; mtime: string; ctime: string } | undefined;
	readonly after: Fattr | undefined;
}

export function readWcc(results: XdrReader): Wcc {
	const before = results.bool() ? { size: results.u64(), mtime: time(results), ctime: time(results) } : undefined;
	return { before, after: readPostOpAttr(results) };
}

export interface Sattr {
	readonly mode?: number;
	readonly uid?: number;
	readonly gid?: number;
	readonly size?: number;
	readonly atime?: "now" | readonly [number, number];
	readonly mtime?: "now" | readonly [number, number];
}

export function writeSattr3(out: XdrWriter, sattr: Sattr): XdrWriter {
	for (const value of [sattr.mode, sattr.uid, sattr.gid]) {
		out.bool(value !== undefined);
		if (value !== undefined) out.u32(value);
	}
	out.bool(sattr.size !== undefined);
	if (sattr.size !== undefined) out.u64(sattr.size);
	for (const value of [sattr.atime, sattr.mtime]) {
		if (value === undefined) out.u32(0);
		else if (value === "now") out.u32(1);
		else out.u32(2).u32(value[0]).u32(value[1]);
	}
	return out;
}

/** Calls a service without a socket. */
export class DirectClient {
	readonly #service: RpcService;
	#xid = 1;
	caller: RpcCaller = { address: "192.0.2.20", port: 900, transport: "tcp", connection: {} };
	credential: Credential | undefined = root;

	constructor(service: RpcService) {
		this.#service = service;
	}

	/** Sends bytes as they are; the reply as it came. */
	async send(call: Buffer, attempt = 0): Promise<Buffer> {
		const out = new XdrWriter();
		const later = this.#service.dispatch(call, 0, call.length, this.caller, attempt, out);
		if (later === undefined) return out.copy();
		const finish = await later;
		out.truncate(0);
		finish(out);
		return out.copy();
	}

	/** Calls a procedure that must be run, and gives its results. */
	async call(
		program: number,
		procedure: number,
		writeArguments?: (out: XdrWriter) => unknown,
		options: { xid?: number; version?: number; attempt?: number } = {},
	): Promise<XdrReader> {
		const xid = options.xid ?? this.#xid++;
		const header = { xid, program, version: options.version ?? 3, procedure };
		const call = encodeCall(header, this.credential, writeArguments);
		const { acceptStat, results } = decodeReply(await this.send(call, options.attempt ?? 0), xid);
		assert.equal(acceptStat, 0, "accept_stat");
		return results;
	}
}
