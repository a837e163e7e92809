import assert from "node:assert/strict";
import { test } from "node:test";
import { classify, hasPiMacPrefix, serialOf } from "./classify.ts";
import { speakerOf } from "./fingerprint.ts";
import { type DhcpPacket, decodePacket } from "./packet.ts";
import {
	eepromDiscover,
	otherDiscover,
	PI_400_MAC,
	pcDiscover,
	pi3Discover,
	pi3RomDiscover,
	pi400Discover,
	pi400Request,
	routerOffer,
} from "./testing/frames.ts";

const text = (value: string): string => Buffer.from(value).toString("hex");
/** An option in hex. */
const option = (code: number, data: string): string => Buffer.of(code, data.length / 2).toString("hex") + data;
const PXE = option(60, text("PXEClient:Arch:00000:UNDI:002001"));
const ARCH_0 = option(93, "0000");

function generationOf(packet: DhcpPacket): string {
	const client = classify(packet);
	return client.kind === "pi" ? client.generation : `other: ${client.reason}`;
}

/** The packet with some options replaced; undefined takes one out. */
function altered(
	bytes: Buffer,
	changes: Record<number, Buffer | undefined>,
	fields: Partial<DhcpPacket> = {},
): DhcpPacket {
	const packet = decodePacket(bytes);
	const options = new Map(packet.options);
	for (const [code, data] of Object.entries(changes)) {
		if (data === undefined) options.delete(Number(code));
		else options.set(Number(code), data);
	}
	return { ...packet, ...fields, options };
}

test("each generation of firmware is told by what it sends", () => {
	assert.equal(generationOf(decodePacket(pi400Discover)), "eeprom");
	assert.equal(generationOf(decodePacket(pi400Request)), "eeprom");
	assert.equal(generationOf(decodePacket(pi3RomDiscover)), "mask-rom");
	assert.equal(generationOf(decodePacket(pi3Discover("b8:27:eb:6c:4c:16", "b66c4c16"))), "pi3");
	const pi5 = eepromDiscover("88:a2:9e:11:4e:cc", "35695052 7041d000 9e114ecc 798ff17b");
	assert.equal(generationOf(decodePacket(pi5)), "eeprom");
});

test("a Pi with a MAC prefix that nobody has heard of is a Pi", () => {
	const pi = eepromDiscover("02:00:00:11:4e:cc", "35695052 7041d000 00114ecc 798ff17b");
	assert.equal(generationOf(decodePacket(pi)), "eeprom");
});

test("serials come out of the GUID", () => {
	const serial = (bytes: Buffer): string | undefined => {
		const client = classify(decodePacket(bytes));
		return client.kind === "pi" ? serialOf(client) : "other";
	};
	assert.equal(serial(pi400Discover), "e0ff06da");
	assert.equal(serial(pi3Discover("b8:27:eb:07:bc:c6", "8b07bcc6")), "8b07bcc6");
	assert.equal(serial(pi3RomDiscover), undefined);
});

test("a Pi 4 that was told to send its serial four times is told by its list", () => {
	const guid = "da06ffe0".repeat(4);
	assert.equal(generationOf(decodePacket(eepromDiscover(PI_400_MAC, guid))), "eeprom");
});

test("a serial four times under another xid is believed when it fits the MAC address", () => {
	const bytes = pi3Discover("b8:27:eb:6c:4c:16", "b66c4c16");
	const otherList = { 55: Buffer.of(1, 3) };
	assert.equal(generationOf(altered(bytes, otherList, { xid: 1 })), "pi3");
	const strangeMac = { xid: 1, chaddr: Buffer.from("02005e005301", "hex") };
	assert.match(generationOf(altered(bytes, otherList, strangeMac)), /^other/);
});

test("the MAC prefix counts last, for a PXE client of unknown shape", () => {
	const strange = `${PXE}${ARCH_0}${option(55, "0103")}`;
	assert.equal(generationOf(otherDiscover(strange, "2c:cf:67:00:00:01")), "unknown");
	assert.match(generationOf(otherDiscover(strange)), /^other: a PXE client that is no Raspberry Pi/);
});

test("everybody else is left alone, and the reason is named", () => {
	const cases: [DhcpPacket, RegExp][] = [
		[pcDiscover, /no Raspberry Pi/],
		[decodePacket(routerOffer), /not a request/],
		[otherDiscover(""), /no vendor class/],
		[otherDiscover(option(60, text("HTTPClient:Arch:00016:UNDI:003001")) + option(93, "0010")), /not PXEClient/],
		[otherDiscover(PXE), /no client architecture/],
		[otherDiscover(`${PXE}${option(93, "00")}`), /architecture of 1 bytes/],
		[altered(pi400Discover, { 93: Buffer.of(0, 11) }), /0x000b/],
		[altered(pi400Discover, { 77: Buffer.from("iPXE") }), /iPXE/],
		[altered(pi400Discover, { 175: Buffer.of(1) }), /iPXE/],
		[altered(pi400Discover, { 60: undefined }), /no vendor class/],
		[altered(pi400Discover, {}, { chaddr: Buffer.alloc(8) }), /hardware address of 8 bytes/],
	];
	for (const [packet, reason] of cases) {
		const client = classify(packet);
		assert.equal(client.kind, "other");
		assert.match(client.reason, reason);
	}
});

test("MAC prefixes of 24, 28 and 36 bits", () => {
	for (const mac of ["B8:27:EB:00:00:00", "88:a2:9e:11:4e:cc", "f0:40:af:9f:00:00", "8c:1f:64:34:a0:01"]) {
		assert.equal(hasPiMacPrefix(mac), true, mac);
	}
	for (const mac of ["f0:40:af:80:00:00", "8c:1f:64:34:b0:01", "00:11:22:33:44:55"]) {
		assert.equal(hasPiMacPrefix(mac), false, mac);
	}
});

test("the speaker of each stage", () => {
	const cases: [DhcpPacket, string][] = [
		[decodePacket(pi400Discover), "firmware"],
		[otherDiscover(option(55, "0103060c0f111a28")), "kernel"],
		[otherDiscover(option(55, "0103060c0f111a282a")), "kernel"],
		[otherDiscover(option(60, text("Linux ipconfig")) + option(55, "0103060c0f111a1c287779")), "initramfs"],
		[otherDiscover(option(12, text("pi")) + option(61, "01dca632ecfc3c") + option(55, "0103060f")), "userland"],
		[otherDiscover(option(60, text("PXEClient:Arch:00011:UNDI:003000")) + option(93, "000b")), "uefi"],
		[otherDiscover(option(60, text("U-Boot.armv8")) + option(93, "0016")), "u-boot"],
		[otherDiscover(`${PXE}${ARCH_0}${option(77, text("iPXE"))}`), "ipxe"],
		[otherDiscover(option(55, "01")), "unknown"],
	];
	for (const [packet, speaker] of cases) assert.equal(speakerOf(packet), speaker);
});
