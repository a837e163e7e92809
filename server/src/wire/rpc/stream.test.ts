import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { BlockFault, errorText, silentLogger } from "../../base/index.ts";
import { BufferPool, type PooledBuffer } from "./buffer-pool.ts";
import type { RpcCaller } from "./message.ts";
import { RecordReader } from "./record.ts";
import { type RpcProgram, RpcService } from "./service.ts";
import { RpcStream, type StreamTransport } from "./stream.ts";
import { XdrWriter } from "./xdr-writer.ts";

const caller: RpcCaller = { address: "192.0.2.20", port: 900, transport: "tcp", connection: {} };

/** A transport that keeps what was sent; it is taken by the client when the test says so. */
class Transport implements StreamTransport {
	readonly pool = new BufferPool();
	readonly bursts: Buffer[][] = [];
	#burst: Buffer[] = [];
	pending: { buffer: PooledBuffer; length: number }[] = [];
	paused = false;
	aborted: string | undefined;
	send = (buffer: PooledBuffer, length: number) => {
		this.#burst.push(Buffer.from(buffer.bytes.subarray(0, length)));
		this.pending.push({ buffer, length });
	};
	flush() {
		if (this.#burst.length > 0) this.bursts.push(this.#burst);
		this.#burst = [];
	}
	outputBytes() {
		return this.pending.reduce((sum, each) => sum + each.length, 0);
	}
	isCrowded = false;
	crowded() {
		return this.isCrowded;
	}
	room = true;
	hasRoom() {
		return this.room;
	}
	/** What was asked for last, and the most that is given. */
	reserved = 0;
	largest = Number.POSITIVE_INFINITY;
	reserve(bytes: number) {
		this.reserved = bytes;
		return bytes <= this.largest;
	}
	turns = Number.POSITIVE_INFINITY;
	hasTurn() {
		return this.turns-- > 0;
	}
	pause() {
		this.paused = true;
	}
	resume() {
		this.paused = false;
	}
	abort(cause: unknown) {
		this.aborted = errorText(cause);
	}
	taken() {
		for (const { buffer } of this.pending.splice(0)) this.pool.release(buffer);
	}
	/** xid and first result of each reply so far. */
	replies(): [number, number][] {
		const records = new RecordReader(new BufferPool());
		records.push(Buffer.concat(this.bursts.flat()));
		const found: [number, number][] = [];
		while (records.next()) {
			const { bytes, start, end } = records;
			found.push([bytes.readUInt32BE(start), end - start > 24 ? bytes.readUInt32BE(start + 24) : -1]);
		}
		return found;
	}
}

let cold: BlockFault | undefined;
let release: (() => void)[] = [];
const disconnected: string[] = [];
let attempts: number[] = [];

const program: RpcProgram = {
	name: "test",
	program: 300,
	version: 3,
	procedures: [
		{
			name: "SIZE",
			run(_call, args, out) {
				const size = args.u32();
				out.u32(size);
				out.space(size).fill(size);
				return undefined;
			},
		},
		{
			name: "COLD",
			run(call, args, out) {
				attempts.push(call.attempt);
				out.u32(99);
				const fault = cold;
				cold = undefined;
				if (fault !== undefined) throw fault;
				out.truncate(out.position - 4);
				out.u32(args.u32());
				return undefined;
			},
		},
		{
			name: "LATER",
			run(_call, args) {
				const value = args.u32();
				return new Promise((resolve) => {
					release.push(() => resolve((out) => void out.u32(value)));
				});
			},
		},
	],
	disconnected: ({ address }) => void disconnected.push(address),
};

function call(xid: number, proc: number, value: number): Buffer {
	const out = new XdrWriter().u32(0).u32(xid).u32(0).u32(2).u32(300).u32(3).u32(proc);
	out.u32(0).u32(0).u32(0).u32(0).u32(value);
	out.setU32(0, 0x8000_0000 | (out.position - 4));
	return out.copy();
}

function open() {
	cold = undefined;
	release = [];
	attempts = [];
	const transport = new Transport();
	const service = new Service([program], silentLogger);
	const stream = new RpcStream(service, caller, transport, transport.pool);
	return { transport, stream, service };
}

/** A service with a fault outside of its procedures. */
class Service extends RpcService {
	broken = false;

