/**
 * For `arp.test.ts`: fetches `bootcode.bin` as the ROM of a Pi 3 does, without options, and takes its time for each block.
 * Arguments: the server, and milliseconds for each block. Prints how many bytes came, when all are there.
 */
import { createSocket } from "node:dgram";

const [, , server = "", pause = "0"] = process.argv;
const socket = createSocket("udp4");
/** The server may repeat a block; then so do we. */
let expected = 1;
let received = 0;

const patience = setTimeout(() => {
	process.stdout.write(`nothing after block ${expected - 1}\n`);
	socket.close();
}, 40_000);

socket.on("message", (bytes, from) => {
	const block = bytes.readUInt16BE(2);
	if (bytes.readUInt16BE(0) !== 3 || block !== expected) return;
	expected++;
	received += bytes.length - 4;
	const isLast = bytes.length < 516;
	setTimeout(() => {
		socket.send(Buffer.of(0, 4, block >> 8, block & 255), from.port, from.address);
		if (!isLast) return;
		clearTimeout(patience);
		process.stdout.write(`all ${received}\n`, () => socket.close());
	}, Number(pause));
});
socket.bind(49152, () => socket.send(Buffer.from("\0\x01bootcode.bin\0octet\0", "latin1"), 69, server));
