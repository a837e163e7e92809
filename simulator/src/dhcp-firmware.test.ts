import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Identity, Model } from "./board.ts";
import { Code, decodeDhcp, MessageType, messageType, request } from "./dhcp.ts";
import { firmwareDhcp } from "./dhcp-firmware.ts";
import { BootError } from "./errors.ts";
import { LoopbackNetwork } from "./loopback.ts";
import { findModel, models } from "./models/index.ts";
import { BOOT_MENU, type FakeOptions, FakeServer, PROXY_OFFER } from "./testing/fake-server.ts";
import { BOOT_TAG, tftpServerOf } from "./tftp-server-of.ts";

function modelOf(name: string): Model {
	const model = findModel(name);
	assert.ok(model);
	return model;
}

interface Run {
	readonly needsLease?: boolean;
	readonly retry?: number;
	readonly total?: number;
	readonly identity?: Identity;
}

async function run(model: Model, options: FakeOptions, how: Run = {}) {
	const server = await FakeServer.start(options);
	const network = await LoopbackNetwork.open({
		server: "127.0.0.1",
		ports: server.ports,
		address: `127.77.${20 + (process.pid % 200)}.${1 + (Math.floor(process.pid / 200) % 250)}`,
	});
	const port = await network.openDhcp(model.dhcp.ttl);
	const identity = how.identity ?? model.sample;
	try {
		const result = await firmwareDhcp({
			port,
			mac: identity.mac,
			guid: model.guid(model, identity),
			style: model.dhcp,
			timing: { retry: how.retry ?? 20_000, total: how.total ?? 20_000 },
			needsLease: how.needsLease ?? false,
			onStep: () => undefined,
		});
		return { result, sent: server.dhcp };
	} catch (error) {
		return { error, sent: server.dhcp };
	} finally {
		await port.close();
		server.close();
	}
}

const CLASS = Buffer.from("PXEClient:Arch:00000:UNDI:002001").toString("hex");

/** 53, 55 and 60 of the EEPROM bootloaders, then 93 and 94. */
const EEPROM = `350101370e01032b3c424380818283848586873c20${CLASS}5d0200005e030102016111`;

/** What stands behind the magic cookie, from the captures. */
const OPTIONS: Readonly<Record<string, string>> = {
	"pi4-2021": `${EEPROM}00525069343031c00032ecfc3cda06ffe0ff`,
	"pi4-2026": `${EEPROM}00346950521431d000010902f73df0cd91ff`,
	"pi5-2026": `${EEPROM}00356950527041d0009e114ecc798ff17bff`,
	pi3bp: `350101370e2b3c4380818283848586874201035d0200005e03010201611100${"c6bc078b".repeat(4)}3c20${CLASS}ff`,
};

describe("the DISCOVER of a firmware", () => {
	for (const model of models.filter(({ name }) => OPTIONS[name] !== undefined)) {
		it(`of ${model.name} is what was captured, byte for byte`, async () => {
			const { sent } = await run(model, {});
			const bytes = sent[0] ?? Buffer.alloc(0);
			assert.equal(bytes.subarray(240).toString("hex"), OPTIONS[model.name]);
			assert.equal(bytes.length, 322);
			const xid = bytes.readUInt32BE(4);
			if (model.name === "pi3bp") assert.equal(xid, 0x26f30339);
			const zeros = Buffer.from(bytes.subarray(0, 240));
			zeros.fill(0, 4, 8).fill(0, 28, 34);
			const expected = Buffer.alloc(240);
			expected.set([1, 1, 6]);
			expected.set([0x63, 0x82, 0x53, 0x63], 236);
			assert.deepEqual(zeros, expected);
		});
	}

	it("of a 3B+ is that of another capture with another serial", async () => {
		const identity = { mac: "b8:27:eb:6c:4c:16", serial: "b66c4c16" };
		const { sent } = await run(modelOf("pi3bp"), {}, { identity });
		assert.ok(sent[0]?.includes(Buffer.from("611100164c6cb6164c6cb6164c6cb6164c6cb6", "hex")));
	});

	it("is sent again, with another xid where the model has no constant one, until somebody answers", async () => {
		for (const [name, sameXid] of [
			["pi4", false],
			["pi3bp", true],
		] as const) {
			const { result, sent } = await run(modelOf(name), { deaf: 1 }, { retry: 50 });
			assert.equal(result?.tftpServer, "127.0.0.1");
			assert.ok(sent.length >= 2);
			assert.equal(sent[0]?.readUInt32BE(4) === sent[1]?.readUInt32BE(4), sameXid);
		}
	});
});

