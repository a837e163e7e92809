/** Logs written by hand, for what the tools do not write: checksum v1, wrapping, damage, and much that is wrong. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isNetbootError } from "../../../base/index.ts";
import { crc32be } from "../../block/crc.ts";
import type { Log } from "./log.ts";
import { readLog } from "./log.ts";
import type { JournalSuperblock } from "./superblock.ts";

const BLOCK = 1024;
const JOURNAL: JournalSuperblock = {
	first: 1,
	end: 12,
	sequence: 5,
	start: 1,
	checksum: 0,
	wide: false,
	fastCommit: false,
	seed: 0,
};

function header(type: number, sequence: number): Buffer {
	const block = Buffer.alloc(BLOCK);
	block.writeUInt32BE(0xc03b3998, 0);
	block.writeUInt32BE(type, 4);
	block.writeUInt32BE(sequence, 8);
	return block;
}

function descriptor(sequence: number, blocks: readonly number[]): Buffer {
	const block = header(1, sequence);
	let at = 12;
	for (const [index, number] of blocks.entries()) {
		const last = index === blocks.length - 1 ? 8 : 0;
		block.writeUInt32BE(number, at);
		block.writeUInt16BE((index === 0 ? 0 : 2) | last, at + 6);
		at += index === 0 ? 24 : 8;
	}
	return block;
}

function revoke(sequence: number, blocks: readonly number[]): Buffer {
	const block = header(5, sequence);
	block.writeUInt32BE(16 + 4 * blocks.length, 12);
	for (const [index, number] of blocks.entries()) block.writeUInt32BE(number, 16 + 4 * index);
	return block;
}

const commit = (sequence: number) => header(2, sequence);
const data = (fill: number) => Buffer.alloc(BLOCK, fill);

/** @param blocks from the log's start on, going round. */
function read(blocks: readonly Buffer[], journal: JournalSuperblock = JOURNAL): Log {
	const length = journal.end - journal.first;
	const store: Buffer[] = Array.from({ length: journal.end }, () => Buffer.alloc(BLOCK));
	for (const [index, block] of blocks.entries()) {
		store[journal.first + ((journal.start - journal.first + index) % length)] = block;
	}
	return readLog({ read: (number) => store[number] ?? Buffer.alloc(BLOCK) }, journal);
}

function places(log: Log): [block: number, at: number][] {
	return [...log.replacements].map(([block, { at }]): [number, number] => [block, at]).sort(([a], [b]) => a - b);
}

test("the newest copy of a block counts", () => {
	const log = read([descriptor(5, [70, 71]), data(1), data(2), commit(5), descriptor(6, [70]), data(3), commit(6)]);
	assert.deepEqual(places(log), [
		[70, 6],
		[71, 3],
	]);
	assert.equal(log.transactions, 2);
});

test("a transaction without its commit block is left out", () => {
	const log = read([descriptor(5, [70]), data(1), commit(5), descriptor(6, [71]), data(2)]);
	assert.deepEqual(places(log), [[70, 2]]);
});

test("a commit block of another transaction ends the log", () => {
	const log = read([descriptor(5, [70]), data(1), commit(5), descriptor(7, [71]), data(2), commit(7)]);
	assert.deepEqual(places(log), [[70, 2]]);
	assert.equal(log.nextSequence, 6);
});

test("revoke records drop older copies and those of their own transaction, not newer ones", () => {
	const log = read([
		descriptor(5, [70, 71]),
		data(1),
		data(2),
		commit(5),
		revoke(6, [70, 71, 72]),
		descriptor(6, [72]),
		data(3),
		commit(6),
		descriptor(7, [71]),
		data(4),
		commit(7),
	]);
	assert.deepEqual(places(log), [[71, 10]]);
});

test("the log and the sequence go round", () => {
	const journal = { ...JOURNAL, start: 10, sequence: 0xffffffff };
	const log = read(
		[descriptor(0xffffffff, [70]), data(1), commit(0xffffffff), descriptor(0, [71]), data(2), commit(0)],
		journal,
	);
	assert.deepEqual(places(log), [
		[70, 11],
		[71, 3],
	]);
	assert.equal(log.nextSequence, 1);
});

test("checksum v1 covers a transaction; a wrong one ends the log there", () => {
	const journal: JournalSuperblock = { ...JOURNAL, checksum: 1 };
	const signed = (sequence: number, ...blocks: Buffer[]) => {
		const block = commit(sequence);
		block.writeUInt8(1, 12);
		block.writeUInt8(4, 13);
		const crc = blocks.reduce((sum, part) => crc32be(sum, part), 0xffffffff);
		block.writeUInt32BE(crc, 16);
		return [...blocks, block];
	};
	const first = signed(5, descriptor(5, [70]), data(1));
	const second = signed(6, descriptor(6, [71]), data(2));
	assert.equal(read([...first, ...second], journal).transactions, 2);
	second[1] = data(9);
	const damaged = read([...first, ...second], journal);
	assert.equal(damaged.transactions, 1);
	assert.equal(damaged.damagedEnd, true);
	assert.deepEqual(places(damaged), [[70, 2]]);
});

test("a log of descriptor blocks alone ends after one round", () => {
	const blocks = Array.from({ length: 11 }, () => descriptor(5, [1]));
	assert.equal(read(blocks).transactions, 0);
});

test("any bytes give a log or an error of ours", () => {
	const kinds = fc.constantFrom(1, 2, 5, 9);
	const block = fc.tuple(kinds, fc.integer({ min: 4, max: 7 }), fc.uint8Array({ minLength: 0, maxLength: 60 }));
	const log = fc.array(block, { maxLength: 11 });
	const version = fc.constantFrom<JournalSuperblock["checksum"]>(0, 1, 2, 3);
	fc.assert(
		fc.property(log, version, fc.boolean(), (entries, checksum, wide) => {
			const blocks = entries.map(([type, sequence, bytes]) => {
				const bytesOfBlock = header(type, sequence);
				bytesOfBlock.set(bytes, 12);
				return bytesOfBlock;
			});
			try {
				read(blocks, { ...JOURNAL, checksum, wide });
			} catch (error) {
				if (!isNetbootError(error) || error.code !== "malformed-ext4") throw error;
			}
		}),
	);
});
