import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { pino } from "pino";
import type { DhcpReply, DhcpSender } from "../../net/index.ts";
import {
	type DhcpPacket,
	decodePacket,
	ipv4ToBytes,
	MessageType,
	messageType,
	OptionCode,
} from "../../wire/dhcp/index.ts";
import {
	eepromDiscover,
	otherDiscover,
	PI_400_GUID,
	PI_400_MAC,
	pcDiscover,
	pi3Discover,
	pi3RomDiscover,
	pi400Discover,
} from "../../wire/dhcp/testing/frames.ts";
import { Site } from "../testing/site.ts";
import type { DhcpSettings, DhcpSubnet } from "./settings.ts";

const SERVER = "192.0.2.1";
const LAN: DhcpSender = { address: "0.0.0.0", port: 68, servedAddress: undefined };
const DIRECT: DhcpSender = { address: "192.0.2.107", port: 68, servedAddress: SERVER };
const SUBNET: DhcpSubnet = {
	serverAddress: SERVER,
	interface: "eth0",
	netmask: "255.255.255.0",
	start: "192.0.2.100",
	end: "192.0.2.109",
	router: "192.0.2.254",
	dns: [],
};
const SETTINGS: DhcpSettings = { subnets: [SUBNET], leaseSeconds: 3600, serveEverybody: false };
const KERNEL_LIST = "3708 010306 0c0f11 1a28";

/** A message as a system sends it. */
function message(type: number, mac: string, options: Readonly<Record<number, string>> = {}, fields = {}): DhcpPacket {
	const packet = otherDiscover(KERNEL_LIST, mac);
	const more = Object.entries(options).map(([code, address]) => [Number(code), ipv4ToBytes(address)] as const);
	return { ...packet, options: new Map([...packet.options, [53, Buffer.of(type)], ...more]), ...fields };
}

interface Answer {
	readonly type: number | undefined;
	readonly packet: DhcpPacket;
	readonly delay: number;
	readonly to: string | undefined;
}

/** What is sent from an address of ours. */
function sent(replies: readonly DhcpReply[], own = SERVER): Answer[] {
	return replies.flatMap(({ delay, packet: make, to }) => {
		const packet = make(own);
		return packet === undefined ? [] : [{ type: messageType(packet), packet, delay, to }];
	});
}

async function ask(site: Site, packet: DhcpPacket | Buffer, sender = LAN): Promise<Answer[]> {
	const message = Buffer.isBuffer(packet) ? decodePacket(packet) : packet;
	return sent(await site.dhcp.handle(message, sender));
}

/** The only answer, in short. */
async function told(
	site: Site,
	packet: DhcpPacket | Buffer,
	sender = LAN,
): Promise<[number | undefined, string] | undefined> {
	const [answer, ...more] = await ask(site, packet, sender);
	assert.deepEqual(more, []);
	return answer === undefined ? undefined : [answer.type, answer.packet.yiaddr];
}

async function open(settings = SETTINGS, log?: pino.Logger): Promise<Site> {
	const site = await Site.open({}, log);
	site.dhcp.configure(settings);
	return site;
}

/** The firmware of the Pi 400 gets its lease. */
async function boot(site: Site): Promise<string> {
	const [offer] = await ask(site, pi400Discover);
	const address = offer?.packet.yiaddr ?? assert.fail("no OFFER");
	const request = { [OptionCode.REQUESTED_IP_ADDRESS]: address, [OptionCode.SERVER_IDENTIFIER]: SERVER };
	const [ack] = await ask(site, message(MessageType.REQUEST, PI_400_MAC, request));
	assert.deepEqual([ack?.type, ack?.packet.yiaddr], [MessageType.ACK, address]);
	return address;
}

