/**
 * ONC-RPC messages, version 2 (RFC 5531 section 9).
 *
 *     struct call_body {                      union reply_body switch (reply_stat stat) {
 *        unsigned int rpcvers;  // 2             case MSG_ACCEPTED: accepted_reply areply;
 *        unsigned int prog;                      case MSG_DENIED:   rejected_reply rreply;
 *        unsigned int vers;                   };
 *        unsigned int proc;                   struct opaque_auth {
 *        opaque_auth  cred;                      auth_flavor flavor;
 *        opaque_auth  verf;                      opaque body<400>;
 *     };                                      };
 */
import type { XdrReader } from "./xdr-reader.ts";
import { XdrError } from "./xdr-reader.ts";
import type { XdrWriter } from "./xdr-writer.ts";

export const CALL = 0;
export const REPLY = 1;
export const MSG_ACCEPTED = 0;
export const MSG_DENIED = 1;

/** accept_stat */
export const SUCCESS = 0;
export const PROG_UNAVAIL = 1;
export const PROG_MISMATCH = 2;
export const PROC_UNAVAIL = 3;
export const GARBAGE_ARGS = 4;
export const SYSTEM_ERR = 5;

/** reject_stat */
export const RPC_MISMATCH = 0;
export const AUTH_ERROR = 1;

/** auth_stat */
export const AUTH_OK = 0;
export const AUTH_BADCRED = 1;
export const AUTH_REJECTEDCRED = 2;
export const AUTH_TOOWEAK = 5;

/** auth_flavor */
export const AUTH_NONE = 0;
export const AUTH_SYS = 1;

/** Who a caller without credentials is: `nobody`. */
const nobody = 65534;
const maxAuthBytes = 400;
const maxGids = 16;

/** Who sent a call. */
export interface RpcCaller {
	/** IPv4 in dotted form. */
	readonly address: string;
	readonly port: number;
	readonly transport: "tcp" | "udp";
	/** An object that lives as long as the connection; of a datagram, as long as the call. */
	readonly connection: object;
}

const noCaller: RpcCaller = { address: "", port: 0, transport: "tcp", connection: {} };

/** The header of a call. One object is used again for call after call: whoever answers later keeps what it needs. */
export class RpcCall {
	caller: RpcCaller = noCaller;
	/** How often the call was tried before, and had to wait for bytes from the disk. */
	attempt = 0;
	xid = 0;
	program = 0;
	version = 0;
	procedure = 0;
	flavor = AUTH_NONE;
	uid = nobody;
	gid = nobody;
	/** The supplementary groups are the first `gidCount` of these. */
	readonly gids = new Uint32Array(maxGids);
	gidCount = 0;

	/** Tells whether the caller is in a group. */
	inGroup(gid: number): boolean {
		if (this.gid === gid) return true;
		for (let index = 0; index < this.gidCount; index++) {
			if (this.gids[index] === gid) return true;
		}
		return false;
	}

	/**
	 * Reads the header up to the arguments.
	 *
	 * @returns `AUTH_OK`, the auth_stat to refuse the call with, or `"version"` when it is not RPC version 2.
	 * @throws XdrError when it is no call at all.
	 */
	read(reader: XdrReader): number | "version" {
		this.xid = reader.u32("xid");
		const type = reader.u32("msg_type");
		if (type !== CALL) throw new XdrError(`msg_type must be CALL (0), got ${type}`);
		if (reader.u32("rpcvers") !== 2) return "version";
		this.program = reader.u32("prog");
		this.version = reader.u32("vers");
		this.procedure = reader.u32("proc");
		return this.#readAuth(reader);
	}

	#readAuth(reader: XdrReader): number {
		this.flavor = reader.u32("cred flavor");
		this.uid = nobody;
		this.gid = nobody;
		this.gidCount = 0;
		const status = this.flavor === AUTH_SYS ? this.#readSys(reader) : this.#readOther(reader);
		reader.u32("verf flavor");
		reader.skipOpaque(maxAuthBytes, "verf body");
		return status;
	}

	#readOther(reader: XdrReader): number {
		reader.skipOpaque(maxAuthBytes, "cred body");
		return this.flavor === AUTH_NONE ? AUTH_OK : AUTH_REJECTEDCRED;
	}

	/**
	 *     struct authsys_parms {
	 *        unsigned int stamp;
	 *        string machinename<255>;
	 *        unsigned int uid;
	 *        unsigned int gid;
	 *        unsigned int gids<16>;
	 *     };
	 */
	#readSys(reader: XdrReader): number {
		const length = reader.u32("cred length");
		if (length > maxAuthBytes) throw new XdrError(`cred body may have ${maxAuthBytes} bytes, got ${length}`);
		const behind = reader.remaining - length - (-length & 3);
		reader.u32("stamp");
		reader.skipOpaque(255, "machinename");
		this.uid = reader.u32("uid");
		this.gid = reader.u32("gid");
		const count = reader.u32("gids");
		if (count > maxGids) return this.#skipTo(reader, behind);
		for (let index = 0; index < count; index++) this.gids[index] = reader.u32("gid");
		this.gidCount = count;
		return reader.remaining === behind ? AUTH_OK : this.#skipTo(reader, behind);
	}

	/** A credential that is not what its length says: goes to its end, to find the rest of the call. */
	#skipTo(reader: XdrReader, behind: number): number {
		if (behind < 0 || reader.remaining < behind) throw new XdrError("the credential is longer than its length says");
		reader.fixed(reader.remaining - behind);
		return AUTH_BADCRED;
	}
}

/** The header of a reply that was accepted: behind SUCCESS come the results. Our verifier is always AUTH_NONE. */
export function writeAccepted(out: XdrWriter, xid: number, acceptStat: number): void {
	out.reserve(24);
	out.u32(xid).u32(REPLY).u32(MSG_ACCEPTED).u32(AUTH_NONE).u32(0).u32(acceptStat);
}

/** PROG_MISMATCH with the versions that we have. */
export function writeProgramMismatch(out: XdrWriter, xid: number, low: number, high: number): void {
	writeAccepted(out, xid, PROG_MISMATCH);
	out.u32(low).u32(high);
}

export function writeAuthError(out: XdrWriter, xid: number, authStat: number): void {
	out.u32(xid).u32(REPLY).u32(MSG_DENIED).u32(AUTH_ERROR).u32(authStat);
}

/** RPC_MISMATCH: we speak version 2 only. */
export function writeRpcMismatch(out: XdrWriter, xid: number): void {
	out.u32(xid).u32(REPLY).u32(MSG_DENIED).u32(RPC_MISMATCH).u32(2).u32(2);
}
