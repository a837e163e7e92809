import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { pino } from "pino";
import type { DhcpSender } from "../net/index.ts";
import { PI_BOOT } from "../vfs/image/testing/images.ts";
import { decodePacket, MessageType, messageType, OptionCode } from "../wire/dhcp/index.ts";
import {
	eepromDiscover,
	PI_400_GUID,
	PI_400_MAC,
	pcDiscover,
	pi3Discover,
	pi3RomDiscover,
	pi400Discover,
	pi400Request,
} from "../wire/dhcp/testing/frames.ts";
import { clientAt, openImage, Site } from "./testing/site.ts";

const LAN: DhcpSender = { address: "0.0.0.0", port: 68, servedAddress: undefined };

async function ask(site: Site, bytes: Buffer, sender = LAN) {
	return site.dhcp.handle(decodePacket(bytes), sender);
}

describe("a DISCOVER", () => {
	test("of a Pi is answered from the address that sends, and makes a device", async () => {
		await using site = await Site.open();
		const [reply, ...more] = await ask(site, pi400Discover);
		assert.ok(reply);
		assert.deepEqual(more, []);
		const offer = reply.packet("192.0.2.9") ?? assert.fail("nothing is sent");
		assert.equal(messageType(offer), MessageType.OFFER);
		assert.equal(offer.options.get(OptionCode.SERVER_IDENTIFIER)?.join("."), "192.0.2.9");
		const device = site.registry.byMac(PI_400_MAC);
		assert.equal(device?.model, "pi400");
		assert.equal(device && site.registry.stages(device).at(-1)?.stage, "dhcp");
	});

	test("of a Pi 3B's ROM is answered late and twice", async () => {
		await using site = await Site.open();
		assert.deepEqual(
			(await ask(site, pi3RomDiscover)).map(({ delay }) => delay),
			[1150, 1600],
		);
	});

	test("of a PC is left alone, and makes no device", async () => {
		await using site = await Site.open();
		assert.deepEqual(site.dhcp.handle(pcDiscover, LAN), []);
		assert.deepEqual(site.registry.list(), []);
	});

	test("of a PC is told of among those that do not boot from here", async () => {
		await using site = await Site.open();
		const pi = decodePacket(pi400Discover);
		const withOption = (code: number, ...bytes: number[]) => new Map([...pi.options, [code, Buffer.from(bytes)]]);
		const uefi = withOption(OptionCode.CLIENT_SYSTEM_ARCHITECTURE, 0, 7);
		await site.dhcp.handle({ ...pi, chaddr: Buffer.from([2, 0, 0, 0, 0, 1]), options: uefi }, LAN);
		const http = withOption(OptionCode.PARAMETER_REQUEST_LIST, 1, 3, 66, 67);
		await site.dhcp.handle({ ...pi, options: http }, LAN);
		assert.deepEqual(
			site.registry.bystanders().map(({ reason }) => reason),
			[
				"It asks for no boot that this server has: asks for no boot server (HTTP boot).",
				"It boots over the network, but is no Raspberry Pi (client architecture 0x0007): it is left alone.",
			],
		);
		await ask(site, pi400Discover);
		assert.equal(site.registry.bystanders().length, 1, "it is a device now");
	});

	test("that is not answered says why on the Pi's card", async () => {
		await using site = await Site.open();
		await ask(site, pi400Discover);
		const device = site.registry.byMac(PI_400_MAC) ?? assert.fail();
		for (const [intent, code] of [
			["disk", "left-alone"],
			["netboot", undefined],
		] as const) {
			await site.registry.patch(device.id, { intent });
			await ask(site, pi400Discover);
			assert.equal(site.registry.diagnosis(device)?.code, code);
		}
	});

	test("wipes nothing: no boot begins", async () => {
		await using site = await Site.open();
		for (let round = 0; round < 3; round++) await ask(site, pi400Discover);
		assert.equal(site.registry.byMac(PI_400_MAC)?.bootCount, 0);
		assert.deepEqual(await site.store.layers.list(), []);
	});

	test("proves an address only where it comes from loopback", async () => {
		await using site = await Site.open();
		await ask(site, pi400Discover, { ...LAN, address: "192.0.2.77" });
		assert.equal(site.registry.deviceAt("192.0.2.77"), undefined);
		await ask(site, pi400Discover, { ...LAN, address: "127.0.0.5" });
		assert.equal(site.registry.deviceAt("127.0.0.5")?.mac, PI_400_MAC);
	});

	for (const intent of ["disk", "ignore"] as const) {
		test(`of a Pi that is set to "${intent}" is not answered`, async () => {
			await using site = await Site.open();
			await ask(site, pi400Discover);
			const device = site.registry.byMac(PI_400_MAC);
			assert.ok(device);
			await site.registry.patch(device.id, { intent });
			assert.deepEqual(await ask(site, pi400Discover), []);
			await site.registry.patch(device.id, { intent: "netboot" });
			assert.equal((await ask(site, pi400Discover)).length, 1);
		});
	}

	test("without an image is not answered; that is said once, and answered as soon as there is one", async () => {
		const lines: string[] = [];
		const log = pino({ level: "info" }, { write: (line: string) => void lines.push(JSON.parse(line).msg) });
		await using site = await Site.open(null, log);
		for (let round = 0; round < 3; round++) assert.deepEqual(await ask(site, pi400Discover), []);
		assert.deepEqual(lines, [`${PI_400_MAC} is not answered: there is no image that is ready`]);
		site.images.put(await openImage(site.folder));
		assert.equal((await ask(site, pi400Discover)).length, 1);
		assert.equal(lines.at(-1), `${PI_400_MAC} asks where to boot from`);
	});

	test("of each of fifty Pis is said once, also while they wait for their turn", async () => {
		const lines: string[] = [];
		const log = pino({ level: "info" }, { write: (line: string) => void lines.push(JSON.parse(line).msg) });
		await using site = await Site.open({}, log);
		const asked = Array.from({ length: 100 }, (_, number) => {
			const mac = `dc:a6:32:00:00:${(number >> 1).toString(16).padStart(2, "0")}`;
			return ask(site, eepromDiscover(mac, PI_400_GUID));
		});
		assert.equal(lines.filter((line) => line.endsWith("asks where to boot from")).length, 50);
		assert.equal(lines.filter((line) => line.includes("waits for its turn")).length, 42);
		assert.ok(lines.includes("dc:a6:32:00:00:31 waits for its turn, with 41 before it"));
		// Nobody comes for its files: then others begin after two seconds, until all have long asked again.
		for (let round = 0; round < 30; round++) site.clock.advance(200);
		const answers = await Promise.all(asked);
		assert.equal(answers.filter(({ length }) => length === 1).length, 2 * 8 + 8 + 8);
	});

	test("of a Pi that waits says so of its boot", async () => {
		await using site = await Site.open();
		const all = Array.from({ length: 9 }, (_, number) => {
			const mac = `dc:a6:32:00:00:${number.toString(16).padStart(2, "0")}`;
			return { mac, answer: ask(site, eepromDiscover(mac, PI_400_GUID)) };
		});
		const device = site.registry.byMac(all.at(-1)?.mac ?? "") ?? assert.fail();
		const diagnosis = site.registry.diagnosis(device);
		assert.deepEqual([diagnosis?.code, diagnosis?.severity], ["waits-for-its-turn", "info"]);
		for (let round = 0; round < 9; round++) site.clock.advance(200);
		const again = ask(site, eepromDiscover(device.mac, PI_400_GUID));
		for (let round = 0; round < 2; round++) site.clock.advance(200);
		assert.deepEqual([(await all.at(-1)?.answer)?.length, (await again).length], [0, 1]);
		assert.equal(site.registry.diagnosis(device)?.code, undefined);
	});

	test("of a Pi that has booted before is answered at once, whatever strangers make up", async () => {
		await using site = await Site.open();
		const { device, client } = site.pi();
		await site.begin(device, client);
		site.clock.advance(60_000);
		for (let number = 0; number < 200; number++) {
			ask(site, eepromDiscover(`dc:a6:32:01:00:${number.toString(16).padStart(2, "0")}`, PI_400_GUID));
		}
		assert.equal((await ask(site, eepromDiscover(device.mac, PI_400_GUID))).length, 1);
	});
});