describe("one address for all stages of a boot", () => {
	test("firmware, kernel and system get the same, also after a restart of the server", async () => {
		await using site = await open();
		const address = await boot(site);
		assert.match(address, /^192\.0\.2\.10\d$/);
		assert.deepEqual(await told(site, message(MessageType.DISCOVER, PI_400_MAC)), [MessageType.OFFER, address]);
		await site.restart();
		site.dhcp.configure(SETTINGS);
		const withId = message(MessageType.DISCOVER, PI_400_MAC);
		const options = new Map([...withId.options, [61, Buffer.from("ff12345678abcdef", "hex")]]);
		const [offer] = await ask(site, { ...withId, options });
		assert.deepEqual([offer?.packet.yiaddr, offer?.packet.options.has(43)], [address, false]);
		assert.equal(offer?.packet.options.get(61)?.toString("hex"), "ff12345678abcdef");
		assert.equal(site.registry.deviceAt(address)?.mac, PI_400_MAC);
	});

	test("a Pi 3 takes an OFFER without a word, so that is its lease", async () => {
		await using site = await open();
		const mac = "b8:27:eb:12:34:56";
		const [offer] = await ask(site, pi3Discover(mac, "1a123456"));
		const address = offer?.packet.yiaddr ?? assert.fail("no OFFER");
		assert.equal(site.registry.deviceAt(address)?.mac, mac);
		assert.deepEqual(
			site.dhcp.leases().map(({ state }) => state),
			["offered"],
		);
		await site.restart();
		site.dhcp.configure(SETTINGS);
		assert.deepEqual(
			site.dhcp.leases().map((lease) => [lease.address, lease.mac]),
			[[address, mac]],
		);
		assert.deepEqual(await told(site, message(MessageType.DISCOVER, mac)), [MessageType.OFFER, address]);
		const words = { [OptionCode.REQUESTED_IP_ADDRESS]: address, [OptionCode.SERVER_IDENTIFIER]: SERVER };
		assert.deepEqual(await told(site, message(MessageType.REQUEST, mac, words)), [MessageType.ACK, address]);
		assert.deepEqual(
			site.dhcp.leases().map(({ state }) => state),
			["leased"],
		);
	});

	test("a plain OFFER is not stored, and gives way to others when nobody takes it", async () => {
		await using site = await open();
		await ask(site, pi400Discover);
		await site.restart();
		assert.deepEqual(site.dhcp.leases(), []);
	});
});

describe("who is served", () => {
	test("by default nobody but Raspberry Pis", async () => {
		await using site = await open();
		const stranger = "02:00:5e:00:53:01";
		assert.equal(await told(site, message(MessageType.DISCOVER, stranger)), undefined);
		assert.equal(await told(site, pcDiscover), undefined);
		assert.equal((await told(site, message(MessageType.DISCOVER, "dc:a6:32:00:00:01")))?.[0], MessageType.OFFER);
		site.dhcp.configure({ ...SETTINGS, serveEverybody: true });
		assert.equal((await told(site, message(MessageType.DISCOVER, stranger)))?.[0], MessageType.OFFER);
		const [offer] = await ask(site, pcDiscover);
		assert.deepEqual([offer?.packet.options.has(60), offer?.packet.siaddr], [false, "0.0.0.0"]);
	});

	test("the firmware of a Pi that boots from its disk is not, its system is", async () => {
		await using site = await open();
		await ask(site, pi400Discover);
		const device = site.registry.byMac(PI_400_MAC) ?? assert.fail("no device");
		await site.registry.patch(device.id, { intent: "disk" });
		assert.equal(await told(site, pi400Discover), undefined);
		assert.equal((await told(site, message(MessageType.DISCOVER, PI_400_MAC)))?.[0], MessageType.OFFER);
	});

	test("on the interfaces that are a proxy's, as a proxy", async () => {
		await using site = await open();
		const replies = await site.dhcp.handle(decodePacket(pi400Discover), LAN);
		assert.equal(sent(replies)[0]?.packet.options.has(OptionCode.LEASE_TIME), true);
		const [proxied, ...more] = sent(replies, "198.51.100.1");
		assert.deepEqual([proxied?.packet.yiaddr, more.length], ["0.0.0.0", 0]);
		const loopback = await site.dhcp.handle(decodePacket(pi400Discover), { ...LAN, address: "127.0.0.5" });
		assert.equal(sent(loopback, "127.0.0.1")[0]?.packet.yiaddr, "0.0.0.0");
	});
});

