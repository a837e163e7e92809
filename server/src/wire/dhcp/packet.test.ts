import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { BugError, MalformedError } from "../../base/index.ts";
import { OptionCode } from "./constants.ts";
import { addressOption, type DhcpPacket, decodePacket, encodePacket, messageType, textOption } from "./packet.ts";
import {
	pi3Discover,
	pi3RomDiscover,
	pi400Discover,
	pi400ProxyOffer,
	pi400Request,
	routerOffer,
} from "./testing/frames.ts";

test("the captured messages have the lengths that they have on the wire", () => {
	assert.equal(pi400Discover.length, 322);
	assert.equal(pi3RomDiscover.length, 320);
	assert.equal(pi3Discover("b8:27:eb:6c:4c:16", "b66c4c16").length, 322);
	assert.equal(pi400Request.length, 309);
	assert.equal(pi400ProxyOffer.length, 314);
	assert.equal(routerOffer.length, 300);
});

test("every captured message is written as it was read", () => {
	for (const bytes of [pi400Discover, pi3RomDiscover, pi400Request, pi400ProxyOffer, routerOffer]) {
		assert.deepEqual(encodePacket(decodePacket(bytes)), bytes);
	}
});

test("the fields of a Pi 400's DISCOVER", () => {
	const packet = decodePacket(pi400Discover);
	assert.equal(packet.op, 1);
	assert.equal(packet.xid, 0xd0e3497c);
	assert.equal(packet.flags, 0);
	assert.equal(packet.chaddr.toString("hex"), "dca632ecfc3c");
	assert.equal(packet.yiaddr, "0.0.0.0");
	assert.equal(messageType(packet), 1);
	assert.deepEqual([...packet.options.keys()], [53, 55, 60, 93, 94, 97]);
	assert.equal(textOption(packet, OptionCode.VENDOR_CLASS), "PXEClient:Arch:00000:UNDI:002001");
});

test("the fields of a Pi 400's REQUEST", () => {
	const packet = decodePacket(pi400Request);
	assert.equal(messageType(packet), 3);
	assert.equal(addressOption(packet, OptionCode.REQUESTED_IP_ADDRESS), "192.168.2.40");
	assert.equal(addressOption(packet, OptionCode.SERVER_IDENTIFIER), "192.168.2.1");
	assert.equal(packet.options.has(OptionCode.PARAMETER_REQUEST_LIST), false);
});

test("a message is padded to 300 bytes", () => {
	const packet = { ...decodePacket(pi400Discover), options: new Map([[53, Buffer.of(1)]]) };
	const bytes = encodePacket(packet);
	assert.equal(bytes.length, 300);
	assert.deepEqual(decodePacket(bytes), packet);
});

/** A message out of a header that is known to be good and the given options field. */
function withOptions(options: number[], sname: number[] = [], file: number[] = []): Buffer {
	const bytes = Buffer.concat([pi400Discover.subarray(0, 240), Buffer.from(options)]);
	Buffer.from(sname).copy(bytes, 44);
	Buffer.from(file).copy(bytes, 108);
	return bytes;
}

test("an option in several pieces is one option (RFC 3396)", () => {
	const packet = decodePacket(withOptions([43, 2, 1, 2, 12, 1, 65, 43, 1, 3, 255]));
	assert.deepEqual(packet.options.get(43), Buffer.of(1, 2, 3));
	assert.deepEqual([...packet.options.keys()], [43, 12]);
});

test("an option of 600 bytes is written in three pieces", () => {
	const long = Buffer.alloc(600, 7);
	const bytes = encodePacket({ ...decodePacket(pi400Discover), options: new Map([[43, long]]) });
	assert.deepEqual([bytes[241], bytes[241 + 257], bytes[241 + 514]], [255, 255, 90]);
	assert.deepEqual(decodePacket(bytes).options.get(43), long);
});

test("overloaded fields are read as options, file before sname", () => {
	const packet = decodePacket(withOptions([52, 1, 3, 43, 1, 1, 255], [43, 1, 3, 255], [43, 1, 2, 255]));
	assert.deepEqual(packet.options.get(43), Buffer.of(1, 2, 3));
	assert.equal(packet.options.has(OptionCode.OVERLOAD), false);
	assert.deepEqual([packet.sname, packet.file], ["", ""]);
});

