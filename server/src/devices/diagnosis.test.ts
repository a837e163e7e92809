import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import fc from "fast-check";
import { MODELS } from "./board.ts";
import { diagnose } from "./diagnosis.ts";
import type { Fact } from "./facts.ts";
import { RULES } from "./rules.ts";
import type { Scene } from "./scene.ts";
import { BootTracker } from "./stages.ts";
import { facts, PI3BP_ROM, PI4, PI5, PI5_BARE } from "./testing/sequences.ts";

type Told = Fact | number;

const DISCOVER: Fact = { kind: "discover" };
const OFFER: Fact = { kind: "offer" };
const REQUEST: Fact = { kind: "request", server: "192.0.2.1" };
const KERNEL: Fact = { kind: "linux-dhcp", by: "kernel" };
const INITRAMFS: Fact = { kind: "linux-dhcp", by: "initramfs" };
const EEPROM = { generation: "eeprom" } as const;

/** Facts at 100 ms from each other; a number waits that many seconds. */
function sceneOf(told: readonly Told[], also: Partial<Scene> = {}): Scene {
	const tracker = new BootTracker();
	let now = 1_000_000;
	for (const one of told) {
		now += typeof one === "number" ? one * 1000 : 100;
		if (typeof one !== "number") tracker.fact(one, now);
	}
	const { attempt, failed } = tracker;
	assert.ok(attempt);
	const surroundings = { dhcpMode: "proxy", otherDhcpServers: ["192.0.2.1"] } as const;
	return { now, attempt, failed, id: "e0ff06da", model: "pi4", firmware: EEPROM, surroundings, ...also };
}

function broken(path: string, bytes: number, seconds: number): Told[] {
	return [
		{ kind: "tftp-open", path, found: true },
		seconds,
		{ kind: "tftp-end", path, outcome: "aborted", bytes, size: 200_000_000 },
	];
}

const noLan = { dhcpMode: "proxy", otherDhcpServers: [] } as const;
const unknownLan = { dhcpMode: "proxy", otherDhcpServers: undefined } as const;
const asking: Told[] = [DISCOVER, OFFER, 4, DISCOVER, OFFER, 4, DISCOVER, OFFER, 4];
const unheard: Told[] = [DISCOVER, OFFER, { kind: "tftp-open", path: "start4.elf", found: true }, 30];
const GIVEN_UP = { kind: "tftp-end", path: "start4.elf", outcome: "timeout", bytes: 0, size: 5 } as const;
const LOOP: Told[] = [DISCOVER, ...facts(PI4), KERNEL, { kind: "mount", bootId: "b1" }, 20];

interface Case {
	row: number;
	name: string;
	code: string;
	told: Told[];
	also?: Partial<Scene>;
	says?: RegExp;
}

