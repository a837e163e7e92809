/** DHCP messages: the codec, and everything that decides about a message or tells of it. */
import assert from "node:assert/strict";
import {
	classify,
	type DhcpPacket,
	decideProxy,
	decodePacket,
	encodePacket,
	informReply,
	type LeaseTerms,
	lanProbe,
	leaseReply,
	MessageType,
	messageType,
	nakReply,
	proxyOffer,
	readLanOffer,
	requestState,
	serialOf,
	summarisePacket,
} from "../../../server/src/wire/dhcp/index.ts";
import * as frames from "../../../server/src/wire/dhcp/testing/frames.ts";
import { mutateBytes, number } from "../mutate.ts";
import { attempt } from "../outcome.ts";
import type { Random } from "../random.ts";
import type { FuzzTarget } from "../target.ts";

const OPTIONS_AT = 240;
const OVERLOAD = 52;
const CODES = [0, 1, 3, 6, 12, 43, 50, 51, 52, 53, 54, 55, 57, 60, 61, 66, 67, 77, 82, 93, 94, 97, 121, 175, 255];

/** An option with the length that stands before it, which need not be the true one. */
interface RawOption {
	readonly code: number;
	readonly length: number;
	readonly data: Buffer;
}

function split(bytes: Buffer): RawOption[] {
	const options: RawOption[] = [];
	for (let at = OPTIONS_AT; at + 1 < bytes.length && bytes[at] !== 255; ) {
		const length = bytes.readUInt8(at + 1);
		options.push({ code: bytes.readUInt8(at), length, data: bytes.subarray(at + 2, at + 2 + length) });
		at += 2 + length;
	}
	return options;
}

function join(head: Buffer, options: readonly RawOption[]): Buffer {
	const pieces = options.map(({ code, length, data }) => Buffer.concat([Buffer.of(code, length & 0xff), data]));
	return Buffer.concat([head, ...pieces, Buffer.of(255)]);
}

function changed(random: Random, option: RawOption, other: RawOption): RawOption {
	switch (random.below(6)) {
		case 0:
			return { ...option, length: number(random) & 0xff };
		case 1:
			return { ...option, code: random.pick(CODES) };
		case 2:
			return { ...option, data: other.data, length: other.data.length };
		case 3: {
			const data = mutateBytes(random, option.data, other.data, { words: [], longest: 255 });
			return { ...option, data, length: data.length };
		}
		case 4:
			return { code: OVERLOAD, length: 1, data: Buffer.of(random.below(5)) };
		default:
			return { ...option, data: Buffer.alloc(0), length: 0 };
	}
}

/** Works on options, with lengths that need not be true. */
export function mutateDhcp(random: Random, input: Buffer, other: Buffer): Buffer {
	const options = split(input);
	const others = split(other);
	if (options.length === 0 || others.length === 0)
		return mutateBytes(random, input, other, { words: [], longest: 1500 });
	const head = Buffer.from(input.subarray(0, OPTIONS_AT));
	for (let count = random.below(3); count >= 0; count--) {
		const at = random.below(options.length);
		const choice = random.below(5);
		if (choice === 0 && options.length > 1) options.splice(at, 1);
		else if (choice === 1) options.splice(random.below(options.length + 1), 0, random.pick(options));
		else if (choice === 2) options.splice(at, 0, random.pick(others));
		else if (choice === 3) head[random.below(head.length)] = number(random) & 0xff;
		else options[at] = changed(random, random.pick(options), random.pick(others));
	}
	return join(head, options);
}

const probe = lanProbe();

const TERMS: LeaseTerms = {
	serverAddress: "192.0.2.2",
	netmask: "255.255.255.0",
	router: "192.0.2.1",
	dns: ["192.0.2.1"],
	leaseSeconds: 3600,
	hostName: "pi",
};

function gave(packet: DhcpPacket, terms: LeaseTerms): DhcpPacket {
	return leaseReply(packet, MessageType.ACK, "192.0.2.100", terms);
}

export const dhcp: FuzzTarget = {
	name: "dhcp",
	longest: 2000,
	mutate: mutateDhcp,
	seeds: () => [
		frames.pi400Discover,
		frames.pi400Request,
		frames.pi400ProxyOffer,
		frames.routerOffer,
		frames.pi3RomDiscover,
		frames.pi3Discover("b8:27:eb:12:34:56", "00123456"),
		encodePacket(frames.pcDiscover),
		encodePacket(probe),
	],
	run(input) {
		const packet = decodePacket(input);
		const seen = new Set<string>();
		const client = classify(packet);
		seen.add(
			`${client.kind} ${client.kind === "pi" ? client.guid.kind : ""} ${client.reason.replace(/[0-9a-f:]{6,}|\d+/g, "#")}`,
		);
		if (client.kind === "pi") seen.add(`serial ${serialOf(client) !== undefined}`);
		attempt(seen, () => seen.add(`type ${messageType(packet)}`));
		attempt(seen, () =>
			seen.add(`offer ${readLanOffer({ ...packet, xid: probe.xid, chaddr: probe.chaddr }, probe)?.isBootServer}`),
		);
		const decision = attempt(seen, () => decideProxy(packet));
		if (decision?.kind === "answer") decodePacket(encodePacket(proxyOffer(packet, decision.client, "192.0.2.2")));
		attempt(seen, () => seen.add(`request ${requestState(packet)?.kind}`));
		for (const make of [informReply, gave]) {
			const reply = attempt(seen, () => make(packet, TERMS));
			if (reply !== undefined) assert.ok(encodePacket(reply).length <= 2 * 65_536);
		}
		attempt(seen, () => encodePacket(nakReply(packet, "192.0.2.2", "no")));
		assert.match(summarisePacket(packet), /^[\x20-\x7e]+$/);
		// What was decoded, written and decoded again is the same, but for pieces that are put together and empty fields.
		const again = decodePacket(encodePacket(packet));
		assert.deepEqual(again.options, packet.options);
		assert.equal(again.file, packet.file);
		return [...seen].join("\n");
	},
};
