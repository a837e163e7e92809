/** Conversations with the DHCP server that gives out addresses: several messages, of several clients, one after the other. */
import assert from "node:assert/strict";
import { DummyDriver, Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from "kysely";
import { ManualClock, silentLogger } from "../../../server/src/base/index.ts";
import { FullDhcp } from "../../../server/src/boot/leases/full-dhcp.ts";
import { LeaseKeeper } from "../../../server/src/boot/leases/lease-keeper.ts";
import type { DhcpSubnet } from "../../../server/src/boot/leases/settings.ts";
import { LeaseRepository } from "../../../server/src/store/leases.ts";
import type { Tables } from "../../../server/src/store/tables.ts";
import {
	classify,
	decodePacket,
	encodePacket,
	ipv4ToBytes,
	ipv4ToNumber,
	MessageType,
	macFromBytes,
	messageType,
	OptionCode,
} from "../../../server/src/wire/dhcp/index.ts";
import * as frames from "../../../server/src/wire/dhcp/testing/frames.ts";
import { refusal } from "../outcome.ts";
import type { Random } from "../random.ts";
import type { FuzzTarget } from "../target.ts";
import { mutateDhcp } from "./dhcp.ts";

const SUBNET: DhcpSubnet = {
	serverAddress: "192.0.2.1",
	interface: "eth0",
	netmask: "255.255.255.0",
	start: "192.0.2.100",
	end: "192.0.2.103",
	router: "192.0.2.254",
	dns: ["192.0.2.254"],
};
const RELAYED: DhcpSubnet = { ...SUBNET, interface: undefined, start: "198.51.100.10", end: "198.51.100.12" };
const SETTINGS = { subnets: [SUBNET, RELAYED], leaseSeconds: 3600, serveEverybody: true };

/** What is stored goes nowhere: a run shall not see what another one left. */
const rows = new LeaseRepository(
	new Kysely<Tables>({
		dialect: {
			createAdapter: () => new SqliteAdapter(),
			createDriver: () => new DummyDriver(),
			createIntrospector: (db) => new SqliteIntrospector(db),
			createQueryCompiler: () => new SqliteQueryCompiler(),
		},
	}),
);

function cut(input: Buffer): Buffer[] {
	const messages: Buffer[] = [];
	for (let at = 0; at + 2 <= input.length && messages.length < 12; ) {
		const length = input.readUInt16BE(at);
		messages.push(input.subarray(at + 2, at + 2 + length));
		at += 2 + length;
	}
	return messages;
}

/** Each message behind its length in two bytes. */
function join(messages: readonly Buffer[]): Buffer {
	return Buffer.concat(messages.flatMap((message) => [Buffer.of(message.length >> 8, message.length & 0xff), message]));
}

function mutate(random: Random, input: Buffer, other: Buffer): Buffer {
	const messages = cut(input);
	const others = cut(other);
	if (messages.length === 0 || others.length === 0) return join([frames.pi400Discover]);
	const at = random.below(messages.length);
	const message = random.pick(messages);
	if (random.oneIn(4)) messages.splice(at, 0, random.pick(others));
	else if (random.oneIn(5) && messages.length > 1) messages.splice(at, 1);
	else messages[at] = mutateDhcp(random, message, random.pick(others));
	return join(messages.slice(0, 10));
}

const ADDRESSES = ["192.0.2.100", "192.0.2.103", "192.0.2.1", "192.0.2.255", "10.0.0.1", "198.51.100.10", "0.0.0.0"];

/** A client from DISCOVER to RELEASE, as the standard has it. */
function life(mac: string): Buffer[] {
	const types = [
		MessageType.DISCOVER,
		MessageType.REQUEST,
		MessageType.REQUEST,
		MessageType.DECLINE,
		MessageType.RELEASE,
	];
	return types.map((type, index) => {
		const packet = frames.otherDiscover("3708010306 0c0f11 1a28", mac);
		const options = new Map([...packet.options, [OptionCode.MESSAGE_TYPE, Buffer.of(type)]]);
		if (index === 1) options.set(OptionCode.SERVER_IDENTIFIER, ipv4ToBytes(SUBNET.serverAddress));
		if (index === 1 || index === 3) options.set(OptionCode.REQUESTED_IP_ADDRESS, ipv4ToBytes("192.0.2.100"));
		return encodePacket({ ...packet, options, ciaddr: index === 2 || index === 4 ? "192.0.2.100" : "0.0.0.0" });
	});
}

export const dhcpLeases: FuzzTarget = {
	name: "dhcp-leases",
	mutate,
	words: ADDRESSES.map((address) => ipv4ToBytes(address)),
	seeds: () => [
		join(life("02:00:5e:00:53:01")),
		join([
			frames.pi400Discover,
			frames.pi400Request,
			frames.pi3RomDiscover,
			frames.pi3Discover("b8:27:eb:12:34:56", "00123456"),
		]),
		join([1, 2, 3, 4, 5, 6].map((last) => life(`02:00:5e:00:53:0${last}`)[0] ?? Buffer.alloc(0))),
	],
	async run(input) {
		const clock = new ManualClock();
		const refused: string[] = [];
		const keeper = new LeaseKeeper({
			rows,
			clock,
			log: silentLogger,
			findHolder: async () => undefined,
			isForeign: () => false,
			hasBooted: () => false,
			exhausted: () => void refused.push("refused"),
		});
		const parts = {
			keeper,
			clock,
			log: silentLogger,
			tellNeighbour: async () => "told" as const,
			given: () => undefined,
			otherServer: () => undefined,
		};
		const dhcp = new FullDhcp(parts, SETTINGS);
		const seen = new Set<string>();
		for (const message of cut(input)) {
			try {
				const packet = decodePacket(message);
				const client = classify(packet);
				const asker = { mac: macFromBytes(packet.chaddr), boot: client.kind === "pi" ? client : undefined };
				const replies = await dhcp.answer(packet, { address: "0.0.0.0", port: 68, servedAddress: undefined }, asker);
				for (const { packet: make } of replies) {
					const reply = make(SUBNET.serverAddress);
					if (reply === undefined) continue;
					seen.add(`${messageType(packet)} -> ${messageType(decodePacket(encodePacket(reply)))}`);
					assert.ok(reply.yiaddr === "0.0.0.0" || isOurs(reply.yiaddr), reply.yiaddr);
				}
			} catch (error) {
				seen.add(refusal(error));
			}
		}
		await keeper.settle();
		const given = keeper.list();
		assert.equal(new Set(given.map(({ address }) => address)).size, given.length, "an address was given twice");
		for (const { address } of given) assert.ok(isOurs(address), `${address} is in no range`);
		seen.add(`${given.length} given, ${refused.length > 0}`);
		return [...seen].join("\n");
	},
};

function isOurs(address: string): boolean {
	const number = ipv4ToNumber(address);
	return [SUBNET, RELAYED].some(({ start, end }) => number >= ipv4ToNumber(start) && number <= ipv4ToNumber(end));
}