const cases: Case[] = [
	{
		row: 0,
		name: "many boot at once",
		code: "waits-for-its-turn",
		told: [DISCOVER, { kind: "waits", before: 37 }, 4, DISCOVER, { kind: "waits", before: 12 }, 3],
		says: /waits for its turn, with 12 before it/,
	},
	{
		row: 0,
		name: "it is the next one",
		code: "waits-for-its-turn",
		told: [DISCOVER, { kind: "waits", before: 0 }, 3],
		says: /the next one/,
	},
	{
		row: 1,
		name: "our answers go unheard",
		code: "offers-ignored",
		told: [...asking, REQUEST],
		says: /another DHCP server/,
	},
	{ row: 1, name: "no reaction at all", code: "offers-ignored", told: asking, says: /again and again/ },
	{ row: 2, name: "nobody gives addresses", code: "no-address-server", told: asking, also: { surroundings: noLan } },
	{
		row: 2,
		name: "no REQUEST, LAN not asked",
		code: "no-address-server",
		told: asking,
		also: { surroundings: unknownLan },
	},
	{
		row: 2,
		name: "all addresses are given out",
		code: "no-address-left",
		told: [DISCOVER, { kind: "no-address-left", range: "192.0.2.100-192.0.2.200" }, 4],
	},
	{
		row: 3,
		name: "the ROM of a 3B",
		code: "mask-rom",
		told: asking,
		also: { model: "pi3b", firmware: { generation: "mask-rom" } },
	},
	{
		row: 4,
		name: "its own system",
		code: "own-disk",
		told: [DISCOVER, OFFER, 20, { kind: "linux-dhcp", by: "userland" }],
	},
	{
		row: 6,
		name: "an image without start4.elf",
		code: "boot-file-missing",
		told: [DISCOVER, REQUEST, ...facts("start4.elf x ; start.elf x ; config.txt G"), 6],
		says: /start4\.elf is not in it/,
	},
	{
		row: 6,
		name: "an empty boot directory, model not known",
		code: "boot-file-missing",
		told: [DISCOVER, ...facts("bootcode.bin x"), 6],
		also: { model: null },
		says: /bootcode\.bin/,
	},
	{
		row: 7,
		name: "a file that takes over 30 seconds",
		code: "file-timeout",
		told: [DISCOVER, ...facts("config.txt G"), ...broken("initramfs8", 60_000_000, 30)],
		says: /initramfs8 after 30 seconds/,
	},
	{
		row: 7,
		name: "a file of more than 65535 blocks",
		code: "block-rollover",
		told: [DISCOVER, ...facts("config.txt G"), ...broken("boot.img", 65535 * 1468, 12), DISCOVER],
		says: /boot\.img at block 65535/,
	},
	{
		row: 8,
		name: "replies that do not arrive",
		code: "replies-lost",
		told: [
			DISCOVER,
			{ kind: "tftp-open", path: "start4.elf", found: true },
			25,
			{ kind: "tftp-end", path: "start4.elf", outcome: "timeout", bytes: 0, size: 5 },
		],
	},
	{
		row: 8,
		name: "replies that do not arrive, to a Pi that begins anew before we give up",
		code: "replies-lost",
		told: [...unheard, DISCOVER, OFFER, { ...GIVEN_UP, silentMs: 25_000 }],
	},
	{
		row: 7,
		name: "a file that is given up without a word, after which the Pi begins anew",
		code: "file-timeout",
		told: [
			DISCOVER,
			...facts("config.txt G"),
			...[{ kind: "tftp-open", path: "start4.elf", found: true } as const, 31, DISCOVER, OFFER, 24],
			{ ...GIVEN_UP, bytes: 60_000, size: 2_000_000, silentMs: 25_000 },
		],
		says: /start4\.elf after 30 seconds, with 60000 of 2000000 bytes/,
	},
	{
		row: 6,
		name: "a bootloader that begins anew at once when it finds no start4.elf",
		code: "boot-file-missing",
		told: Array.from({ length: 3 }, () => [DISCOVER, OFFER, ...facts("start4.elf x ; start.elf x"), 2]).flat(),
		says: /start4\.elf is not in it/,
	},
	{
		row: 13,
		name: "a Pi 5 whose config.txt names a kernel that is not there",
		code: "config-loop",
		told: Array.from({ length: 3 }, () => [DISCOVER, ...facts("config.txt G ; mine.img x")]).flat(),
		also: { model: "pi5" },
		says: /: mine\.img is missing/,
	},
	{
		row: 9,
		name: "a kernel with an address and no root",
		code: "no-mount",
		told: [DISCOVER, ...facts(PI4), KERNEL, 20],
	},
	{
		row: 9,
		name: "an initramfs that reaches nothing",
		code: "no-mount",
		told: [DISCOVER, ...facts(PI4), INITRAMFS, 20],
		says: /portmapper/,
	},
	{
		row: 9,
		name: "the portmapper and nothing more",
		code: "portmap-only",
		told: [DISCOVER, ...facts(PI4), INITRAMFS, { kind: "portmap" }, 20],
	},
	{
		row: 9,
		name: "a path that is not its own",
		code: "mount-refused",
		told: [DISCOVER, ...facts(PI4), KERNEL, { kind: "mount-refused", path: "/old", reason: "it is no export" }],
		says: /\/old was refused: it is no export/,
	},
	{ row: 9, name: "a kernel that never speaks", code: "kernel-silent", told: [DISCOVER, ...facts(PI4), 61] },
	{
		row: 9,
		name: "a command line that nobody may have",
		code: "cmdline-refused",
		told: [DISCOVER, ...facts("config.txt G"), { kind: "cmdline-refused", address: "192.0.2.66" }],
		says: /192\.0\.2\.66/,
	},
	{ row: 10, name: "a root without an init", code: "no-userspace", told: [...LOOP, 41] },
	{ row: 10, name: "a reboot loop", code: "reboot-loop", told: [...LOOP, ...LOOP, ...LOOP], says: /3 times/ },
	{
		row: 11,
		name: "two Pis with one address",
		code: "address-conflict",
		told: [DISCOVER, { kind: "address-conflict", address: "192.0.2.20", other: "12345678" }],
		says: /192\.0\.2\.20 with 12345678/,
	},
	{
		row: 12,
		name: "an image with recovery.elf",
		code: "recovery-loaded",
		told: [DISCOVER, ...facts("config.txt G ; recovery.elf G"), 11],
		says: /recovery\.elf/,
	},
	{
		row: 13,
		name: "a Pi 5 that loops after config.txt",
		code: "config-loop",
		told: Array.from({ length: 3 }, () => [DISCOVER, ...facts("config.txt G ; cmdline.txt x")]).flat(),
		also: { model: "pi5" },
		says: /cmdline\.txt is missing/,
	},
	{
		row: 14,
		name: "a Pi 5 with a bootloader of 2023",
		code: "old-bootloader",
		told: [...asking, REQUEST],
		also: { model: "pi5", firmware: { generation: "eeprom", fourCC: "4iPR", revision: 0xd04170 } },
	},
	{
		row: 14,
		name: "a Pi 4 with a bootloader of 2021",
		code: "old-bootloader",
		told: [...asking, REQUEST],
		also: { firmware: { generation: "eeprom", fourCC: "RPi4", revision: 0xc03111 } },
		says: /older than March 2022/,
	},
	{
		row: 0,
		name: "one that is to boot from its own disk",
		code: "left-alone",
		told: [DISCOVER, { kind: "unanswered", why: "disk" }, 20, { kind: "linux-dhcp", by: "userland" }],
		says: /its own disk, so/,
	},
	{
		row: 0,
		name: "one that is to be left alone",
		code: "left-alone",
		told: [DISCOVER, { kind: "unanswered", why: "ignore" }],
		says: /left alone/,
	},
	{
		row: 0,
		name: "no image at all",
		code: "no-image",
		told: [DISCOVER, { kind: "unanswered", why: "no-image", imageId: null }],
		says: /there is no image/,
	},
	{
		row: 0,
		name: "its own image is broken",
		code: "no-image",
		told: [DISCOVER, { kind: "unanswered", why: "no-image", imageId: "old" }],
		says: /its image old is not ready/,
	},
	{
		row: 11,
		name: "two DHCP servers",
		code: "two-dhcp-servers",
		told: [DISCOVER, OFFER, REQUEST, { kind: "other-server", address: "192.0.2.1" }],
		says: /192\.0\.2\.1/,
	},
	{
		row: 0,
		name: "a disk of the server that fails",
		code: "file-unreadable",
		told: [
			DISCOVER,
			{ kind: "tftp-open", path: "kernel8.img", found: true },
			{ kind: "tftp-end", path: "kernel8.img", outcome: "failed", bytes: 5000, size: 20_000_000 },
		],
		says: /kernel8\.img/,
	},
	{
		row: 8,
		name: "a firmware that falls silent",
		code: "firmware-stopped",
		told: [DISCOVER, ...facts("config.txt G ; start4.elf G"), 61],
		says: /start4\.elf/,
	},
	{
		row: 10,
		name: "an image that was overwritten under a system that runs",
		code: "image-changed",
		told: [...LOOP, { kind: "os-release", bootId: "b1" }, 600, { kind: "image-changed", bootId: "b1" }],
		says: /overwritten or deleted/,
	},
	{
		row: 10,
		name: "an image that was booted while it was unpacked, and turned out to be damaged",
		code: "image-changed",
		told: [...LOOP, { kind: "image-changed", bootId: "b1", failure: "a.img.xz is damaged." }],
		says: /still being unpacked, and the rest never came: a\.img\.xz is damaged\.$/,
	},
	{
		row: 3,
		name: "a Pi 3 behind a relay",
		code: "relayed-pi3",
		told: [{ kind: "discover", relay: "10.5.0.254" }, { kind: "offer" }, 6],
		also: { firmware: { generation: "pi3" } },
		says: /behind the DHCP relay 10\.5\.0\.254/,
	},
	{
		row: 9,
		name: "a server whose address changed under a system that runs",
		code: "server-moved",
		told: [
			...LOOP,
			{ kind: "os-release", bootId: "b1" },
			600,
			{ kind: "server-moved", bootId: "b1", from: "192.0.2.1", to: "192.0.2.9" },
		],
		says: /address changed from 192\.0\.2\.1 to 192\.0\.2\.9 while this Pi was running/,
	},
	{
		row: 9,
		name: "a server whose cable was pulled",
		code: "server-moved",
		told: [...LOOP, 5, { kind: "server-moved", bootId: "b1", from: "192.0.2.1", to: undefined }],
		says: /lost its address 192\.0\.2\.1/,
	},
];