describe("a REQUEST", () => {
	const asking = (address: string) =>
		message(MessageType.REQUEST, PI_400_MAC, { [OptionCode.REQUESTED_IP_ADDRESS]: address });
	const having = (ciaddr: string) => message(MessageType.REQUEST, PI_400_MAC, {}, { ciaddr });
	const selecting = (address: string, server: string) =>
		message(MessageType.REQUEST, PI_400_MAC, {
			[OptionCode.REQUESTED_IP_ADDRESS]: address,
			[OptionCode.SERVER_IDENTIFIER]: server,
		});

	test("that selects another server withdraws the offer, and that is said", async () => {
		const lines: string[] = [];
		const log = pino({ level: "warn" }, { write: (line: string) => void lines.push(JSON.parse(line).msg) });
		await using site = await open(SETTINGS, log);
		await ask(site, pi400Discover);
		assert.equal(await told(site, selecting("192.0.2.20", "192.0.2.254")), undefined);
		assert.ok(site.dhcp.leases().every(({ expiresAt }) => expiresAt <= site.clock.now()));
		assert.match(lines[0] ?? "", /takes an address from the DHCP server 192\.0\.2\.254/);
		// On another interface, where we are a proxy.
		assert.equal(await told(site, selecting("198.51.100.20", "198.51.100.254")), undefined);
		assert.equal(lines.length, 1);
	});

	test("after a restart is granted or refused: the client's own, somebody else's, another network's", async () => {
		await using site = await open();
		const address = await boot(site);
		assert.deepEqual(await told(site, asking(address)), [MessageType.ACK, address]);
		assert.deepEqual(await told(site, asking("192.0.2.109")), [MessageType.NAK, "0.0.0.0"]);
		assert.deepEqual(await told(site, asking("198.51.100.7")), [MessageType.NAK, "0.0.0.0"]);
		const [nak] = await ask(site, asking("198.51.100.7"));
		assert.equal(nak?.to, "255.255.255.255");
	});

	test("after a restart of a client that we have no record of is left to others", async () => {
		await using site = await open();
		await ask(site, message(MessageType.DISCOVER, "dc:a6:32:00:00:09"));
		assert.equal(await told(site, asking("192.0.2.105")), undefined);
	});

	test("that renews is granted, with the time anew; one that rebinds too", async () => {
		await using site = await open();
		const address = await boot(site);
		const first = site.dhcp.leases()[0]?.expiresAt ?? 0;
		site.clock.advance(1_800_000);
		assert.deepEqual(await told(site, having(address), { ...DIRECT, address }), [MessageType.ACK, address]);
		assert.equal(site.dhcp.leases()[0]?.expiresAt, first + 1_800_000);
		site.clock.advance(3_200_000);
		assert.deepEqual(await told(site, having(address)), [MessageType.ACK, address]);
	});

	test("that renews what we have no record of is believed when it asks us alone", async () => {
		await using site = await open();
		assert.equal(await told(site, having("192.0.2.105")), undefined);
		assert.deepEqual(await told(site, having("192.0.2.105"), { ...DIRECT, address: "192.0.2.105" }), [
			MessageType.ACK,
			"192.0.2.105",
		]);
		assert.deepEqual(await told(site, having("192.0.2.50"), { ...DIRECT, address: "192.0.2.50" }), [
			MessageType.NAK,
			"0.0.0.0",
		]);
	});

	test("for what another client has is refused", async () => {
		await using site = await open();
		const address = await boot(site);
		const other = message(MessageType.REQUEST, "dc:a6:32:00:00:09", {
			[OptionCode.REQUESTED_IP_ADDRESS]: address,
			[OptionCode.SERVER_IDENTIFIER]: SERVER,
		});
		assert.deepEqual(await told(site, other), [MessageType.NAK, "0.0.0.0"]);
	});

	test("keeps an address that the range lost meanwhile, and a new DISCOVER gets one of the range", async () => {
		await using site = await open();
		const address = await boot(site);
		site.dhcp.configure({ ...SETTINGS, subnets: [{ ...SUBNET, start: "192.0.2.200", end: "192.0.2.210" }] });
		assert.deepEqual(await told(site, having(address), { ...DIRECT, address }), [MessageType.ACK, address]);
		assert.match((await told(site, pi400Discover))?.[1] ?? "", /^192\.0\.2\.2\d\d$/);
	});
});

