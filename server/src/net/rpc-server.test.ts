import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import fc from "fast-check";
import { pino } from "pino";
import { ExternalError, ManualClock, silentLogger } from "../base/index.ts";
import { BufferPool, RecordReader, type RpcProgram, RpcService, XdrWriter } from "../wire/rpc/index.ts";
import { RpcServer, type RpcServerOptions } from "./rpc-server.ts";

const echo: RpcProgram = {
	name: "echo",
	program: 300,
	version: 1,
	procedures: [
		{ name: "NULL", run: () => undefined },
		{
			name: "FILL",
			run(_call, args, out) {
				const size = args.u32();
				out.u32(size);
				out.space(size).fill(size);
				return undefined;
			},
		},
		{ name: "LATER", run: async (_call) => (out) => void out.u32(7) },
	],
};
const service = new RpcService([echo], silentLogger);

function call(xid: number, proc: number, value = 0): Buffer {
	const out = new XdrWriter().u32(xid).u32(0).u32(2).u32(300).u32(1).u32(proc);
	return out.u32(0).u32(0).u32(0).u32(0).u32(value).copy();
}

function record(message: Buffer): Buffer {
	const mark = Buffer.alloc(4);
	mark.writeUInt32BE((0x8000_0000 | message.length) >>> 0);
	return Buffer.concat([mark, message]);
}

async function listen(t: TestContext, options: Partial<RpcServerOptions> = {}) {
	const server = new RpcServer({ tcp: service, udp: service, logger: silentLogger, ...options });
	const port = await server.listen(0, "127.0.0.1");
	t.after(() => server.close());
	return { server, port };
}

async function dial(t: TestContext, port: number): Promise<Socket> {
	const socket = connect(port, "127.0.0.1");
	t.after(() => socket.destroy());
	await once(socket, "connect");
	return socket;
}

/** Reads until there are `count` replies. */
async function replies(socket: Socket, count: number): Promise<Buffer[]> {
	const records = new RecordReader(new BufferPool());
	const found: Buffer[] = [];
	for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
		records.push(chunk);
		while (records.next()) found.push(Buffer.from(records.bytes.subarray(records.start, records.end)));
		if (found.length >= count) break;
	}
	return found;
}

test("calls over TCP are answered, large replies whole", async (t) => {
	const { port } = await listen(t);
	const socket = await dial(t, port);
	const sizes = [4, 1 << 20, 100_000, 1 << 20];
	socket.write(Buffer.concat(sizes.map((size, index) => record(call(index, 1, size)))));
	const found = await replies(socket, sizes.length);
	assert.deepEqual(
		found.map((reply) => [reply.readUInt32BE(0), reply.readUInt32BE(24), reply.length]),
		sizes.map((size, index) => [index, size, size + 28]),
	);
});

test("a client that reads late gets all of its replies in the end", async (t) => {
	const { port } = await listen(t);
	const socket = await dial(t, port);
	socket.pause();
	const count = 40;
	for (let xid = 0; xid < count; xid++) socket.write(record(call(xid, 1, 1 << 20)));
	await new Promise((resolve) => setImmediate(resolve));
	const found = await replies(socket, count);
	assert.deepEqual(
		found.map((reply) => reply.readUInt32BE(0)),
		Array.from({ length: count }, (_, xid) => xid),
	);
});

test("a call over UDP is answered on the same port, also later", async (t) => {
	const { port } = await listen(t);
	const socket = createSocket("udp4");
	t.after(() => socket.close());
	for (const proc of [0, 2]) {
		socket.send(call(5, proc), port, "127.0.0.1");
		const [reply] = await once(socket, "message");
		assert.equal(reply.readUInt32BE(0), 5);
	}
	socket.send(Buffer.from("no call"), port, "127.0.0.1");
	socket.send(call(6, 0), port, "127.0.0.1");
	const [reply] = await once(socket, "message");
	assert.equal(reply.readUInt32BE(0), 6);
});

