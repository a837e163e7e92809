/** MOUNT version 3 (RFC 1813, appendix I): from a path to a file handle. */
import { BootError, ProtocolError } from "./errors.ts";
import type { Credential } from "./rpc.ts";
import type { Caller } from "./rpc-client.ts";
import { XdrWriter } from "./xdr.ts";

export const MOUNT_PROGRAM = 100005;
export const MOUNT_V3 = 3;

const NULL = { program: MOUNT_PROGRAM, version: MOUNT_V3, procedure: 0, name: "MOUNT NULL" };
const MNT = { program: MOUNT_PROGRAM, version: MOUNT_V3, procedure: 1, name: "MNT" };

const FHSIZE3 = 64;
const AUTH_SYS = 1;
const MAX_FLAVOURS = 32;

const STATUS: Readonly<Record<number, string>> = {
	1: "MNT3ERR_PERM",
	2: "MNT3ERR_NOENT",
	5: "MNT3ERR_IO",
	13: "MNT3ERR_ACCES",
	20: "MNT3ERR_NOTDIR",
	22: "MNT3ERR_INVAL",
	63: "MNT3ERR_NAMETOOLONG",
	10004: "MNT3ERR_NOTSUPP",
	10006: "MNT3ERR_SERVERFAULT",
};

/** What Linux sends first to each program. */
export async function pingMount(mount: Caller): Promise<void> {
	(await mount.call(NULL, Buffer.alloc(0))).end();
}

/** @returns the file handle of the root. */
export async function mountRoot(mount: Caller, path: string, credential: Credential): Promise<Buffer> {
	const results = await mount.call(MNT, new XdrWriter().string(path).bytes(), credential);
	const status = results.uint32();
	if (status !== 0) throw new BootError(`MNT ${path}: the server answers ${STATUS[status] ?? `mountstat3 ${status}`}`);
	const handle = results.opaque(FHSIZE3);
	const count = results.uint32();
	if (count > MAX_FLAVOURS) throw new ProtocolError(`MNT: ${count} auth flavours`);
	const flavours = Array.from({ length: count }, () => results.uint32());
	results.end();
	if (!flavours.includes(AUTH_SYS)) throw new BootError(`MNT ${path}: AUTH_SYS is not among the flavours ${flavours}`);
	return handle;
}