const ROUTER = {
	yiaddr: "192.168.2.17",
	siaddr: "192.168.2.1",
	options: [
		[1, Buffer.from([255, 255, 255, 0])],
		[3, Buffer.from([192, 168, 2, 1])],
	],
} as const;

describe("a firmware that needs an address", () => {
	it("takes it from the router and the server from the proxy, in any order", async () => {
		for (const offers of [
			[PROXY_OFFER, ROUTER],
			[ROUTER, PROXY_OFFER],
		]) {
			const { result } = await run(modelOf("pi4"), { offers }, { needsLease: true });
			assert.equal(result?.tftpServer, "127.0.0.1");
			assert.deepEqual(result?.lease, { address: "192.168.2.17", mask: "255.255.255.0", router: "192.168.2.1" });
		}
	});

	it("of a Pi 4 sends the REQUEST of the capture to who gave the address", async () => {
		const identity = { mac: "dc:a6:32:ec:fc:3c", serial: "e0ff06da" };
		const { sent } = await run(modelOf("pi4-2021"), { offers: [ROUTER, PROXY_OFFER] }, { needsLease: true, identity });
		const bytes = sent[1] ?? Buffer.alloc(0);
		assert.equal(bytes.length, 309);
		assert.equal(
			bytes.subarray(240).toString("hex"),
			`3501033204c0a8021136047f0000013c20${CLASS}611100525069343031c00032ecfc3cda06ffe0ff`,
		);
		const message = decodeDhcp(bytes);
		assert.equal(message.siaddr, "192.168.2.1");
		assert.equal(message.xid, sent[0]?.readUInt32BE(4));
	});

	it("of a 3B+ sends no REQUEST", async () => {
		const { result, sent } = await run(modelOf("pi3bp"), { offers: [PROXY_OFFER, ROUTER] }, { needsLease: true });
		assert.equal(result?.lease?.address, "192.168.2.17");
		assert.deepEqual(
			sent.map((bytes) => messageType(decodeDhcp(bytes))),
			[MessageType.DISCOVER],
		);
	});

	it("gives up with a sentence that says what came", async () => {
		const { error } = await run(modelOf("pi4"), { offers: [ROUTER] }, { needsLease: true, total: 200 });
		assert.ok(error instanceof BootError);
		assert.match(error.message, /waited 0.2 s for a TFTP server; .*from 127.0.0.1 an OFFER with address 192.168.2.17/);
	});

	it("gives up when the ACK stays away", async () => {
		const offers = [ROUTER, PROXY_OFFER];
		const how = { needsLease: true, total: 200, retry: 60 };
		const { error } = await run(modelOf("pi4"), { offers, acknowledges: false }, how);
		assert.match(String(error), /127.0.0.1 offered 192.168.2.17, but never sent an ACK/);
	});

	it("begins again when the router takes its offer back", async () => {
		const offers = [ROUTER, PROXY_OFFER];
		const how = { needsLease: true, retry: 60 };
		const { result, sent } = await run(modelOf("pi4"), { offers, refusals: 1 }, how);
		assert.equal(result?.lease?.address, "192.168.2.17");
		const { DISCOVER, REQUEST } = MessageType;
		assert.deepEqual(
			sent.map((bytes) => messageType(decodeDhcp(bytes))),
			[DISCOVER, REQUEST, DISCOVER, REQUEST],
		);
		const never = await run(modelOf("pi4"), { offers, refusals: 9 }, { ...how, total: 200 });
		assert.match(String(never.error), /waited 0.2 s .*from 127.0.0.1 a NAK/);
	});

	it("takes no OFFER with another xid", async () => {
		const offers = [{ ...PROXY_OFFER, xor: 1 }];
		const { error } = await run(modelOf("pi5"), { offers }, { total: 200 });
		assert.match(String(error), /what came: nothing/);
	});
});