describe("an address", () => {
	test("that somebody has is not offered; who has it is said, and gets it when he asks", async () => {
		const lines: string[] = [];
		const log = pino({ level: "warn" }, { write: (line: string) => void lines.push(JSON.parse(line).msg) });
		await using site = await open(SETTINGS, log);
		const [, first] = (await told(site, pi400Discover)) ?? assert.fail("no OFFER");
		await site.restart();
		site.dhcp.configure(SETTINGS);
		site.wire.machines.set(first, "dc:a6:32:00:00:77");
		const [, second] = (await told(site, pi400Discover)) ?? assert.fail("no OFFER");
		assert.notEqual(second, first);
		assert.deepEqual(lines, [`${first} is not given out: dc:a6:32:00:00:77 has it already`]);
		assert.deepEqual(await told(site, message(MessageType.DISCOVER, "dc:a6:32:00:00:77")), [MessageType.OFFER, first]);
	});

	test("that was declined is kept out of use for ten minutes, over a restart too", async () => {
		await using site = await open();
		const address = await boot(site);
		const words = { [OptionCode.REQUESTED_IP_ADDRESS]: address, [OptionCode.SERVER_IDENTIFIER]: SERVER };
		assert.equal(await told(site, message(MessageType.DECLINE, PI_400_MAC, words)), undefined);
		const [, other] = (await told(site, pi400Discover)) ?? assert.fail("no OFFER");
		assert.notEqual(other, address);
		await site.restart();
		assert.deepEqual(
			site.dhcp.leases().map(({ state }) => state),
			["declined"],
		);
	});

	test("that a Pi has is not taken from it by who declines it, or wants another one, in its name", async () => {
		await using site = await open();
		const address = await boot(site);
		const having = message(MessageType.REQUEST, PI_400_MAC, {}, { ciaddr: address });
		const words = { [OptionCode.REQUESTED_IP_ADDRESS]: address, [OptionCode.SERVER_IDENTIFIER]: SERVER };
		await ask(site, message(MessageType.DECLINE, PI_400_MAC, words));
		assert.deepEqual(await told(site, having, { ...DIRECT, address }), [MessageType.ACK, address]);
		site.dhcp.configure({ ...SETTINGS, subnets: [{ ...SUBNET, start: "192.0.2.200", end: "192.0.2.210" }] });
		assert.match((await told(site, pi400Discover))?.[1] ?? "", /^192\.0\.2\.2\d\d$/);
		assert.deepEqual(await told(site, having, { ...DIRECT, address }), [MessageType.ACK, address]);
	});

	test("that was given back stays its client's while nobody needs it", async () => {
		await using site = await open();
		const address = await boot(site);
		await ask(site, message(MessageType.RELEASE, PI_400_MAC, {}, { ciaddr: address }), { ...DIRECT, address });
		assert.deepEqual(
			site.dhcp.leases().map(({ state }) => state),
			["released"],
		);
		assert.deepEqual(await told(site, pi400Discover), [MessageType.OFFER, address]);
	});

	test("cannot be given back or declined by anybody else", async () => {
		await using site = await open();
		const address = await boot(site);
		const mac = "dc:a6:32:00:00:09";
		await ask(site, message(MessageType.RELEASE, mac, {}, { ciaddr: address }), { ...DIRECT, address });
		await ask(site, message(MessageType.DECLINE, mac, { [OptionCode.REQUESTED_IP_ADDRESS]: address }));
		// From elsewhere, or to another server.
		const other = { [OptionCode.SERVER_IDENTIFIER]: "192.0.2.254" };
		const release = message(MessageType.RELEASE, PI_400_MAC, {}, { ciaddr: address });
		await ask(site, release, { ...DIRECT, address: "192.0.2.66" });
		await ask(
			site,
			{ ...release, options: new Map([...release.options, [54, ipv4ToBytes("192.0.2.254")]]) },
			{ ...DIRECT, address },
		);
		await ask(site, message(MessageType.DECLINE, PI_400_MAC, { [OptionCode.REQUESTED_IP_ADDRESS]: address, ...other }));
		assert.deepEqual(
			site.dhcp.leases().map(({ state }) => state),
			["leased"],
		);
	});

	test("that is not left is missed in words, in the log and at the device", async () => {
		const lines: string[] = [];
		const log = pino({ level: "warn" }, { write: (line: string) => void lines.push(JSON.parse(line).msg) });
		await using site = await open({ ...SETTINGS, subnets: [{ ...SUBNET, end: "192.0.2.101" }] }, log);
		for (let number = 1; number <= 4; number++) {
			const mac = `dc:a6:32:00:00:0${number}`;
			const answers = await ask(site, eepromDiscover(mac, `34695052 3031c000 0000000${number} 0${number}000000`));
			assert.equal(answers.length, 1);
			const address = answers[0]?.packet.yiaddr ?? "";
			// Without an address it is told where to boot from all the same: it may have one from another server.
			assert.equal(address === "0.0.0.0", number > 2);
			assert.ok(answers[0]?.packet.options.has(OptionCode.VENDOR_SPECIFIC));
			if (number > 2) continue;
			const words = { [OptionCode.REQUESTED_IP_ADDRESS]: address, [OptionCode.SERVER_IDENTIFIER]: SERVER };
			await ask(site, message(MessageType.REQUEST, mac, words));
		}
		assert.equal(lines.length, 1);
		assert.match(
			lines[0] ?? "",
			/no address is left for dc:a6:32:00:00:03: all of 192\.0\.2\.100 to 192\.0\.2\.101 are taken/,
		);
		const device = site.registry.byMac("dc:a6:32:00:00:04") ?? assert.fail("no device");
		assert.equal(site.registry.diagnosis(device)?.code, "no-address-left");
	});

	test("is given for as long as the client asks, within limits", async () => {
		await using site = await open();
		await boot(site);
		for (const [asked, given] of [
			["0.0.2.88", 600],
			["0.0.0.1", 120],
			["255.255.255.255", 3600],
		] as const) {
			const [offer] = await ask(site, message(MessageType.DISCOVER, PI_400_MAC, { [OptionCode.LEASE_TIME]: asked }));
			assert.equal(offer?.packet.options.get(OptionCode.LEASE_TIME)?.readUInt32BE(0), given);
		}
	});
});