test("without overload sname and file are text", () => {
	const packet = decodePacket(withOptions([255], [...Buffer.from("boot\0junk")], [...Buffer.from("x")]));
	assert.deepEqual([packet.sname, packet.file], ["boot", "x"]);
});

test("an options field without END, and one with padding inside, are read", () => {
	assert.deepEqual(decodePacket(withOptions([0, 0, 53, 1, 1, 0])).options, new Map([[53, Buffer.of(1)]]));
});

test("what is behind END is not read", () => {
	assert.deepEqual(decodePacket(withOptions([255, 53, 99])).options.size, 0);
});

test("broken messages are refused, and the error says where", () => {
	const cases: [Buffer, RegExp][] = [
		[pi400Discover.subarray(0, 200), /file needs 128 bytes at offset 108, got 92/],
		[Buffer.alloc(0), /op needs 1 bytes/],
		[withOptions([60, 200, 1]), /option 60 in options needs 200 bytes at offset 2, got 1/],
		[withOptions([60]), /length of option 60/],
		[Buffer.from(pi400Discover).fill(0, 236, 240), /magic cookie/],
		[Buffer.from(pi400Discover).fill(17, 2, 3), /hlen is 17/],
	];
	for (const [bytes, message] of cases) {
		assert.throws(
			() => decodePacket(bytes),
			(error) => error instanceof MalformedError && message.test(error.message),
		);
	}
});

test("an option of the wrong length is refused where it is used", () => {
	assert.throws(() => messageType(decodePacket(withOptions([53, 2, 1, 1, 255]))), MalformedError);
	assert.throws(() => addressOption(decodePacket(withOptions([54, 3, 1, 2, 3, 255])), 54), MalformedError);
});

test("fields that do not fit are our bug", () => {
	const packet = decodePacket(pi400Discover);
	assert.throws(() => encodePacket({ ...packet, sname: "x".repeat(65) }), BugError);
	assert.throws(() => encodePacket({ ...packet, yiaddr: "1.2.3.256" }), BugError);
	assert.throws(() => encodePacket({ ...packet, chaddr: Buffer.alloc(17) }), BugError);
});

const address = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255)).map((parts) => parts.join("."));
const fieldText = (length: number) =>
	fc
		.uint8Array({ maxLength: length })
		.map((bytes) => Buffer.from(bytes.filter((byte) => byte !== 0)).toString("latin1"));
const optionCode = fc.integer({ min: 1, max: 254 }).filter((code) => code !== OptionCode.OVERLOAD);
const optionData = fc.uint8Array({ maxLength: 700 }).map((bytes) => Buffer.from(bytes));
const anyPacket: fc.Arbitrary<DhcpPacket> = fc.record(
	{
		op: fc.nat(255),
		htype: fc.nat(255),
		hops: fc.nat(255),
		xid: fc.nat(0xffffffff),
		secs: fc.nat(0xffff),
		flags: fc.nat(0xffff),
		ciaddr: address,
		yiaddr: address,
		siaddr: address,
		giaddr: address,
		chaddr: fc.uint8Array({ maxLength: 16 }).map((bytes) => Buffer.from(bytes)),
		sname: fieldText(64),
		file: fieldText(128),
		options: fc.array(fc.tuple(optionCode, optionData), { maxLength: 8 }).map((entries) => new Map(entries)),
	},
	{ noNullPrototype: true },
);

test("what is written is read back", () => {
	fc.assert(fc.property(anyPacket, (packet) => assert.deepEqual(decodePacket(encodePacket(packet)), packet)));
});

test("no bytes do anything else than be read or be refused", () => {
	const mutated = fc
		.tuple(fc.array(fc.tuple(fc.nat(340), fc.nat(255)), { maxLength: 12 }), fc.nat(340))
		.map(([changes, length]) => {
			const bytes = Buffer.concat([pi400Discover, Buffer.alloc(18)]);
			for (const [at, value] of changes) bytes[at] = value;
			return bytes.subarray(0, length);
		});
	const hostile = fc.oneof(
		mutated,
		fc.uint8Array({ maxLength: 700 }),
		optionData.map((data) => withOptions([...data])),
	);
	fc.assert(
		fc.property(hostile, (bytes) => {
			try {
				decodePacket(bytes);
			} catch (error) {
				assert.ok(error instanceof MalformedError, String(error));
			}
		}),
		{ numRuns: 2000 },
	);
});
