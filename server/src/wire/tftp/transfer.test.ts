import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import fc from "fast-check";
import { ManualClock } from "../../base/index.ts";
import type { TftpOption } from "./packet.ts";
import { PIECE_SIZE } from "./read-ahead.ts";
import { Transfer } from "./transfer.ts";

const content = (size: number): Buffer =>
	Buffer.from(Uint8Array.from({ length: size }, (_, at) => (at * 31 + (at >> 9)) & 0xff));

interface BenchOptions {
	readonly options?: readonly TftpOption[];
	readonly data?: Buffer;
	/** What `read` gives instead of the data. */
	readonly read?: (offset: number, length: number) => Promise<Uint8Array>;
	/** Whether the socket takes packets at once. */
	readonly isFree?: boolean;
}

/** A transfer on a bench: what it sends is recorded, and time is moved by hand. */
function bench({ options = [], data = content(1000), read, isFree = true }: BenchOptions = {}) {
	const clock = new ManualClock();
	const sent: Buffer[] = [];
	const ends: [string, number][] = [];
	const reads: [number, number][] = [];
	let closed = 0;
	const transfer = new Transfer({
		clock,
		requested: options,
		file: {
			size: data.length,
			read: async (offset, length) => {
				reads.push([offset, length]);
				return read ? read(offset, length) : data.subarray(offset, offset + length);
			},
			close: () => void closed++,
		},
		send: (packet) => {
			sent.push(isFree ? Buffer.from(packet) : packet);
			return isFree;
		},
		ended: (outcome, bytes) => void ends.push([outcome, bytes]),
	});
	transfer.start();
	return {
		clock,
		sent,
		ends,
		reads,
		transfer,
		closed: () => closed,
		/** Sends an ACK, lets reads finish, and gives what came back. */
		async ack(block: number): Promise<Buffer[]> {
			const from = sent.length;
			transfer.receive(Buffer.of(0, 4, block >> 8, block & 0xff));
			await turn();
			return sent.slice(from);
		},
		error: (code: number) => transfer.receive(Buffer.of(0, 5, 0, code, 0)),
		/** Moves the time and gives what was sent meanwhile. */
		pass(milliseconds: number): Buffer[] {
			const from = sent.length;
			clock.advance(milliseconds);
			return sent.slice(from);
		},
	};
}

/** `DATA 1 512`, `OACK blksize 8`, `ERROR 0`. */
function name(packet: Buffer): string {
	if (packet[1] === 3) return `DATA ${packet.readUInt16BE(2)} ${packet.length - 4}`;
	if (packet[1] === 6) return `OACK ${packet.toString("latin1", 2).split("\0").join(" ").trim()}`;
	return `ERROR ${packet.readUInt16BE(2)}`;
}

const names = (packets: readonly Buffer[]): string[] => packets.map(name);

test("a file without options: blocks of 512, a short one last", async () => {
	const { ack, sent, ends, closed } = bench();
	await turn();
	assert.deepEqual(names(sent), ["DATA 1 512"]);
	assert.deepEqual(names(await ack(1)), ["DATA 2 488"]);
	assert.deepEqual(await ack(2), []);
	assert.deepEqual(ends, [["complete", 1000]]);
	assert.equal(closed(), 1);
	assert.deepEqual(Buffer.concat(sent.map((packet) => packet.subarray(4))), content(1000));
});

test("options: nothing is read before the OACK is acknowledged", async () => {
	const { ack, sent, reads } = bench({
		options: [
			["tsize", "0"],
			["blksize", "1024"],
		],
		data: content(1591),
	});
	await turn();
	assert.deepEqual(names(sent), ["OACK blksize 1024 tsize 1591"]);
	assert.deepEqual(reads, []);
	assert.deepEqual(names(await ack(0)), ["DATA 1 1024"]);
	assert.deepEqual(names(await ack(1)), ["DATA 2 567"]);
});

test("a size that is a multiple of blksize ends with an empty block, an empty file is one", async () => {
	const { ack, ends } = bench({ data: content(1024) });
	await turn();
	await ack(1);
	assert.deepEqual(names(await ack(2)), ["DATA 3 0"]);
	assert.deepEqual(ends, []);
	await ack(3);
	assert.deepEqual(ends, [["complete", 1024]]);
	const empty = bench({ data: content(0) });
	await turn();
	assert.deepEqual(names(empty.sent), ["DATA 1 0"]);
	await empty.ack(1);
	assert.deepEqual(empty.ends, [["complete", 0]]);
});

test("a duplicate ACK, an old one and one from the future cause nothing", async () => {
	const { ack } = bench({ data: content(5000) });
	await turn();
	await ack(1);
	await ack(2);
	for (const block of [2, 2, 1, 0, 4, 65535]) assert.deepEqual(await ack(block), []);
	assert.deepEqual(names(await ack(3)), ["DATA 4 512"]);
});

