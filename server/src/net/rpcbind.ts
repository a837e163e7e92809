/**
 * Registers our programs with the rpcbind of this machine, which has port 111 where an NFS server or desktop is installed:
 * PMAP_SET and PMAP_UNSET (RFC 1833 section 3). rpcbind takes them from root over loopback, and from anybody over its
 * local socket. Only what we registered is ever taken away again.
 */
import { connect, type NetConnectOpts, type Socket } from "node:net";
import { ExternalError, errorText, settleSeries, systemCode } from "../base/index.ts";
import {
	BufferPool,
	decodePortmapReply,
	encodePortmapCall,
	PMAP_PORT,
	PMAPPROC_DUMP,
	PMAPPROC_SET,
	PMAPPROC_UNSET,
	type PortMapping,
	RecordReader,
	readMappings,
	type XdrReader,
} from "../wire/rpc/index.ts";

const defaultSocketPath = "/run/rpcbind.sock";
const answerWithin = 3_000;

export interface RpcbindAddress {
	/** rpcbind's local socket; tried first. */
	readonly socketPath?: string;
	/** Its TCP port on loopback. */
	readonly port?: number;
}

/** What we registered, to be taken away by `unregister`. */
export interface RpcbindRegistration {
	/** @throws AggregateError of what could not be taken away. */
	unregister(): Promise<void>;
}

/**
 * Registers all mappings or none.
 *
 * @throws ExternalError: no rpcbind answers (the system's code), or a program is registered by somebody else (`EEXIST`).
 */
export async function registerWithRpcbind(
	mappings: readonly PortMapping[],
	address: RpcbindAddress = {},
): Promise<RpcbindRegistration> {
	const registered: PortMapping[] = [];
	const unregister = () => settleSeries(ownPrograms(registered).map((own) => () => remove(own, registered, address)));
	try {
		for (const mapping of mappings) {
			await set(mapping, address);
			registered.push(mapping);
		}
	} catch (error) {
		await unregister();
		throw error;
	}
	return { unregister };
}

async function set(mapping: PortMapping, address: RpcbindAddress): Promise<void> {
	const results = await ask(PMAPPROC_SET, mapping, address);
	if (results.bool()) return;
	const { program, version, protocol, port } = mapping;
	throw new ExternalError(
		"EEXIST",
		`rpcbind does not register program ${program} version ${version} (protocol ${protocol}) on port ${port}`,
		{ hint: "Another NFS server of this machine is registered there: stop it, or see `rpcinfo -p`." },
	);
}

/** One mapping for each program and version: PMAP_UNSET knows no protocols. */
function ownPrograms(registered: readonly PortMapping[]): PortMapping[] {
	const programs = new Map(registered.map((each) => [`${each.program}.${each.version}`, each]));
	return [...programs.values()];
}

/** Takes a program away, unless somebody else has put its own beside or in place of ours. */
async function remove(own: PortMapping, registered: readonly PortMapping[], address: RpcbindAddress): Promise<void> {
	const found = readMappings(await ask(PMAPPROC_DUMP, undefined, address)).filter(
		(each) => each.program === own.program && each.version === own.version,
	);
	const ours = found.filter((each) => registered.some((mine) => same(each, mine)));
	if (ours.length === 0 || ours.length < found.length) return;
	await ask(PMAPPROC_UNSET, own, address);
}

function same(one: PortMapping, other: PortMapping): boolean {
	return (
		one.program === other.program &&
		one.version === other.version &&
		one.protocol === other.protocol &&
		one.port === other.port
	);
}

let nextXid = (Date.now() & 0x7fff_ffff) >>> 0;

async function ask(number: number, argument: PortMapping | undefined, address: RpcbindAddress): Promise<XdrReader> {
	const xid = nextXid++ >>> 0;
	const call = encodePortmapCall(xid, number, argument);
	try {
		const socket = await dial(address);
		return decodePortmapReply(await exchange(socket, call), xid);
	} catch (error) {
		throw new ExternalError(systemCode(error) ?? "rpcbind", `rpcbind does not answer: ${errorText(error)}`, {
			cause: error,
		});
	}
}

/** Over the local socket, else over TCP from a port below 1024, which only root can take. */
async function dial({ socketPath = defaultSocketPath, port = PMAP_PORT }: RpcbindAddress): Promise<Socket> {
	try {
		return await connected({ path: socketPath });
	} catch (error) {
		if (systemCode(error) === undefined) throw error;
	}
	const host = "127.0.0.1";
	for (let localPort = 1023; localPort > 1000; localPort--) {
		try {
			return await connected({ host, port, localAddress: host, localPort });
		} catch (error) {
			const code = systemCode(error);
			if (code === "EACCES") break;
			if (code !== "EADDRINUSE" && code !== "EADDRNOTAVAIL") throw error;
		}
	}
	return connected({ host, port });
}

function connected(options: NetConnectOpts): Promise<Socket> {
	return new Promise((resolve, reject) => {
		const socket = connect(options);
		socket.once("error", reject);
		socket.once("connect", () => {
			socket.off("error", reject);
			resolve(socket);
		});
	});
}

/** Sends one call with its record mark and gives the reply. */
function exchange(socket: Socket, call: Buffer): Promise<Buffer> {
	const mark = Buffer.alloc(4);
	mark.writeUInt32BE((0x8000_0000 | call.length) >>> 0);
	const records = new RecordReader(new BufferPool());
	return new Promise<Buffer>((resolve, reject) => {
		socket.setTimeout(answerWithin, () => reject(new ExternalError("ETIMEDOUT", `no answer in ${answerWithin} ms`)));
		socket.once("error", reject);
		socket.once("close", () => reject(new ExternalError("ECONNRESET", "it closed the connection")));
		socket.on("data", (chunk: Buffer) => {
			try {
				records.push(chunk);
				if (records.next()) resolve(Buffer.from(records.bytes.subarray(records.start, records.end)));
			} catch (error) {
				reject(error);
			}
		});
		socket.write(Buffer.concat([mark, call]));
	}).finally(() => socket.destroy());
}
