/** ONC RPC version 2 (RFC 5531): call and reply messages, and their records on TCP. */
import { ProtocolError } from "./errors.ts";
import { XdrReader, XdrWriter } from "./xdr.ts";

export interface Procedure {
	readonly program: number;
	readonly version: number;
	readonly procedure: number;
	/** For messages: `MNT`, `LOOKUP`. */
	readonly name: string;
}

export interface Credential {
	readonly machine: string;
	readonly uid: number;
	readonly gid: number;
}

const CALL = 0;
const REPLY = 1;
const RPC_VERSION = 2;
const AUTH_NONE = 0;
const AUTH_SYS = 1;
const MAX_AUTH = 400;

/** RFC 5531 section 9, accept_stat. */
const ACCEPT_STAT = ["SUCCESS", "PROG_UNAVAIL", "PROG_MISMATCH", "PROC_UNAVAIL", "GARBAGE_ARGS", "SYSTEM_ERR"];
const AUTH_STAT = ["AUTH_OK", "AUTH_BADCRED", "AUTH_REJECTEDCRED", "AUTH_BADVERF", "AUTH_REJECTEDVERF", "AUTH_TOOWEAK"];

/** The server understood the call, and refuses it. */
export class RpcRefusal extends Error {
	override readonly name = "RpcRefusal";
	/** `PROG_UNAVAIL`, `AUTH_TOOWEAK`, ... */
	readonly status: string;

	constructor(status: string) {
		super(`the server answers ${status}`);
		this.status = status;
	}
}

/** @param credential AUTH_SYS; AUTH_NONE without. */
export function encodeCall(xid: number, to: Procedure, credential: Credential | undefined, args: Buffer): Buffer {
	const call = new XdrWriter().uint32(xid).uint32(CALL).uint32(RPC_VERSION);
	call.uint32(to.program).uint32(to.version).uint32(to.procedure);
	if (credential === undefined) call.uint32(AUTH_NONE).uint32(0);
	else call.uint32(AUTH_SYS).opaque(authSys(credential));
	return Buffer.concat([call.uint32(AUTH_NONE).uint32(0).bytes(), args]);
}

/** `authsys_parms`: stamp, machinename, uid, gid, gids. */
function authSys({ machine, uid, gid }: Credential): Buffer {
	return new XdrWriter().uint32(0).string(machine).uint32(uid).uint32(gid).uint32(1).uint32(gid).bytes();
}

export function replyXid(message: Buffer): number {
	return new XdrReader(message).uint32();
}

/**
 * @returns what comes behind the header: the results.
 * @throws RpcRefusal when the call was not carried out, ProtocolError when it is no reply.
 */
export function decodeReply(message: Buffer): XdrReader {
	const reader = new XdrReader(message);
	reader.uint32();
	const kind = reader.uint32();
	if (kind !== REPLY) throw new ProtocolError(`RPC: message of kind ${kind}, expected a reply`);
	const state = reader.uint32();
	if (state === 1) throw denied(reader);
	if (state !== 0) throw new ProtocolError(`RPC: reply_stat ${state}`);
	reader.uint32();
	reader.opaque(MAX_AUTH);
	const status = reader.uint32();
	if (status !== 0) throw new RpcRefusal(ACCEPT_STAT[status] ?? `accept_stat ${status}`);
	return reader;
}

function denied(reader: XdrReader): RpcRefusal {
	if (reader.uint32() === 0) return new RpcRefusal("RPC_MISMATCH");
	const status = reader.uint32();
	return new RpcRefusal(AUTH_STAT[status] ?? `auth_stat ${status}`);
}

const LAST_FRAGMENT = 0x80000000;

/** Far above what any of our calls is answered with. */
const MAX_RECORD = 4 << 20;

/** RFC 5531 section 11: a record on TCP is fragments, each with its length before it. */
export function encodeRecord(message: Buffer): Buffer {
	const mark = Buffer.alloc(4);
	mark.writeUInt32BE((LAST_FRAGMENT | message.length) >>> 0);
	return Buffer.concat([mark, message]);
}

/** Cuts a stream into records. */
export class RecordReader {
	#pending: Buffer = Buffer.alloc(0);
	#fragments: Buffer[] = [];
	#length = 0;

	/** @returns the records that are complete now. */
	push(chunk: Buffer): Buffer[] {
		this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
		const records: Buffer[] = [];
		while (this.#pending.length >= 4) {
			const mark = this.#pending.readUInt32BE();
			const length = mark & 0x7fffffff;
			if (this.#length + length > MAX_RECORD) throw new ProtocolError(`RPC: a record of more than ${MAX_RECORD} bytes`);
			if (this.#pending.length < 4 + length) break;
			this.#fragments.push(this.#pending.subarray(4, 4 + length));
			this.#length += length;
			this.#pending = this.#pending.subarray(4 + length);
			if (mark >= LAST_FRAGMENT) records.push(this.#finish());
		}
		return records;
	}

	#finish(): Buffer {
		const record = Buffer.concat(this.#fragments);
		this.#fragments = [];
		this.#length = 0;
		return record;
	}
}
