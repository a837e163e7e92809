/**
 * Connections of TCP that mean harm: `connections.ts SERVER PORT COUNT ADDRESSES MODE`. What each sends is up to MODE:
 *
 *     idle        nothing
 *     storm       nothing, and closes at once
 *     garbage     random bytes, again and again
 *     lengths     a record of 2 GiB
 *     fragments   a call in fragments of one byte, without end
 *     empty       fragments of no bytes, without end
 *     half        all of the largest call but its last byte
 *     unread      calls without end, whose replies it never reads
 *     arguments   calls with a good header and arguments without sense
 *     mounts      MNT of paths that do not exist, each another
 *     headers     a request of HTTP of which a header comes now and then
 *     bodies      a request of HTTP with a body that is far too large
 *     logins      requests of HTTP with a wrong token
 *     listeners   streams of events, with the token of the server in the environment variable TOKEN
 */
import { connect, type Socket } from "node:net";
import { callRecord, MNT, MOUNT, NFS, opaque, u32 } from "../../harness/rpc.ts";
import { count, counted, over, ownAddress, pause, random, randomBytes, server, underWay, words } from "./attack.ts";

const [port = "", total = "", addresses = "", mode = ""] = words;
const LARGEST_RECORD = (1 << 20) + (64 << 10);
const isHttp = ["headers", "bodies", "logins", "listeners"].includes(mode);

/** Writes again and again, as long as the other end takes it; with pauses, so that there is time for the other connections. */
function pour(socket: Socket, make: () => Buffer | string): void {
	const more = () => {
		for (let each = 0; each < 20 && !socket.destroyed; each++) {
			count("writes");
			if (!socket.write(make())) break;
		}
		if (socket.destroyed) return;
		if (!socket.writableNeedDrain) setTimeout(more, 20);
		else socket.once("drain", () => setTimeout(more, 20));
	};
	more();
}

const head = (line: string) => `${line} HTTP/1.1\r\nHost: ${server}:${port}\r\n`;
const nullCall = callRecord({ program: NFS, procedure: 0, body: Buffer.alloc(0) }, 7);
const halfRecord = Buffer.concat([u32(0x8000_0000 + LARGEST_RECORD), Buffer.alloc(LARGEST_RECORD - 1)]);
const nullCalls = Buffer.concat(Array.from({ length: 500 }, () => nullCall));

const MODES: Readonly<Record<string, (socket: Socket) => void>> = {
	idle: () => undefined,
	storm: (socket) => void socket.destroy(),
	garbage: (socket) => pour(socket, () => randomBytes(1 + random(2000))),
	lengths: (socket) => pour(socket, () => Buffer.concat([u32(0xffff_ffff), randomBytes(64)])),
	fragments: (socket) => pour(socket, () => Buffer.from([0, 0, 0, 1, 0x7f])),
	empty: (socket) => pour(socket, () => u32(0, 0, 0, 0)),
	half: (socket) => void socket.write(halfRecord),
	unread(socket) {
		socket.pause();
		pour(socket, () => nullCalls);
	},
	arguments(socket) {
		const body = () => randomBytes(4 * random(60));
		pour(socket, () =>
			callRecord({ program: random(2) === 0 ? NFS : MOUNT, procedure: random(23), body: body() }, random(2 ** 31)),
		);
	},
	mounts(socket) {
		const path = () =>
			opaque(
				`/pi/${random(2 ** 31)
					.toString(16)
					.padStart(8, "0")}/${randomBytes(16).toString("hex")}`,
			);
		pour(socket, () => callRecord({ program: MOUNT, procedure: MNT, body: path() }, random(2 ** 31)));
	},
	headers(socket) {
		socket.write(head("GET /api/v1/devices"));
		const next = setInterval(() => socket.write(`X-${random(1e6)}: ${"a".repeat(1000)}\r\n`), 1000);
		socket.once("close", () => clearInterval(next));
	},
	bodies(socket) {
		socket.write(`${head("POST /api/v1/images")}Content-Type: application/json\r\nContent-Length: 1000000000\r\n\r\n`);
		pour(socket, () => Buffer.alloc(16_384, 0x20));
	},
	logins(socket) {
		const token = () => randomBytes(24).toString("hex");
		pour(socket, () => `${head("GET /api/v1/devices")}Authorization: Bearer ${token()}\r\n\r\n`);
	},
	listeners(socket) {
		socket.write(`${head("GET /api/v1/events")}Authorization: Bearer ${process.env.TOKEN}\r\n\r\n`);
	},
};

/** Ports below 1024 are those of root, as this attacker is. */
const PRIVILEGED = 1000;
let nextPort = 0;

/** Opens a connection; resolves when it is there or was refused. */
function attempt(): Promise<void> {
	const localAddress = ownAddress(counted("connections") % Number(addresses));
	const localPort = mode === "mounts" ? 1 + (nextPort++ % PRIVILEGED) : 0;
	const socket = connect({ host: server, port: Number(port), localAddress, ...(localPort > 0 ? { localPort } : {}) });
	count("connections");
	return new Promise((resolve) => {
		socket.on("error", () => count("errors"));
		socket.once("close", () => {
			count("closed");
			resolve();
		});
		socket.once("connect", () => {
			MODES[mode]?.(socket);
			resolve();
		});
		if (mode !== "unread")
			socket.on("data", (data) => count(isHttp ? `HTTP ${data.toString("latin1", 9, 12)}` : "replies"));
	});
}

while (!over()) {
	await Promise.all(Array.from({ length: 20 }, attempt));
	const isFull = counted("connections") >= Number(total);
	if (isFull && counted("connections") < Number(total) + 20) underWay();
	await pause(isFull ? 500 : 2);
}
