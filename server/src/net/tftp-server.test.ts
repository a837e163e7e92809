import assert from "node:assert/strict";
import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { once } from "node:events";
import { test } from "node:test";
import { type Clock, ExternalError, FileError, ManualClock, silentLogger, systemClock } from "../base/index.ts";
import type { TftpClient, TftpPort } from "../wire/tftp/index.ts";
import { TftpServer } from "./tftp-server.ts";

const DATA = Buffer.alloc(1300, "0123456789");

/** Files out of memory, and what became of their transfers. */
class Files implements TftpPort {
	readonly opened: string[] = [];
	readonly outcomes: string[] = [];
	open(name: string, _client: TftpClient): ReturnType<TftpPort["open"]> {
		this.opened.push(name);
		if (name === "denied") return Promise.reject(new FileError("EACCES"));
		if (name === "broken") return Promise.reject(new Error("no idea"));
		if (name === "missing") return Promise.resolve(undefined);
		const read = async (offset: number, length: number) => DATA.subarray(offset, offset + length);
		const close = () => assert.notEqual(name, "unclosable");
		return Promise.resolve({ size: DATA.length, read, close });
	}
	ended(name: string, _client: TftpClient, outcome: string, bytes: number, size: number): void {
		this.outcomes.push(`${name} ${outcome} ${bytes}/${size}`);
		assert.notEqual(name, "unnoted");
	}
}

