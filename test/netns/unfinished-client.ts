/**
 * For `program.test.ts`: a Pi in the middle of things. Mounts its root and keeps the connection, and begins to fetch a file
 * without ever acknowledging a block. Prints `open` once both have been answered, and then waits.
 */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect } from "node:net";

const [server = "", file = "", exportPath = ""] = process.argv.slice(2);

function u32(...values: number[]): Buffer {
	const bytes = Buffer.alloc(4 * values.length);
	for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, 4 * index);
	return bytes;
}

/** A call of MNT (RFC 1813, appendix I) with AUTH_NONE, in one fragment. */
function mnt(path: string): Buffer {
	const name = Buffer.from(path);
	const call = [u32(1, 0, 2, 100005, 3, 1, 0, 0, 0, 0), u32(name.length), name, Buffer.alloc(-name.length & 3)];
	const message = Buffer.concat(call);
	return Buffer.concat([u32(0x8000_0000 + message.length), message]);
}

const udp = createSocket("udp4");
udp.send(`\0\x01${file}\0octet\0`, 69, server);
const tcp = connect({ host: server, port: 2049, localPort: 1001 });
tcp.write(mnt(exportPath));
const [[reply]] = await Promise.all([once(tcp, "data"), once(udp, "message")]);
// Behind the record mark: xid, REPLY, accepted, verifier (2), SUCCESS; then the status of MNT.
const isMounted = Buffer.isBuffer(reply) && reply.readUInt32BE(28) === 0;
process.stdout.write(isMounted ? "open\n" : "not mounted\n");
