import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { classify } from "./classify.ts";
import { FLAG_BROADCAST, MessageType, OptionCode } from "./constants.ts";
import { informReply, type LeaseTerms, leaseReply, nakReply } from "./full.ts";
import { type DhcpPacket, decodePacket, encodePacket } from "./packet.ts";
import { requestState } from "./request-state.ts";
import { otherDiscover, pi3RomDiscover, pi400Discover, pi400Request } from "./testing/frames.ts";

const TERMS: LeaseTerms = {
	serverAddress: "192.0.2.1",
	netmask: "255.255.255.0",
	router: "192.0.2.254",
	dns: ["192.0.2.254", "198.51.100.9"],
	leaseSeconds: 3600,
	hostName: "bench-3",
};

function pi(bytes: Buffer): { packet: DhcpPacket; terms: LeaseTerms } {
	const packet = decodePacket(bytes);
	const boot = classify(packet);
	return boot.kind === "pi" ? { packet, terms: { ...TERMS, boot } } : assert.fail("it is a Pi");
}

describe("the OFFER to a Pi's firmware", () => {
	test("has the options in the order in which every generation finds them", () => {
		const { packet, terms } = pi(pi400Discover);
		const offer = decodePacket(encodePacket(leaseReply(packet, MessageType.OFFER, "192.0.2.107", terms)));
		assert.deepEqual([...offer.options.keys()], [53, 54, 51, 58, 59, 1, 28, 3, 6, 60, 97, 43, 66]);
		assert.deepEqual([offer.yiaddr, offer.siaddr, offer.flags], ["192.0.2.107", "192.0.2.1", FLAG_BROADCAST]);
		assert.equal(offer.options.get(OptionCode.TFTP_SERVER_NAME)?.toString(), "192.0.2.1");
		assert.deepEqual(offer.options.get(97), packet.options.get(97));
		const times = [51, 58, 59].map((code) => offer.options.get(code)?.readUInt32BE(0));
		assert.deepEqual(times, [3600, 1800, 3150]);
		assert.equal(offer.options.get(OptionCode.BROADCAST_ADDRESS)?.join("."), "192.0.2.255");
	});

	test("is at least 300 bytes, and has the longer menu for the ROM of a 3B", () => {
		const { packet, terms } = pi(pi3RomDiscover);
		const bytes = encodePacket(leaseReply(packet, MessageType.OFFER, "192.0.2.107", { ...terms, dns: [] }));
		assert.ok(bytes.length >= 300);
		assert.ok(bytes.includes("Raspberry Pi Boot   "));
	});
});

describe("the answer to anybody else", () => {
	test("says nothing of booting, and the host name to who asks for it", () => {
		const ack = leaseReply(otherDiscover("3703 01030c"), MessageType.ACK, "192.0.2.107", TERMS);
		assert.deepEqual([...ack.options.keys()], [53, 54, 51, 58, 59, 1, 28, 3, 6, 12]);
		assert.deepEqual([ack.siaddr, ack.flags], ["0.0.0.0", 0]);
		const short = leaseReply(otherDiscover("3702 0103"), MessageType.ACK, "192.0.2.107", {
			...TERMS,
			router: undefined,
			dns: [],
		});
		assert.deepEqual([...short.options.keys()], [53, 54, 51, 58, 59, 1, 28]);
	});

	test("gives back the client's identifier, and the relay's information as the last option", () => {
		const reply = leaseReply(otherDiscover("5204 01020304 3d03 010203"), MessageType.OFFER, "192.0.2.107", TERMS);
		assert.deepEqual([...reply.options.keys()].slice(-2), [61, 82]);
		assert.equal(reply.options.get(82)?.toString("hex"), "01020304");
	});

	test("to an INFORM has neither an address nor a time", () => {
		const packet = { ...otherDiscover("3701 01"), ciaddr: "192.0.2.50" };
		const ack = informReply(packet, TERMS);
		assert.deepEqual([ack.yiaddr, ack.ciaddr], ["0.0.0.0", "192.0.2.50"]);
		assert.deepEqual([...ack.options.keys()], [53, 54, 1, 28, 3, 6]);
	});

	test("that is a NAK is broadcast by a relay, too", () => {
		const nak = nakReply({ ...otherDiscover(""), giaddr: "198.51.100.1" }, "192.0.2.1", "not yours");
		assert.deepEqual([...nak.options.keys()], [53, 54, 56]);
		assert.deepEqual([nak.flags, nak.giaddr, nak.yiaddr], [FLAG_BROADCAST, "198.51.100.1", "0.0.0.0"]);
	});

	test("is never longer than the client takes", () => {
		const bytes = fc.uint8Array({ maxLength: 300 });
		fc.assert(
			fc.property(bytes, bytes, fc.integer({ min: 0, max: 1472 }), (id, relay, size) => {
				const packet = otherDiscover("3701 0c");
				const most = Buffer.of(size >> 8, size & 255);
				const options = new Map([...packet.options, [61, Buffer.from(id)], [82, Buffer.from(relay)], [57, most]]);
				const encoded = encodePacket(leaseReply({ ...packet, options }, MessageType.ACK, "192.0.2.107", TERMS));
				assert.ok(encoded.length + 28 <= Math.max(576, size));
				decodePacket(encoded);
			}),
		);
	});
});

describe("a REQUEST", () => {
	const request = (options: string, fields: Partial<DhcpPacket> = {}) => {
		const packet = otherDiscover(options);
		return requestState({ ...packet, options: new Map([...packet.options, [53, Buffer.of(3)]]), ...fields });
	};

	test("says by its fields what it wants", () => {
		assert.deepEqual(requestState(decodePacket(pi400Request)), {
			kind: "selecting",
			server: "192.168.2.1",
			address: "192.168.2.40",
		});
		assert.deepEqual(request("3204 c0000207"), { kind: "init-reboot", address: "192.0.2.7" });
		assert.deepEqual(request("", { ciaddr: "192.0.2.7" }), { kind: "extending", address: "192.0.2.7" });
		assert.equal(request(""), undefined);
		assert.equal(request("3604 c0000201"), undefined);
	});

	test("with an address of another length is malformed", () => {
		assert.throws(() => request("3203 c00002"), { code: "malformed-dhcp" });
	});
});
