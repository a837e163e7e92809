/**
 * Datagrams that are no messages: `datagrams.ts SERVER COUNT PORT...`: random bytes, beginnings of real messages, real ones with a
 * byte changed, and the largest that there are, to these ports and to the ports of transfers.
 */
import { createSocket } from "node:dgram";
import { count, counted, over, pause, random, randomBytes, server, underWay, words } from "./attack.ts";

const [total = "", ...ports] = words;

/** Real messages: RRQ, WRQ, ACK, DATA, ERROR; GETPORT and DUMP of the portmapper, MNT; a DISCOVER without options. */
const REAL = [
	Buffer.from("\0\x01cmdline.txt\0octet\0blksize\x001468\0windowsize\x0016\0", "latin1"),
	Buffer.from("\0\x02config.txt\0octet\0", "latin1"),
	Buffer.from([0, 4, 0, 1]),
	Buffer.concat([Buffer.from([0, 3, 0, 1]), Buffer.alloc(512)]),
	Buffer.from("\0\x05\0\0gone\0", "latin1"),
	Buffer.from(
		`6b8b4567${"00000000 00000002 000186a0 00000002 00000003".replaceAll(" ", "")}${"00".repeat(16)}000186a3000000030000000600000000`,
		"hex",
	),
	Buffer.from(`6b8b4568${"00000000 00000002 000186a0 00000002 00000004".replaceAll(" ", "")}${"00".repeat(16)}`, "hex"),
	Buffer.from(
		`6b8b4569${"00000000 00000002 000186a5 00000003 00000001".replaceAll(" ", "")}${"00".repeat(16)}ffffffff2f7069`,
		"hex",
	),
	Buffer.from(`01010600${"00".repeat(232)}63825363350101ff`, "hex"),
];
const LARGEST = 65_507;

function make(): Buffer {
	const real = REAL[random(REAL.length)] ?? Buffer.alloc(0);
	switch (random(5)) {
		case 0:
			return randomBytes(random(600));
		case 1:
			return real.subarray(0, random(real.length));
		case 2: {
			const changed = Buffer.from(real);
			changed[random(changed.length)] = random(256);
			return changed;
		}
		case 3:
			return random(20) === 0 ? Buffer.concat([real, Buffer.alloc(LARGEST - real.length, 0x41)]) : real;
		default:
			return Buffer.concat([real, randomBytes(random(1400))]);
	}
}

const sockets = Array.from({ length: 8 }, () => createSocket("udp4"));
for (const socket of sockets) {
	socket.on("message", () => count("answers"));
	socket.on("error", () => count("errors"));
}

function send(): Promise<void> {
	// Every fourth goes where the server has the sockets of its transfers, if it has any.
	const port = random(4) === 0 ? 32_768 + random(28_000) : Number(ports[random(ports.length)]);
	count("sent");
	return new Promise((resolve) => sockets[random(sockets.length)]?.send(make(), port, server, () => resolve()));
}

while (!over()) {
	for (let each = 0; each < 50; each++) await send();
	const isFull = counted("sent") >= Number(total);
	if (isFull && counted("sent") < Number(total) + 50) underWay();
	await pause(isFull ? 50 : 5);
}