test("an INFORM is answered without a lease", async () => {
	await using site = await open();
	const mac = "dc:a6:32:00:00:09";
	const inform = message(MessageType.INFORM, mac, {}, { ciaddr: "192.0.2.50" });
	assert.deepEqual(await told(site, inform, { ...DIRECT, address: "192.0.2.50" }), [MessageType.ACK, "0.0.0.0"]);
	assert.deepEqual(site.dhcp.leases(), []);
});

describe("a relay", () => {
	const FAR: DhcpSubnet = {
		serverAddress: SERVER,
		netmask: "255.255.255.0",
		start: "10.5.0.10",
		end: "10.5.0.19",
		dns: [],
	};
	const relay: DhcpSender = { address: "10.5.0.1", port: 67, servedAddress: SERVER };

	test("gets addresses of its subnet, and is the router there", async () => {
		await using site = await open({ ...SETTINGS, subnets: [SUBNET, FAR] });
		const [offer] = await ask(site, { ...decodePacket(pi400Discover), giaddr: "10.5.0.1" }, relay);
		assert.match(offer?.packet.yiaddr ?? "", /^10\.5\.0\.1\d$/);
		assert.deepEqual([offer?.packet.giaddr, offer?.packet.options.get(3)?.join(".")], ["10.5.0.1", "10.5.0.1"]);
		assert.deepEqual([offer?.packet.flags, offer?.to], [0, undefined]);
	});

	test("of a subnet that has no range is told to the log", async () => {
		const lines: string[] = [];
		const log = pino({ level: "warn" }, { write: (line: string) => void lines.push(JSON.parse(line).msg) });
		await using site = await open(SETTINGS, log);
		assert.equal(await told(site, { ...decodePacket(pi400Discover), giaddr: "10.9.0.1" }, relay), undefined);
		assert.match(lines[0] ?? "", /a relay at 10\.9\.0\.1 asks for addresses in a subnet that has no range/);
	});
});