test("random bytes end the connection at most; the server lives on", async (t) => {
	const { port } = await listen(t);
	await fc.assert(
		fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 300 }), async (bytes) => {
			const socket = await dial(t, port);
			const closed = once(socket, "close");
			socket.resume();
			socket.on("error", () => undefined);
			socket.end(bytes);
			await closed;
		}),
		{ numRuns: 30 },
	);
	const socket = await dial(t, port);
	socket.write(record(call(1, 0)));
	assert.equal((await replies(socket, 1)).length, 1);
});

test("whoever sends nonsense again and again is complained of once, until the next sweep", async (t) => {
	const clock = new ManualClock();
	const lines: string[] = [];
	const logger = pino({ base: null }, { write: (line: string) => void lines.push(JSON.parse(line).msg) });
	const { server, port } = await listen(t, { clock, logger });
	const sendNonsense = async () => {
		const socket = await dial(t, port);
		const closed = once(socket, "close");
		socket.on("error", () => undefined).resume();
		socket.write("GET / HTTP/1.1\r\n");
		await closed;
	};
	for (let count = 0; count < 3; count++) await sendNonsense();
	assert.equal(lines.length, 1);
	assert.match(lines[0] ?? "", /^closed the connection of 127\.0\.0\.1:\d+: a record may have/);
	clock.advance(15_000);
	await sendNonsense();
	assert.equal(lines.length, 2);
	await server.close();
});

test("a port that is taken is an ExternalError with the system's code, and nothing stays open", async (t) => {
	const other = createServer().listen(0, "127.0.0.1");
	await once(other, "listening");
	t.after(() => other.close());
	const address = other.address();
	assert.ok(typeof address === "object" && address !== null);
	const server = new RpcServer({ tcp: service, udp: service, logger: silentLogger });
	await assert.rejects(server.listen(address.port, "127.0.0.1"), (error) => {
		assert.ok(error instanceof ExternalError);
		assert.equal(error.code, "EADDRINUSE");
		return true;
	});
	await server.close();
});

test("UDP that fails closes TCP again", async (t) => {
	// An address of its own: on 127.0.0.1 a connection of somebody else may have the TCP port of this number.
	const address = "127.45.0.1";
	const taken = createSocket("udp4");
	t.after(() => taken.close());
	taken.bind(0, address);
	await once(taken, "listening");
	const { port } = taken.address();
	const server = new RpcServer({ tcp: service, udp: service, logger: silentLogger });
	await assert.rejects(server.listen(port, address), ExternalError);
	const next = new RpcServer({ tcp: service, logger: silentLogger });
	assert.equal(await next.listen(port, address), port);
	await next.close();
});

test("closing ends the connections and frees the port", async (t) => {
	const { server, port } = await listen(t);
	const socket = await dial(t, port);
	socket.write(record(call(1, 0)));
	await replies(socket, 1);
	assert.equal(server.connections, 1);
	const closed = once(socket, "close");
	socket.resume();
	await server.close();
	await closed;
	assert.equal(server.connections, 0);
	const again = new RpcServer({ tcp: service, udp: service, logger: silentLogger });
	assert.equal(await again.listen(port, "127.0.0.1"), port);
	await again.close();
});

test("an idle connection stays; one in the middle of a call is ended after two minutes", async (t) => {
	const clock = new ManualClock();
	const { server, port } = await listen(t, { clock });
	const idle = await dial(t, port);
	const slow = await dial(t, port);
	for (const socket of [idle, slow]) {
		socket.write(record(call(1, 0)));
		await replies(socket, 1);
	}
	slow.write(record(call(2, 0)).subarray(0, 10));
	idle.write(record(call(3, 0)));
	await replies(idle, 1);
	const closed = once(slow, "close");
	slow.resume();
	while (server.connections === 2) {
		clock.advance(60_000);
		await new Promise((resolve) => setImmediate(resolve));
	}
	await closed;
	clock.advance(3_600_000);
	idle.write(record(call(4, 0)));
	assert.equal((await replies(idle, 1)).length, 1);
});