/** A client of a few lines, on a socket of its own. */
class Client {
	readonly #socket: Socket = createSocket("udp4");
	readonly #queue: [Buffer, RemoteInfo][] = [];
	constructor(address = "127.0.0.1") {
		this.#socket.bind(0, address);
		this.#socket.on("message", (bytes, from) => {
			this.#queue.push([bytes, from]);
			this.#socket.emit("queued");
		});
	}
	async send(text: string, port: number): Promise<void> {
		await new Promise((resolve) => this.#socket.send(Buffer.from(text, "latin1"), port, "127.0.0.1", resolve));
	}
	async receive(): Promise<{ text: string; port: number; address: string }> {
		while (this.#queue.length === 0) await once(this.#socket, "queued");
		const [bytes, from] = this.#queue.shift() ?? assert.fail();
		return { text: bytes.toString("latin1"), port: from.port, address: from.address };
	}
	close(): void {
		this.#socket.close();
	}
}

async function withServer(
	work: (server: TftpServer, files: Files, client: Client) => Promise<void>,
	options: { maxTransfers?: number; clock?: Clock } = {},
): Promise<void> {
	const files = new Files();
	const server = new TftpServer({
		addresses: ["127.0.0.1"],
		port: 0,
		files,
		clock: systemClock,
		log: silentLogger,
		...options,
	});
	const client = new Client();
	await server.start();
	try {
		await work(server, files, client);
	} finally {
		client.close();
		await server.stop();
	}
}

/** Waits until the server has nothing to do any more. */
async function idle(server: TftpServer): Promise<void> {
	while (server.transfers > 0) await new Promise((resolve) => setTimeout(resolve, 5));
}

test("a whole transfer, from a port of its own", async () => {
	await withServer(async (server, files, client) => {
		await client.send("\0\x017bf18f79//config.txt\0octet\0tsize\x000\0blksize\x001024\0", server.port);
		const oack = await client.receive();
		assert.equal(oack.text, "\0\x06blksize\x001024\0tsize\x001300\0");
		assert.notEqual(oack.port, server.port);
		await client.send("\0\x04\0\0", oack.port);
		const first = await client.receive();
		await client.send("\0\x04\0\x01", oack.port);
		const second = await client.receive();
		await client.send("\0\x04\0\x02", oack.port);
		assert.equal(first.text.slice(0, 4) + second.text.slice(0, 4), "\0\x03\0\x01\0\x03\0\x02");
		assert.equal(first.text.slice(4) + second.text.slice(4), DATA.toString("latin1"));
		await idle(server);
		assert.deepEqual(files.opened, ["7bf18f79//config.txt"]);
		assert.deepEqual(files.outcomes, ["7bf18f79//config.txt complete 1300/1300"]);
	});
});

test("what is not served gets its ERROR at once, from a fresh port", async () => {
	await withServer(async (server, files, client) => {
		const cases: [string, number][] = [
			["\0\x01missing\0octet\0", 1],
			["\0\x01denied\0octet\0", 2],
			["\0\x01broken\0octet\0", 0],
			["\0\x02file\0octet\0", 2],
			["\0\x01file\0netascii\0", 0],
			["\0\x01file", 4],
		];
		for (const [request, code] of cases) {
			await client.send(request, server.port);
			const answer = await client.receive();
			assert.equal(answer.text.slice(0, 4), `\0\x05\0${String.fromCharCode(code)}`, JSON.stringify(request));
			assert.notEqual(answer.port, server.port);
		}
		assert.deepEqual(files.outcomes, []);
	});
});

test("datagrams that are no requests get no answer", async () => {
	await withServer(async (server, _files, client) => {
		for (const bytes of ["", "\0", "\0\x04\0\x01", "\0\x05\0\0x\0", "junk"]) await client.send(bytes, server.port);
		await client.send("\0\x01missing\0octet\0", server.port);
		assert.equal((await client.receive()).text[1], "\x05");
	});
});

test("a request that comes again while its transfer begins starts no second one", async () => {
	await withServer(async (server, files, client) => {
		const request = "\0\x01file\0octet\0tsize\x000\0";
		await client.send(request, server.port);
		await client.send(request, server.port);
		const oack = await client.receive();
		await client.send(request, server.port);
		await client.send("\0\x04\0\0", oack.port);
		const data = await client.receive();
		assert.equal(data.text.slice(0, 4), "\0\x03\0\x01");
		assert.equal(data.port, oack.port);
		assert.deepEqual(files.opened, ["file"]);
		await client.send("\0\x05\0\0Early terminate\0", oack.port);
		await idle(server);
		assert.deepEqual(files.outcomes, ["file probe 0/1300"]);
	});
});

test("another name from the same port means that the client gave the old one up", async () => {
	await withServer(async (server, files, client) => {
		await client.send("\0\x01first\0octet\0", server.port);
		const first = await client.receive();
		await client.send("\0\x01second\0octet\0tsize\x000\0", server.port);
		const second = await client.receive();
		assert.equal(second.text[1], "\x06");
		assert.notEqual(second.port, first.port);
		assert.deepEqual(files.outcomes, ["first aborted 0/1300"]);
	});
});

test("another name instead of the last ACK means that the file is there: the ROM of a 3B+ has one port for all", async () => {
	await withServer(async (server, files, client) => {
		await client.send("\0\x01bootcode.bin\0octet\0", server.port);
		const { port } = await client.receive();
		for (const block of ["\x01", "\x02"]) {
			await client.send(`\0\x04\0${block}`, port);
			await client.receive();
		}
		await client.send("\0\x01bootsig.bin\0octet\0", server.port);
		assert.notEqual((await client.receive()).port, port);
		// Its last ACK comes behind that, and harms nobody.
		await client.send("\0\x04\0\x03", port);
		assert.deepEqual(files.outcomes, ["bootcode.bin complete 1300/1300"]);
	});
});

test("a copy of a request that is read when its transfer is under way changes nothing", async () => {
	await withServer(async (server, files, client) => {
		await client.send("\0\x01file\0octet\0", server.port);
		const { port } = await client.receive();
		await client.send("\0\x04\0\x01", port);
		await client.receive();
		await client.send("\0\x01file\0octet\0", server.port);
		await client.send("\0\x04\0\x02", port);
		const last = await client.receive();
		assert.equal(last.text.slice(0, 4), "\0\x03\0\x03");
		assert.equal(last.port, port);
		await client.send("\0\x04\0\x03", port);
		await idle(server);
		assert.deepEqual(files.outcomes, ["file complete 1300/1300"]);
	});
});

test("the same name after a while means that the client began anew", async () => {
	const clock = new ManualClock();
	const work = async (server: TftpServer, files: Files, client: Client) => {
		await client.send("\0\x01file\0octet\0", server.port);
		const { port } = await client.receive();
		for (const block of ["\x01", "\x02"]) {
			await client.send(`\0\x04\0${block}`, port);
			await client.receive();
		}
		clock.advance(2500);
		// What the transfer's own timer sends again.
		await client.receive();
		await client.send("\0\x01file\0octet\0", server.port);
		assert.equal((await client.receive()).text.slice(0, 4), "\0\x03\0\x01");
		assert.deepEqual(files.outcomes, ["file aborted 1024/1300"]);
	};
	await withServer(work, { clock });
});

test("a client that closes its port ends its transfer", async () => {
	await withServer(async (server, files) => {
		const client = new Client();
		await client.send("\0\x01file\0octet\0", server.port);
		const first = await client.receive();
		await client.send("\0\x04\0\x01", first.port);
		client.close();
		await idle(server);
		assert.deepEqual(files.outcomes, ["file aborted 512/1300"]);
	});
});

test("what fails at the end of a transfer stays there: its session and socket go", async () => {
	for (const name of ["unclosable", "unnoted"]) {
		await withServer(async (server, files, client) => {
			await client.send(`\0\x01${name}\0octet\0`, server.port);
			const { port } = await client.receive();
			await client.send("\0\x05\0\x03full\0", port);
			await idle(server);
			assert.deepEqual(files.outcomes, [`${name} aborted 0/1300`]);
		});
	}
});

test("above the limit a request takes the place of a transfer that nobody acknowledges, and of no other", async () => {
	await withServer(
		async (server, files, client) => {
			await client.send("\0\x01silent\0octet\0", server.port);
			await client.receive();
			const second = new Client("127.0.0.2");
			await second.send("\0\x01file\0octet\0", server.port);
			const data = await second.receive();
			assert.deepEqual(files.outcomes, ["silent aborted 0/1300"]);
			await second.send("\0\x04\0\x01", data.port);
			await second.receive();
			await client.send("\0\x01other\0octet\0", server.port);
			await second.send("\0\x05\0\0", data.port);
			await idle(server);
			await client.send("\0\x01third\0octet\0tsize\x000\0", server.port);
			assert.equal((await client.receive()).text[1], "\x06");
			assert.deepEqual(files.opened, ["silent", "file", "third"]);
			second.close();
		},
		{ maxTransfers: 1 },
	);
});

test("stop ends what is running, and may be called without start and twice", async () => {
	const files = new Files();
	const server = new TftpServer({
		addresses: ["127.0.0.1"],
		port: 0,
		files,
		clock: systemClock,
		log: silentLogger,
	});
	await server.stop();
	await server.start();
	const client = new Client();
	await client.send("\0\x01file\0octet\0", server.port);
	await client.receive();
	await server.stop();
	await server.stop();
	assert.deepEqual(files.outcomes, ["file aborted 0/1300"]);
	client.close();
});

test("a port that another has is named, and nothing stays open", async () => {
	await withServer(async (server, files) => {
		const second = new TftpServer({
			addresses: ["127.0.0.2", "127.0.0.1"],
			port: server.port,
			files,
			clock: systemClock,
			log: silentLogger,
		});
		const refused = (error: unknown): boolean => error instanceof ExternalError && error.code === "EADDRINUSE";
		await assert.rejects(second.start(), refused);
		const third = new TftpServer({
			addresses: ["127.0.0.2"],
			port: server.port,
			files,
			clock: systemClock,
			log: silentLogger,
		});
		await third.start();
		await third.stop();
	});
});