	override dispatch(...call: Parameters<RpcService["dispatch"]>): ReturnType<RpcService["dispatch"]> {
		if (this.broken) throw new Error("a fault of ours");
		const later = super.dispatch(...call);
		return later?.then((finish) => (out) => {
			if (this.broken) throw new Error("a fault of ours");
			finish(out);
		});
	}
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

test("all replies of a chunk leave in one buffer", () => {
	const { transport, stream } = open();
	stream.receive(Buffer.concat([call(1, 0, 4), call(2, 0, 8), call(3, 0, 12)]));
	assert.equal(transport.bursts.length, 1);
	assert.equal(transport.bursts[0]?.length, 1);
	assert.deepEqual(transport.replies(), [
		[1, 4],
		[2, 8],
		[3, 12],
	]);
});

test("replies that do not fit a buffer go on in the next, whole", () => {
	const { transport, stream } = open();
	const sizes = [10_000, 10_000, 65_536, 65_536, 65_536, 1 << 20, 4];
	stream.receive(Buffer.concat(sizes.map((size, index) => call(index, 0, size))));
	assert.deepEqual(
		transport.replies(),
		sizes.map((size, index) => [index, size]),
	);
	assert.equal(transport.bursts.length, 1);
});

test("among many that hold replies, each makes one and waits until it is taken", () => {
	const { transport, stream } = open();
	transport.isCrowded = true;
	stream.receive(Buffer.concat([call(1, 0, 4), call(2, 0, 8), call(3, 0, 12)]));
	for (const replies of [1, 2, 3]) {
		assert.equal(transport.replies().length, replies);
		transport.taken();
		stream.drained();
	}
	assert.equal(transport.paused, false);
});

test("a call that faults is run again, and others go on meanwhile", async () => {
	const { transport, stream } = open();
	let ready = () => {};
	cold = new BlockFault(
		new Promise((resolve) => {
			ready = resolve;
		}),
	);
	stream.receive(Buffer.concat([call(1, 1, 11), call(2, 0, 4)]));
	await settle();
	assert.deepEqual(transport.replies(), [[2, 4]]);
	assert.equal(stream.inFlight, 1);
	ready();
	await settle();
	assert.deepEqual(transport.replies(), [
		[2, 4],
		[1, 11],
	]);
	assert.deepEqual(attempts, [0, 1]);
	assert.equal(stream.inFlight, 0);
});

test("replies that are promised come when they are ready, in any order", async () => {
	const { transport, stream } = open();
	stream.receive(Buffer.concat([call(1, 2, 11), call(2, 2, 22)]));
	release[1]?.();
	await settle();
	release[0]?.();
	await settle();
	assert.deepEqual(transport.replies(), [
		[2, 22],
		[1, 11],
	]);
});

test("too many calls in flight stop the reading until one is done", async () => {
	const { transport, stream } = open();
	stream.receive(Buffer.concat(Array.from({ length: 70 }, (_, index) => call(index, 2, index))));
	assert.equal(stream.inFlight, 64);
	assert.equal(transport.paused, true);
	assert.equal(stream.awaitingInput, false);
	for (const each of release.splice(0)) each();
	await settle();
	assert.equal(transport.paused, false);
	assert.equal(stream.inFlight, 6);
	for (const each of release.splice(0)) each();
	await settle();
	assert.equal(transport.replies().length, 70);
});

test("calls that wait with much data stop the reading sooner", async () => {
	const { transport, stream } = open();
	let ready = () => {};
	const waiting = new Promise<void>((resolve) => {
		ready = resolve;
	});
	for (let xid = 0; xid < 20 && !transport.paused; xid++) {
		cold = new BlockFault(waiting);
		const small = call(xid, 1, xid);
		const large = Buffer.concat([small, Buffer.alloc(1 << 20)]);
		large.writeUInt32BE((0x8000_0000 | (large.length - 4)) >>> 0);
		stream.receive(large);
	}
	assert.equal(transport.paused, true);
	assert.equal(stream.inFlight, 8);
	ready();
	await settle();
	assert.equal(transport.paused, false);
	assert.equal(transport.replies().length, 8);
});

test("a client that does not take its replies gets no more of them", () => {
	const { transport, stream } = open();
	stream.receive(Buffer.concat(Array.from({ length: 400 }, (_, index) => call(index, 0, 1 << 20))));
	assert.ok(transport.outputBytes() < 7 << 20, `${transport.outputBytes()} bytes wait`);
	assert.equal(transport.paused, true);
	const before = transport.replies().length;
	transport.taken();
	stream.drained();
	assert.ok(transport.replies().length > before);
});

test("a client with many calls lets the others have their turn", () => {
	const { transport, stream } = open();
	transport.turns = 2;
	stream.receive(Buffer.concat([call(1, 0, 4), call(2, 0, 4), call(3, 0, 4)]));
	assert.deepEqual([transport.replies().length, transport.paused, stream.awaitingInput], [2, true, false]);
	transport.turns = 2;
	stream.drained();
	assert.deepEqual([transport.replies().length, transport.paused], [3, false]);
});

test("where all memory is taken no reply is made, also of a call that had waited for a disk", async () => {
	const { transport, stream } = open();
	stream.receive(call(1, 2, 11));
	transport.room = false;
	for (const each of release) each();
	await settle();
	stream.receive(call(2, 0, 4));
	assert.deepEqual([transport.replies(), transport.paused, stream.inFlight], [[], true, 1]);
	transport.room = true;
	stream.drained();
	assert.deepEqual(transport.replies(), [
		[1, 11],
		[2, 4],
	]);
	assert.deepEqual([transport.paused, stream.inFlight], [false, 0]);
});

test("a long call asks for memory before more of it is taken, and gives it back", () => {
	const { transport, stream } = open();
	const small = call(1, 0, 4);
	const long = Buffer.concat([small, Buffer.alloc(100_000)]);
	long.writeUInt32BE((0x8000_0000 | (long.length - 4)) >>> 0);
	transport.largest = 50_000;
	stream.receive(long.subarray(0, 1000));
	assert.deepEqual([transport.reserved, transport.paused, stream.awaitingInput], [long.length - 4, true, false]);
	transport.largest = 200_000;
	stream.drained();
	assert.equal(transport.paused, false);
	stream.receive(long.subarray(1000));
	assert.deepEqual([transport.replies(), transport.reserved, transport.paused], [[[1, 4]], 0, false]);
	stream.receive(small.subarray(0, 20));
	assert.deepEqual([transport.reserved, transport.paused], [0, false]);
});

test("what is no call ends the connection", () => {
	const { transport, stream } = open();
	stream.receive(Buffer.from("GET / HTTP/1.1\r\nHost: pi\r\n\r\n"));
	assert.match(transport.aborted ?? "", /record may have/);
});

test("what the socket had read before it was told to end is not looked at", () => {
	const { transport, stream } = open();
	stream.receive(Buffer.concat([Buffer.from("80000004deadbeef", "hex"), call(1, 0, 4)]));
	const { aborted } = transport;
	stream.receive(call(2, 0, 4));
	stream.drained();
	assert.deepEqual([transport.replies(), transport.aborted], [[], aborted]);
});

test("replies that were complete are sent before a broken record ends the connection", () => {
	const { transport, stream } = open();
	stream.receive(Buffer.concat([call(1, 0, 4), Buffer.from("80000004deadbeef", "hex")]));
	assert.deepEqual(transport.replies(), [[1, 4]]);
	assert.match(transport.aborted ?? "", /msg_type/);
});

test("a fault of ours in a call that waited ends its connection, behind the replies that were complete", async () => {
	for (const waits of [
		(xid: number) => call(xid, 2, 11),
		(xid: number) => {
			cold = new BlockFault(Promise.resolve());
			return call(xid, 1, 11);
		},
	]) {
		const { transport, stream, service } = open();
		stream.receive(waits(1));
		stream.receive(call(2, 0, 4));
		service.broken = true;
		for (const each of release) each();
		await settle();
		assert.equal(transport.aborted, "a fault of ours");
		assert.deepEqual(transport.replies(), [[2, 4]]);
		assert.equal(stream.inFlight, 0);
	}
});

test("a fault of ours after the connection has ended changes nothing", async () => {
	const { transport, stream, service } = open();
	stream.receive(call(1, 2, 11));
	stream.close();
	service.broken = true;
	for (const each of release) each();
	await settle();
	assert.equal(transport.aborted, undefined);
});

test("a connection that ends is told once; calls under way end silently", async () => {
	const { transport, stream } = open();
	stream.receive(call(1, 2, 11));
	disconnected.length = 0;
	stream.close();
	stream.close();
	for (const each of release) each();
	await settle();
	assert.deepEqual(disconnected, ["192.0.2.20"]);
	assert.deepEqual(transport.replies(), []);
});

test("random bytes never do more than end the connection", () => {
	fc.assert(
		fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 6 }), (chunks) => {
			const { transport, stream } = open();
			for (const chunk of chunks) {
				if (transport.aborted === undefined && !transport.paused) stream.receive(Buffer.from(chunk));
			}
			stream.close();
		}),
	);
});