const EEPROM_RULE = {
	tftpServer: "option66",
	bootTag: BOOT_TAG,
	oneMenuEntry: false,
	threeDigits: false,
} as const;
const ROM_RULE = { ...EEPROM_RULE, tftpServer: "last" } as const;

describe("a firmware that hesitates", () => {
	const model = modelOf("pi3b");
	const hesitating = (hesitates: number): Model => ({ ...model, dhcp: { ...model.dhcp, hesitates } });

	it("loses an OFFER that comes at once with nothing behind it", async () => {
		const { error } = await run(hesitating(60_000), {}, { total: 300 });
		assert.match(String(error), /for a TFTP server; what came: nothing/);
	});

	it("takes it when something comes behind it", async () => {
		const later = { options: [], delay: 400 };
		const { result } = await run(hesitating(200), { offers: [PROXY_OFFER, later] });
		assert.equal(result?.tftpServer, "127.0.0.1");
	});
});

describe("the TFTP server that an OFFER names", () => {
	const offer = (options: readonly (readonly [number, Buffer | string])[], siaddr = "0.0.0.0") => ({
		source: "10.0.0.9",
		message: request({
			xid: 1,
			chaddr: Buffer.alloc(6),
			siaddr,
			options: options.map(([code, data]) => ({ code, data: Buffer.from(data) })),
		}),
	});
	const pxe = [Code.VENDOR_CLASS, "PXEClient"] as const;
	const menu = [Code.VENDOR_SPECIFIC, BOOT_MENU] as const;
	const id = [Code.SERVER_IDENTIFIER, Buffer.from([10, 0, 0, 1])] as const;
	const name = [Code.TFTP_SERVER_NAME, "10.0.0.66"] as const;

	it("is for a Pi 4 option 66, else that of a boot menu: siaddr, option 54, the sender", () => {
		assert.equal(tftpServerOf(offer([pxe, menu, id, name]), EEPROM_RULE), "10.0.0.66");
		assert.equal(tftpServerOf(offer([name]), EEPROM_RULE), "10.0.0.66");
		assert.equal(tftpServerOf(offer([pxe, menu, id], "10.0.0.5"), EEPROM_RULE), "10.0.0.5");
		assert.equal(tftpServerOf(offer([pxe, menu, id]), EEPROM_RULE), "10.0.0.1");
		assert.equal(tftpServerOf(offer([pxe, menu]), EEPROM_RULE), "10.0.0.9");
	});

	it("is for a Pi 4 none without the text, or from a server that is no PXEClient", () => {
		assert.equal(tftpServerOf(offer([pxe, [43, "Something else"], id], "10.0.0.5"), EEPROM_RULE), undefined);
		assert.equal(tftpServerOf(offer([menu, id]), EEPROM_RULE), undefined);
		assert.equal(tftpServerOf(offer([pxe, id], "10.0.0.5"), EEPROM_RULE), undefined);
	});

	it("is for a Pi 3 what comes last: the sender of the menu, or option 66", () => {
		assert.equal(tftpServerOf(offer([menu, name]), ROM_RULE), "10.0.0.66");
		assert.equal(tftpServerOf(offer([name, menu, id], "10.0.0.5"), ROM_RULE), "10.0.0.9");
		assert.equal(tftpServerOf(offer([pxe, id], "10.0.0.5"), ROM_RULE), undefined);
	});

	it("is for the mask ROM of a 3B the sender only when three blanks stand behind the text", () => {
		const rom = { ...ROM_RULE, bootTag: `${BOOT_TAG}   ` };
		assert.equal(tftpServerOf(offer([menu]), rom), undefined);
		assert.equal(tftpServerOf(offer([[43, "Raspberry Pi Boot   "]]), rom), "10.0.0.9");
	});

	it("is nothing that is not text: no binary address, no zero byte at its end", () => {
		for (const data of [Buffer.from([10, 0, 0, 1]), "10.0.0.1\0", "tftp.example.org"]) {
			assert.equal(tftpServerOf(offer([[66, data]]), EEPROM_RULE), undefined);
			assert.equal(tftpServerOf(offer([[66, data]]), ROM_RULE), undefined);
		}
	});
});