describe("Pi 3Bs at the same moment", () => {
	function rom(number: number): DhcpPacket {
		const packet = decodePacket(pi3RomDiscover);
		return { ...packet, chaddr: Buffer.from([0xb8, 0x27, 0xeb, 0, 0, number]) };
	}

	test("each get their own OFFER, at their own MAC address, late and twice", async () => {
		await using site = await open();
		const answers = [await ask(site, rom(1)), await ask(site, rom(2))];
		const addresses = answers.map((all) => all.map(({ packet }) => packet.yiaddr));
		assert.equal(new Set(addresses.flat()).size, 2);
		for (const [index, all] of answers.entries()) {
			assert.deepEqual(
				all.map(({ delay }) => delay),
				[1150, 1600],
			);
			assert.deepEqual(
				all.map(({ to }) => to),
				addresses[index],
			);
			assert.deepEqual(site.wire.told?.[index], {
				address: addresses[index]?.[0],
				mac: `b8:27:eb:00:00:0${index + 1}`,
				interface: "eth0",
			});
		}
	});

	test("do not hear what is for another Pi with the same xid, also those whose question is still to come", async () => {
		await using site = await open();
		const bootcode = pi3Discover("b8:27:eb:00:00:02", "1a000002");
		const [alone] = await ask(site, bootcode);
		assert.deepEqual([alone?.to, alone?.packet.flags], [alone?.packet.yiaddr, 0]);
		const [, own] = await ask(site, rom(1));
		assert.notEqual(own?.to, alone?.to);
		assert.equal((await ask(site, pi400Discover))[0]?.to, undefined);
	});

	test("come one after the other where the kernel may not be told", async () => {
		await using site = await open();
		site.wire.told = undefined;
		assert.equal((await ask(site, rom(1))).length, 2);
		assert.equal((await ask(site, rom(2))).length, 0);
		site.clock.advance(3000);
		assert.deepEqual(
			(await ask(site, rom(2))).map(({ to }) => to),
			[undefined, undefined],
		);
		// No ROM asks: its OFFER is broadcast, and nobody has to come after it.
		assert.equal((await ask(site, pi3Discover("b8:27:eb:00:00:03", "1a000003")))[0]?.to, undefined);
	});
});

test("an address from which another fetches files is not offered after all, and stays his", async () => {
	await using site = await open({ ...SETTINGS, subnets: [{ ...SUBNET, end: SUBNET.start }] });
	const [first, second] = ["b8:27:eb:00:00:01", "b8:27:eb:00:00:02"];
	const [offer] = await ask(site, pi3Discover(first, "1a000001"));
	const address = offer?.packet.yiaddr ?? assert.fail("no OFFER");
	site.wire.held.set(address, first);
	assert.deepEqual(await ask(site, pi3Discover(second, "1a000002")), []);
	assert.equal(site.registry.deviceAt(address)?.mac, first);
	assert.deepEqual(
		site.dhcp.leases().map(({ mac }) => mac),
		[first],
	);
	assert.equal((await ask(site, pi3Discover(first, "1a000001")))[0]?.to, address);
});

test("a Pi whose address another fetches files from gets another one", async () => {
	await using site = await open();
	const mac = "b8:27:eb:00:00:01";
	const [offer] = await ask(site, pi3Discover(mac, "1a000001"));
	const address = offer?.packet.yiaddr ?? assert.fail("no OFFER");
	const words = { [OptionCode.REQUESTED_IP_ADDRESS]: address, [OptionCode.SERVER_IDENTIFIER]: SERVER };
	await ask(site, message(MessageType.REQUEST, mac, words));
	assert.equal(site.dhcp.leases()[0]?.state, "leased");
	site.wire.held.set(address, "b8:27:eb:00:00:02");
	assert.deepEqual(await ask(site, pi3Discover(mac, "1a000001")), []);
	const [next] = await ask(site, pi3Discover(mac, "1a000001"));
	assert.notEqual(next?.packet.yiaddr ?? address, address);
});

test("a GUID that many share is no client: the MAC is", async () => {
	await using site = await open();
	const macs = ["dc:a6:32:00:00:01", "dc:a6:32:00:00:02"];
	const given = await Promise.all(macs.map((mac) => told(site, eepromDiscover(mac, PI_400_GUID))));
	assert.equal(new Set(given.map((answer) => answer?.[1])).size, 2);
});