test("the ROM of a Pi 3B+ never waits, and bootcode.bin does in its place", async () => {
	await using site = await Site.open({ boot: { ...PI_BOOT, "bootcode.bin": "the next program" } });
	for (let number = 0; number < 9; number++) {
		ask(site, eepromDiscover(`dc:a6:32:00:00:${number.toString(16).padStart(2, "0")}`, PI_400_GUID));
	}
	const mac = "b8:27:eb:07:bc:c6";
	const client = clientAt("192.0.2.33");
	site.neighbours.set(client.address, mac);
	const discover = pi3Discover(mac, "8b07bcc6");
	for (let tries = 0; tries < 2; tries++) assert.equal((await ask(site, discover)).length, 1);
	assert.equal((await site.fetch("bootcode.bin", client))?.toString(), "the next program");
	const waiting = ask(site, discover);
	const device = site.registry.byMac(mac) ?? assert.fail();
	assert.match(site.registry.diagnosis(device)?.message ?? "", /it waits for its turn, with 1 before it/);
	site.clock.advance(1000);
	const again = ask(site, discover);
	assert.deepEqual(await waiting, []);
	for (let round = 0; round < 10; round++) site.clock.advance(200);
	assert.equal((await again).length, 1);
	await site.fetch("8b07bcc6/config.txt", client);
	site.clock.advance(60_000);
	assert.equal((await ask(site, discover)).length, 1);
});

describe("what is not answered tells how far a boot is", () => {
	test("the REQUEST of the firmware binds the address that it asks for", async () => {
		await using site = await Site.open();
		await ask(site, pi400Discover);
		assert.deepEqual(await ask(site, pi400Request), []);
		assert.equal(site.registry.deviceAt("192.168.2.40")?.mac, PI_400_MAC);
	});
});
