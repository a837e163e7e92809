/**
 * ONC-RPC and a little of NFS spoken by hand, so that a test can say what no kernel would. Shares no code with the server.
 */
import { fileURLToPath } from "node:url";
import { must } from "./command.ts";
import { type Lab, SERVER_ADDRESS } from "./lab.ts";

export interface Call {
	readonly program: number;
	readonly version?: number;
	readonly procedure: number;
	/** XDR, complete. */
	readonly body: Buffer;
	/** Who the caller says he is; root if not given. */
	readonly uid?: number;
}

/** What was answered. */
export interface Reply {
	/** `accepted`: the results are in `body`. `denied`: `status` is the auth_stat or the rejection. `closed`: nothing came. */
	readonly kind: "accepted" | "denied" | "closed";
	/** accept_stat, or auth_stat where the call was denied. */
	readonly status: number;
	readonly body: Buffer;
}

export const MOUNT = 100005;
export const NFS = 100003;

/** Procedures of MOUNT. */
export const MNT = 1;
export const DUMP = 2;
export const EXPORT = 5;

/** Procedures of NFS. */
export const GETATTR = 1;
export const WRITE = 7;

const AUTH_SYS = 1;
const CLIENT = fileURLToPath(new URL("./rpc-client.ts", import.meta.url));

export function u32(...values: readonly number[]): Buffer {
	const bytes = Buffer.alloc(4 * values.length);
	values.forEach((value, index) => {
		bytes.writeUInt32BE(value, 4 * index);
	});
	return bytes;
}

/** `opaque<>` and `string<>`: length, bytes, zeros up to a multiple of four. */
export function opaque(data: string | Buffer): Buffer {
	const bytes = Buffer.from(data as Buffer);
	return Buffer.concat([u32(bytes.length), bytes, Buffer.alloc(-bytes.length & 3)]);
}

/** A call as it goes over TCP: one fragment, which is the last. */
export function callRecord(call: Call, xid: number): Buffer {
	const credentials = Buffer.concat([u32(0), opaque("tester"), u32(call.uid ?? 0, call.uid ?? 0, 0)]);
	const header = u32(xid, 0, 2, call.program, call.version ?? 3, call.procedure, AUTH_SYS);
	const message = Buffer.concat([header, opaque(credentials), u32(0, 0), call.body]);
	return Buffer.concat([u32(0x8000_0000 + message.length), message]);
}

/** Reads a reply without its record mark. */
export function readReply(message: Buffer): Reply {
	if (message.length < 12) return { kind: "closed", status: 0, body: Buffer.alloc(0) };
	if (message.readUInt32BE(8) !== 0) {
		return { kind: "denied", status: message.readUInt32BE(16), body: message.subarray(20) };
	}
	const verifier = message.readUInt32BE(16);
	const at = 20 + verifier + (-verifier & 3);
	return { kind: "accepted", status: message.readUInt32BE(at), body: message.subarray(at + 4) };
}

/** The handle in the results of MNT, undefined when it was refused. */
export function handleOfMount(reply: Reply): Buffer | undefined {
	if (reply.kind !== "accepted" || reply.body.readUInt32BE(0) !== 0) return undefined;
	const length = reply.body.readUInt32BE(4);
	return reply.body.subarray(8, 8 + length);
}

/** Makes calls over one connection, from a host of the lab. @param localPort the port to call from, 0 for any. */
export async function rpcFrom(lab: Lab, host: string, localPort: number, calls: readonly Call[]): Promise<Reply[]> {
	const records = calls.map((call, index) => callRecord(call, 0x7000 + index).toString("hex"));
	const command = [process.execPath, CLIENT, SERVER_ADDRESS, "2049", String(localPort), ...records];
	const lines = (await must(lab.on(host, command), { timeout: 30_000 })).split("\n");
	return calls.map((_, index) => readReply(Buffer.from(lines[index] ?? "", "hex")));
}