test("the OACK is answered by ACK 0 and nothing else", async () => {
	const { ack } = bench({ options: [["blksize", "8"]] });
	for (const block of [1, 65535]) assert.deepEqual(await ack(block), []);
	assert.deepEqual(names(await ack(0)), ["DATA 1 8"]);
});

test("silence: the packet is sent again after 1, 2, 4, 4 ... s, until 25 s have passed", async () => {
	const { sent, pass, ends } = bench();
	await turn();
	const [first] = sent;
	const at: number[] = [];
	for (let second = 1; second <= 24; second++) {
		for (const packet of pass(1000)) {
			assert.deepEqual(packet, first);
			at.push(second);
		}
	}
	assert.deepEqual(at, [1, 3, 7, 11, 15, 19, 23]);
	assert.deepEqual(ends, []);
	assert.deepEqual(pass(1000), []);
	assert.deepEqual(ends, [["timeout", 0]]);
	assert.deepEqual(pass(60_000), []);
});

test("an answer gives the client the full time again", async () => {
	const { ack, pass } = bench({ data: content(5000) });
	await turn();
	assert.equal(pass(3000).length, 2);
	await ack(1);
	assert.deepEqual(pass(999), []);
	assert.deepEqual(names(pass(1)), ["DATA 2 512"]);
});

test("the OACK is sent again, and the client's own timeout stays the same", async () => {
	const { pass } = bench({ options: [["timeout", "2"]] });
	assert.deepEqual(pass(1999), []);
	assert.deepEqual(names(pass(6001)), Array(4).fill("OACK timeout 2"));
});

test("the last block is sent again until it is acknowledged", async () => {
	const { ack, pass, ends } = bench({ data: content(100) });
	await turn();
	assert.deepEqual(names(pass(1000)), ["DATA 1 100"]);
	await ack(1);
	assert.deepEqual(ends, [["complete", 100]]);
	assert.deepEqual(pass(60_000), []);
});

test("ERROR 0 after the OACK or the first block is a probe; later, or with another code, it is not", async () => {
	const afterOack = bench({ options: [["tsize", "0"]] });
	afterOack.error(0);
	assert.deepEqual([afterOack.ends, afterOack.closed(), afterOack.reads], [[["probe", 0]], 1, []]);
	const afterFirst = bench({ options: [["tsize", "0"]] });
	await afterFirst.ack(0);
	afterFirst.error(0);
	assert.deepEqual(afterFirst.ends, [["probe", 0]]);
	const later = bench();
	await turn();
	await later.ack(1);
	later.error(0);
	assert.deepEqual(later.ends, [["aborted", 512]]);
	const refused = bench({ options: [["blksize", "8"]] });
	refused.error(8);
	assert.deepEqual(refused.ends, [["aborted", 0]]);
});

test("a client that leaves has the file when only the ACK of its last block is missing", async () => {
	const cases: [readonly TftpOption[], number, number[], string, number][] = [
		[[], 1000, [1], "complete", 1000],
		[[], 1024, [1, 2], "complete", 1024],
		[[["tsize", "0"]], 100, [0], "complete", 100],
		// Blocks are missing, or nobody ever answered: that it is there at all is not known.
		[[], 1300, [1], "aborted", 512],
		[[], 1000, [], "aborted", 0],
		[[], 100, [], "aborted", 0],
		[[["tsize", "0"]], 100, [], "aborted", 0],
		[[["windowsize", "4"]], 1300, [0], "aborted", 0],
	];
	for (const [options, size, acks, outcome, bytes] of cases) {
		const { ack, ends, sent, transfer, closed } = bench({ options, data: content(size) });
		await turn();
		for (const block of acks) await ack(block);
		const before = sent.length;
		transfer.clientLeft();
		transfer.abort();
		assert.deepEqual(ends, [[outcome, bytes]], `${size} bytes, ACKs ${acks}`);
		assert.deepEqual([closed(), sent.length], [1, before]);
	}
});

test("a last block that is still being read was not sent: who leaves does not have it", async () => {
	const data = content(PIECE_SIZE + 100);
	const read = (offset: number, length: number) =>
		offset === 0 ? Promise.resolve(data.subarray(0, length)) : new Promise<Buffer>(() => {});
	const { ack, ends, transfer } = bench({ data, read });
	await turn();
	for (let block = 1; block <= PIECE_SIZE / 512; block++) await ack(block);
	transfer.clientLeft();
	assert.deepEqual(ends, [["aborted", PIECE_SIZE]]);
});

test("after the end nothing is sent and nothing is said twice", async () => {
	const { ack, error, transfer, ends, closed, pass } = bench();
	await turn();
	transfer.abort();
	error(0);
	assert.deepEqual(await ack(1), []);
	assert.deepEqual(pass(60_000), []);
	assert.deepEqual([ends, closed()], [[["aborted", 0]], 1]);
});

test("datagrams that are no ACK and no ERROR are ignored", async () => {
	const { transfer, sent, ends } = bench();
	await turn();
	for (const bytes of [[], [0, 4], [0, 3, 0, 1], [0, 1, 65, 0], [9, 9, 9, 9]]) transfer.receive(Buffer.from(bytes));
	assert.deepEqual([sent.length, ends], [1, []]);
});