describe("the rule book", () => {
	for (const { row, name, code, told, also, says } of cases) {
		test(`row ${row}, ${name}: ${code}`, () => {
			const diagnosis = diagnose(sceneOf(told, also));
			assert.equal(diagnosis?.code, code);
			if (says !== undefined) assert.match(diagnosis?.message ?? "", says);
			assert.match(diagnosis?.message ?? "", /^[A-Z0-9].*\.$/s);
			assert.match(diagnosis?.seen ?? "", /^[A-Z0-9c][^{}]*\.$/);
			assert.ok(!/undefined|\ba file\b|\b0 times\b/.test(diagnosis?.seen ?? "undefined"), diagnosis?.seen);
			assert.notEqual(diagnosis?.seen, diagnosis?.message);
			assert.match(diagnosis?.fix ?? "", /\.$|`$/);
		});
	}

	test("who asked the portmapper is not said to have asked nobody", () => {
		const told = [DISCOVER, ...facts(PI4), INITRAMFS, 4, { kind: "portmap" } as const];
		assert.equal(diagnose(sceneOf([...told, 17])), undefined);
		assert.equal(diagnose(sceneOf([...told, 20]))?.code, "portmap-only");
	});

	test("what the attempt before lacked is forgotten when the next one finds it", () => {
		const bare = [DISCOVER, OFFER, ...facts("start4.elf x ; start.elf x"), 2];
		assert.equal(diagnose(sceneOf([...bare, ...bare, DISCOVER]))?.code, "boot-file-missing");
		assert.equal(diagnose(sceneOf([...bare, ...bare, DISCOVER, ...facts("start4.elf G")])), undefined);
	});

	test("a file that it fell silent over did not end when we gave it up", () => {
		const told = [DISCOVER, ...facts("config.txt G"), { kind: "tftp-open", path: "start4.elf", found: true } as const];
		const given: Told = { ...GIVEN_UP, bytes: 1468, silentMs: 25_000 };
		assert.equal(diagnose(sceneOf([...told, 26, given, 30])), undefined);
		assert.equal(diagnose(sceneOf([...told, 26, given, 35]))?.code, "firmware-stopped");
	});

	test("who takes an address was given one, whatever was there when the LAN was asked", () => {
		const scene = sceneOf([...asking, REQUEST], { surroundings: noLan });
		assert.equal(diagnose(scene)?.code, "offers-ignored");
	});

	test("nobody waits any more who was answered, or asks no more", () => {
		const waits: Told[] = [DISCOVER, { kind: "waits", before: 3 }];
		assert.equal(diagnose(sceneOf([...waits, 3, DISCOVER, OFFER]))?.code, undefined);
		assert.notEqual(diagnose(sceneOf([...waits, 20]))?.code, "waits-for-its-turn");
	});

	test("one that is answered after all is not said to be left alone, nor to have no image", () => {
		for (const why of ["disk", "ignore"] as const) {
			assert.equal(diagnose(sceneOf([DISCOVER, { kind: "unanswered", why }, 4, DISCOVER, OFFER])), undefined);
		}
		const none: Told = { kind: "unanswered", why: "no-image", imageId: null };
		assert.equal(diagnose(sceneOf([DISCOVER, none, 4, DISCOVER, OFFER])), undefined);
	});

	test("every rule has a section in docs/diagnosis.md, with its words, and no other is there", () => {
		const text = readFileSync(new URL("../../../docs/diagnosis.md", import.meta.url), "utf8");
		const sections = new Map(
			text
				.split(/^### `/m)
				.slice(1)
				.map((section) => [section.slice(0, section.indexOf("`")), section]),
		);
		assert.deepEqual([...sections.keys()].toSorted(), [...new Set(RULES.map(({ code }) => code))].toSorted());
		for (const { code, severity } of RULES) {
			const section = sections.get(code) ?? "";
			assert.ok(section.includes(`(${severity})`), `${code} is ${severity}`);
			for (const part of ["Seen:", "Means:", "Do:"]) assert.ok(section.includes(part), `${code}: ${part}`);
		}
	});

	test("every rule has a case here", () => {
		const tried = new Set(cases.map(({ code }) => code));
		assert.deepEqual(
			RULES.map(({ code }) => code).filter((code) => !tried.has(code)),
			[],
		);
		assert.deepEqual(
			RULES.filter(({ code, row }) => !cases.some((one) => one.code === code && one.row === row)).map(
				({ code }) => code,
			),
			[],
		);
	});
});

