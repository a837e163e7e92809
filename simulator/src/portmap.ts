/** The port mapper (RFC 1833, version 2): on which port a program listens. */
import type { Caller } from "./rpc-client.ts";
import { XdrWriter } from "./xdr.ts";

export const IPPROTO_TCP = 6;

const GETPORT = { program: 100000, version: 2, procedure: 3, name: "GETPORT" };

/** @returns 0 when nobody has registered the program. */
export async function getPort(portmap: Caller, program: number, version: number): Promise<number> {
	const args = new XdrWriter().uint32(program).uint32(version).uint32(IPPROTO_TCP).uint32(0).bytes();
	const results = await portmap.call(GETPORT, args);
	const port = results.uint32();
	results.end();
	return port;
}