test("block numbers roll over from 65535 to 0", async () => {
	const data = content(65540 * 8 + 3);
	const { ack, sent, ends } = bench({
		options: [
			["blksize", "8"],
			["windowsize", "64"],
		],
		data,
	});
	await ack(0);
	const received: Buffer[] = [];
	for (let at = 0; ends.length === 0; ) {
		const window = sent.slice(1 + at);
		at += window.length;
		for (const packet of window) received.push(packet.subarray(4));
		await ack((sent.at(-1) ?? Buffer.alloc(4)).readUInt16BE(2));
	}
	assert.deepEqual(ends, [["complete", data.length]]);
	assert.equal(sent[65536]?.readUInt16BE(2), 0);
	assert.deepEqual(Buffer.concat(received), data);
});

test("a window: all of it at once, from behind a partial ACK on, and all of it after silence", async () => {
	const { ack, pass } = bench({
		options: [
			["blksize", "8"],
			["windowsize", "4"],
		],
		data: content(80),
	});
	assert.deepEqual(names(await ack(0)), ["DATA 1 8", "DATA 2 8", "DATA 3 8", "DATA 4 8"]);
	assert.deepEqual(names(await ack(2)), ["DATA 3 8", "DATA 4 8", "DATA 5 8", "DATA 6 8"]);
	assert.deepEqual(await ack(2), []);
	assert.deepEqual(names(pass(1000)), ["DATA 3 8", "DATA 4 8", "DATA 5 8", "DATA 6 8"]);
	assert.deepEqual(names(await ack(6)), ["DATA 7 8", "DATA 8 8", "DATA 9 8", "DATA 10 8"]);
	assert.deepEqual(names(await ack(10)), ["DATA 11 0"]);
});

test("the file is read in large pieces, one ahead", async () => {
	const { reads } = bench({ data: content(PIECE_SIZE * 2 + 5) });
	await turn();
	assert.deepEqual(reads, [
		[0, PIECE_SIZE],
		[PIECE_SIZE, PIECE_SIZE],
	]);
});

test("a slow disk is not the client's fault", async () => {
	let deliver = (_: Uint8Array): void => assert.fail("nothing was read");
	const data = content(100);
	const { sent, pass, ends } = bench({
		data,
		read: () =>
			new Promise((resolve) => {
				deliver = resolve;
			}),
	});
	assert.deepEqual(pass(10_000), []);
	deliver(data);
	await turn();
	assert.deepEqual(names(sent), ["DATA 1 100"]);
	assert.deepEqual(pass(999), []);
	assert.deepEqual(names(pass(1)), ["DATA 1 100"]);
	assert.deepEqual(ends, []);
});

test("a read that fails, or that finds less than there was, is told to the client", async () => {
	for (const read of [() => Promise.reject(new Error("I/O error")), async () => Buffer.alloc(10)]) {
		const { sent, ends, closed } = bench({ read });
		await turn();
		assert.deepEqual(names(sent), ["ERROR 0"]);
		assert.deepEqual([ends, closed()], [[["failed", 0]], 1]);
	}
});

test("a packet that the socket still holds is not written over", async () => {
	const { ack, sent } = bench({ isFree: false, data: content(5000) });
	await turn();
	for (let block = 1; block <= 5; block++) await ack(block);
	assert.deepEqual(
		names(sent),
		[1, 2, 3, 4, 5, 6].map((block) => `DATA ${block} 512`),
	);
	assert.deepEqual(Buffer.concat(sent.map((packet) => packet.subarray(4))), content(5000).subarray(0, 6 * 512));
});

test("whatever is lost on the way, the file arrives as it is", async () => {
	await fc.assert(
		fc.asyncProperty(
			fc.integer({ min: 0, max: PIECE_SIZE + 9000 }),
			fc.integer({ min: 500, max: 9000 }),
			fc.integer({ min: 1, max: 9 }),
			fc.infiniteStream(fc.nat(9)),
			async (size, blksize, windowsize, dice) => {
				const data = content(size);
				const options: TftpOption[] = [
					["blksize", String(blksize)],
					["windowsize", String(windowsize)],
				];
				const run = bench({ options, data });
				const received: Buffer[] = [];
				let seen = 0;
				for (let step = 0; run.ends.length === 0; step++) {
					assert.ok(step < 5000, "the transfer stands still");
					const fresh = run.sent.slice(seen);
					seen = run.sent.length;
					for (const packet of fresh) {
						if (dice.next().value === 0) continue;
						if (packet[1] === 3 && packet.readUInt16BE(2) === received.length + 1) received.push(packet.subarray(4));
					}
					if (fresh.length === 0 || dice.next().value === 0) run.pass(1000);
					else await run.ack(received.length);
				}
				assert.deepEqual(run.ends, [["complete", size]]);
				assert.ok(Buffer.concat(received).equals(data));
			},
		),
		{ numRuns: 60 },
	);
});
