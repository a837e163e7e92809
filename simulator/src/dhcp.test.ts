import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { addressOf, Code, decodeDhcp, encodeDhcp, MessageType, messageType, optionOf, request } from "./dhcp.ts";
import { ProtocolError } from "./errors.ts";

/** A frame's BOOTP part: fixed fields, then the options as hex. */
function bytes(fields: Partial<Record<number, number[]>>, options: string): Buffer {
	const header = Buffer.alloc(240);
	header.set([1, 1, 6, 0]);
	header.set([0x63, 0x82, 0x53, 0x63], 236);
	for (const [at, values = []] of Object.entries(fields)) header.set(values, Number(at));
	return Buffer.concat([header, Buffer.from(options.replaceAll(" ", ""), "hex")]);
}

describe("a DHCP message", () => {
	it("of a dnsmasq proxy is read as it was captured", () => {
		const offer = bytes(
			{ 0: [2], 4: [0xd0, 0xe3, 0x49, 0x7c], 10: [0x80, 0], 28: [0xdc, 0xa6, 0x32, 0xec, 0xfc, 0x3c] },
			"3501023604c0a802343c09505845436c69656e74611100525069343031c00032ecfc3cda06ffe0" +
				"2b200601030a0400505845091400001152617370626572727920506920426f6f74ffff",
		);
		assert.equal(offer.length, 314);
		const message = decodeDhcp(offer);
		assert.equal(message.xid, 0xd0e3497c);
		assert.equal(message.flags, 0x8000);
		assert.equal(messageType(message), MessageType.OFFER);
		assert.equal(addressOf(message, Code.SERVER_IDENTIFIER), "192.168.2.52");
		assert.equal(optionOf(message, Code.VENDOR_SPECIFIC)?.length, 32);
		assert.deepEqual(
			message.options.map(({ code }) => code),
			[53, 54, 60, 97, 43],
		);
	});

	it("of a home router is read, with the zeros behind its end", () => {
		const offer = bytes(
			{ 0: [2], 16: [192, 168, 2, 17], 20: [192, 168, 2, 1] },
			"3501023604c0a80201330400001c203a0400000e103b040000189c0104ffffff001c04c0a802ff0304c0a80201ff00000000",
		);
		const message = decodeDhcp(offer);
		assert.equal(message.yiaddr, "192.168.2.17");
		assert.equal(message.siaddr, "192.168.2.1");
		assert.equal(addressOf(message, Code.SUBNET_MASK), "255.255.255.0");
		assert.equal(addressOf(message, Code.ROUTER), "192.168.2.1");
	});

	it("keeps a split option together and pads are no options", () => {
		const message = decodeDhcp(bytes({ 0: [2] }, "00 2b 02 0102 00 2b 01 03 ff"));
		assert.deepEqual(optionOf(message, 43), Buffer.from([1, 2, 3]));
	});

	it("is refused when it is cut off, no DHCP, or not of Ethernet", () => {
		assert.throws(() => decodeDhcp(Buffer.alloc(239)), ProtocolError);
		assert.throws(() => decodeDhcp(Buffer.alloc(300)), ProtocolError);
		assert.throws(() => decodeDhcp(bytes({ 236: [0] }, "ff")), /magic cookie/);
		assert.throws(() => decodeDhcp(bytes({}, "3505")), /option 53 at byte 240/);
		assert.throws(() => decodeDhcp(bytes({}, "35")), ProtocolError);
	});

	it("is the same when it has been encoded and decoded", () => {
		const option = fc.record(
			{
				code: fc.integer({ min: 1, max: 254 }),
				data: fc.uint8Array({ maxLength: 255 }).map((data) => Buffer.from(data)),
			},
			{ noNullPrototype: true },
		);
		const address = fc.ipV4();
		const uint32 = fc.integer({ min: 0, max: 0xffffffff });
		fc.assert(
			fc.property(fc.array(option, { maxLength: 8 }), uint32, address, address, (options, xid, yiaddr, siaddr) => {
				const message = request({ xid, yiaddr, siaddr, chaddr: Buffer.from([2, 3, 4, 5, 6, 7]), options });
				assert.deepEqual(decodeDhcp(encodeDhcp(message, 300)), message);
			}),
		);
	});

	it("of any bytes is read or refused", () => {
		const valid = bytes({ 0: [2] }, "3501023604c0a802343c09505845436c69656e74ff");
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(260), (noise, at) => {
				const broken = Buffer.concat([valid, Buffer.alloc(60)]);
				broken.set(noise, Math.min(at, broken.length - noise.length));
				try {
					decodeDhcp(broken);
				} catch (error) {
					assert.ok(error instanceof ProtocolError, String(error));
				}
			}),
		);
	});
});
