import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { MalformedError } from "../../base/index.ts";
import { BufferPool } from "./buffer-pool.ts";
import { maxRecordBytes, RecordReader } from "./record.ts";

function mark(length: number, last: boolean): Buffer {
	const bytes = Buffer.alloc(4);
	bytes.writeUInt32BE(((last ? 0x8000_0000 : 0) | length) >>> 0);
	return bytes;
}

function encode(fragments: readonly Uint8Array[]): Buffer {
	return Buffer.concat(fragments.flatMap((each, index) => [mark(each.length, index === fragments.length - 1), each]));
}

function readAll(records: RecordReader, chunk: Buffer): Buffer[] {
	const found: Buffer[] = [];
	records.push(chunk);
	while (records.next()) found.push(Buffer.from(records.bytes.subarray(records.start, records.end)));
	return found;
}

test("records come out whole, however fragments and chunks fall", () => {
	const record = fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 5 });
	fc.assert(
		fc.property(fc.array(record, { maxLength: 8 }), fc.array(fc.integer({ min: 1, max: 60 })), (list, cuts) => {
			const records = new RecordReader(new BufferPool());
			const stream = Buffer.concat(list.map(encode));
			const found: Buffer[] = [];
			let at = 0;
			for (const cut of [...cuts, stream.length]) {
				found.push(...readAll(records, stream.subarray(at, at + cut)));
				at = Math.min(at + cut, stream.length);
			}
			assert.deepEqual(
				found,
				list.map((fragments) => Buffer.concat(fragments)),
			);
			assert.equal(records.partial, false);
		}),
	);
});

test("a large record in many chunks is put together, and its memory is used again", () => {
	const pool = new BufferPool();
	const records = new RecordReader(pool);
	const content = Buffer.alloc(1 << 20, "record");
	for (let round = 0; round < 2; round++) {
		const stream = encode([content]);
		const found: Buffer[] = [];
		for (let at = 0; at < stream.length; at += 65536) found.push(...readAll(records, stream.subarray(at, at + 65536)));
		assert.equal(found.length, 1);
		assert.ok(found[0]?.equals(content));
	}
});

test("a record that is kept is not overwritten by the next", () => {
	const records = new RecordReader(new BufferPool());
	records.push(encode([Buffer.from("fir"), Buffer.from("st")]));
	assert.ok(records.next());
	const [bytes, start, end] = [records.bytes, records.start, records.end];
	records.keep();
	assert.equal(records.next(), false);
	assert.deepEqual(readAll(records, encode([Buffer.from("oth"), Buffer.from("er")])), [Buffer.from("other")]);
	assert.equal(bytes.toString("latin1", start, end), "first");
});

test("a record that is too long is refused at its mark, before anything is allocated", () => {
	const records = new RecordReader(new BufferPool());
	records.push(mark(maxRecordBytes + 1, true));
	assert.throws(() => records.next(), MalformedError);
});

test("fragments that are too long together are refused", () => {
	const records = new RecordReader(new BufferPool());
	records.push(Buffer.concat([mark(8, false), Buffer.alloc(8), mark(maxRecordBytes - 7, true)]));
	assert.throws(() => records.next(), /may have 1114112 bytes/);
});

test("a record of endless empty fragments is refused", () => {
	const records = new RecordReader(new BufferPool());
	records.push(Buffer.alloc(4 * 1000));
	assert.throws(() => records.next(), /fragments/);
});

test("an announced length alone takes little memory", () => {
	const pool = new BufferPool();
	const taken: number[] = [];
	const take = pool.take.bind(pool);
	pool.take = (capacity) => {
		taken.push(capacity);
		return take(capacity);
	};
	const records = new RecordReader(pool);
	records.push(Buffer.concat([mark(1 << 20, true), Buffer.alloc(100)]));
	assert.equal(records.next(), false);
	assert.deepEqual(taken, [400]);
});