describe("a boot that goes well", () => {
	const good: Told[] = [DISCOVER, OFFER, REQUEST, 1, ...facts(PI4), 12, INITRAMFS, { kind: "portmap" }, 1];
	const there: Told[] = [...good, { kind: "mount", bootId: "b1" }, 3, { kind: "os-release", bootId: "b1" }];
	const well: [string, Told[]][] = [
		["just asked", [DISCOVER, OFFER]],
		["the router is slow", [DISCOVER, OFFER, 4, DISCOVER, OFFER]],
		["between ROM and bootcode.bin", [DISCOVER, ...facts(PI3BP_ROM), DISCOVER]],
		["in the middle of the files", [DISCOVER, ...facts(PI4).slice(0, 20), 3]],
		["the kernel starts", [DISCOVER, ...facts(PI4), 20]],
		["the kernel of a Pi 5 starts", [DISCOVER, ...facts(PI5), 20]],
		["about to mount", good],
		["there", there],
		["there for an hour", [...there, 3600]],
	];
	for (const [name, told] of well) {
		test(`${name}: nothing is said`, () => assert.equal(diagnose(sceneOf(told)), undefined));
	}

	test("files that a stock image lacks are no fault", () => {
		assert.equal(diagnose(sceneOf([DISCOVER, ...facts(PI4), 10])), undefined);
	});

	test("a Pi 5 without its device tree is told which one", () => {
		const scene = sceneOf([DISCOVER, ...facts(PI5_BARE), 6], { model: "pi5" });
		assert.match(diagnose(scene)?.message ?? "", /bcm2712-rpi-5-b\.dtb/);
	});

	test("start4.elf that is there without the serial is not missing", () => {
		const told = [DISCOVER, ...facts("start4.elf x ; start.elf x ; config.txt G ; start4.elf G ; fixup4.dat G"), 6];
		assert.equal(diagnose(sceneOf(told)), undefined);
	});
});

test("no scene makes a rule fail", () => {
	const told = fc.array(
		fc.oneof(
			fc.nat(200),
			fc.constantFrom<Told>(
				DISCOVER,
				OFFER,
				REQUEST,
				KERNEL,
				INITRAMFS,
				{ kind: "portmap" },
				{ kind: "mount", bootId: "b1" },
			),
			fc.constantFrom(...facts(PI4), ...facts(PI5_BARE), ...broken("x", 65535 * 512, 30)),
		),
		{ maxLength: 60 },
	);
	const model = fc.constantFrom(null, ...MODELS.map(({ id }) => id));
	fc.assert(
		fc.property(told, model, (list, id) => {
			const diagnosis = diagnose(sceneOf([DISCOVER, ...list], { model: id }));
			assert.ok(diagnosis === undefined || (diagnosis.message.length > 10 && diagnosis.fix.length > 10));
		}),
		{ seed: 20261121 },
	);
});
