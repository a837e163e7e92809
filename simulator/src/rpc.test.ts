import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { ProtocolError } from "./errors.ts";
import { decodeReply, encodeCall, encodeRecord, RecordReader, RpcRefusal } from "./rpc.ts";
import { XdrReader, XdrWriter } from "./xdr.ts";

const MNT = { program: 100005, version: 3, procedure: 1, name: "MNT" };

function words(...values: number[]): Buffer {
	const bytes = Buffer.alloc(values.length * 4);
	for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, index * 4);
	return bytes;
}

describe("an RPC message", () => {
	it("of a call has the bytes of RFC 5531", () => {
		const credential = { machine: "abc", uid: 0, gid: 5 };
		assert.equal(
			encodeCall(7, MNT, credential, words(9)).toString("hex"),
			words(7, 0, 2, 100005, 3, 1, 1, 28, 0, 3, 0x61626300, 0, 5, 1, 5, 0, 0, 9).toString("hex"),
		);
		assert.deepEqual(encodeCall(7, MNT, undefined, words()), words(7, 0, 2, 100005, 3, 1, 0, 0, 0, 0));
	});

	it("of a reply gives its results, or says why there are none", () => {
		assert.equal(decodeReply(words(7, 1, 0, 0, 0, 0, 42)).uint32(), 42);
		assert.equal(decodeReply(words(7, 1, 0, 1, 4, 99, 0, 42)).uint32(), 42);
		const refused = (status: string) => (error: unknown) => error instanceof RpcRefusal && error.status === status;
		assert.throws(() => decodeReply(words(7, 1, 0, 0, 0, 1)), refused("PROG_UNAVAIL"));
		assert.throws(() => decodeReply(words(7, 1, 1, 1, 5)), refused("AUTH_TOOWEAK"));
		assert.throws(() => decodeReply(words(7, 1, 1, 0, 2, 2)), refused("RPC_MISMATCH"));
		assert.throws(() => decodeReply(words(7, 0, 2)), ProtocolError);
		assert.throws(() => decodeReply(words(7, 1, 0, 0, 4000)), ProtocolError);
	});

	it("on TCP is found however the stream is cut", () => {
		const message = fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes));
		fc.assert(
			fc.property(fc.array(message, { maxLength: 5 }), fc.integer({ min: 1, max: 20 }), (messages, step) => {
				const stream = Buffer.concat(messages.map(encodeRecord));
				const reader = new RecordReader();
				const found: Buffer[] = [];
				for (let at = 0; at < stream.length; at += step) found.push(...reader.push(stream.subarray(at, at + step)));
				assert.deepEqual(found, messages);
			}),
		);
	});

	it("on TCP that claims to be huge is refused before it is waited for", () => {
		assert.throws(() => new RecordReader().push(words(0xffffffff)), ProtocolError);
	});

	it("of any bytes is read or refused", () => {
		fc.assert(
			fc.property(fc.array(fc.oneof(fc.nat(6), fc.nat(0xffffffff)), { maxLength: 12 }), (values) => {
				try {
					decodeReply(words(...values));
				} catch (error) {
					assert.ok(error instanceof ProtocolError || error instanceof RpcRefusal, String(error));
				}
			}),
		);
	});
});

describe("XDR", () => {
	it("is the same when it has been written and read", () => {
		fc.assert(
			fc.property(
				fc.uint8Array({ maxLength: 30 }),
				fc.string(),
				fc.bigInt({ min: 0n, max: 2n ** 53n - 1n }),
				(bytes, text, size) => {
					const written = new XdrWriter().opaque(Buffer.from(bytes)).string(text).uint64(size).bytes();
					assert.equal(written.length % 4, 0);
					const reader = new XdrReader(written);
					assert.deepEqual(reader.opaque(30), Buffer.from(bytes));
					assert.equal(reader.string(1000), Buffer.from(text).toString());
					assert.equal(reader.size(), Number(size));
					reader.end();
				},
			),
		);
	});

	it("that is cut off, too long, or padded with something is refused", () => {
		assert.throws(() => new XdrReader(Buffer.alloc(3)).uint32(), ProtocolError);
		assert.throws(() => new XdrReader(words(5, 0)).opaque(10), ProtocolError);
		assert.throws(() => new XdrReader(words(0xffffffff)).opaque(64), /at most 64/);
		assert.throws(() => new XdrReader(words(1, 0x41000001)).opaque(10), /padding/);
		assert.throws(() => new XdrReader(words(2)).bool(), ProtocolError);
		assert.throws(() => new XdrReader(words(0xffffffff, 0)).size(), ProtocolError);
		assert.throws(() => new XdrReader(words(0)).end(), /4 bytes too many/);
	});
});
