import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { pino } from "pino";
import { ManualClock } from "../base/index.ts";
import type { Device } from "../devices/index.ts";
import { Netconsole } from "./netconsole.ts";
import { clueOf, LineAssembler } from "./netconsole-lines.ts";

const PI4 = { id: "97533126", mac: "e4:5f:01:1f:da:6d" } as Device;
const PI5 = { id: "7bf18f79", mac: "88:a2:9e:11:4e:cc" } as Device;
/** The example of the bootloader's documentation: most people have it on all of their Pis. */
const SHARED = "169.254.1.1";

function ear() {
	const clock = new ManualClock();
	const lines: { device?: string; msg: string }[] = [];
	const log = pino({ base: null }, { write: (json: string) => void lines.push(JSON.parse(json)) });
	const devices = [PI4, PI5];
	const netconsole = new Netconsole({
		registry: {
			get: (id) => devices.find((device) => device.id === id),
			byMac: (mac) => devices.find((device) => device.mac === mac),
			deviceAt: (address) => (address === "192.0.2.20" ? PI5 : undefined),
		},
		clock,
		log,
	});
	const say = (text: string, address = SHARED) => netconsole.heard(Buffer.from(text, "latin1"), address);
	const shown = () => lines.map(({ device, msg }) => [device ?? "?", msg]);
	return { clock, netconsole, say, shown };
}

const PI4_BEGINS =
	"RPi: BOOTLOADER release VERSION:c258ef8f DATE: Jul  6 2021 BOOTMODE: 0x00000006 part: 0 BUILD_TIMESTAMP=1625568293 0x97533126 0x00c03140 0x000c5fe0";

describe("the bootloader's log", () => {
	test("is shown with the Pi whose serial it names", () => {
		const { say, shown } = ear();
		say(`${PI4_BEGINS}\r\nuSD voltage 3.3V\r\n`);
		assert.deepEqual(shown(), [
			["97533126", PI4_BEGINS],
			["97533126", "uSD voltage 3.3V"],
		]);
	});

	test("waits for the line that tells whose it is, and is put together from pieces", () => {
		const { say, shown } = ear();
		say("RPi: BOOTSYS release VERSION:897f94ed\nGENET: RESET_PHY\nNET_BO");
		assert.deepEqual(shown(), []);
		say("OT: 88:a2:9e:11:4e:cc wait for link TFTP: 0.0.0.0\nLink");
		assert.deepEqual(
			shown().map(([device]) => device),
			["7bf18f79", "7bf18f79", "7bf18f79"],
		);
	});

	test("of two Pis that share a made-up address goes to each of them", () => {
		const { say, shown } = ear();
		say(`${PI4_BEGINS}\nPCI reset\n`);
		say("RPi: BOOTSYS release VERSION:897f94ed\nBOOTMODE: 0x06 serial 7bf18f79 boardrev d04170\nPCI init\n");
		assert.deepEqual(
			shown().map(([device]) => device),
			["97533126", "97533126", "7bf18f79", "7bf18f79", "7bf18f79"],
		);
	});

	test("from a Pi's own address is that Pi's", () => {
		const { say, shown } = ear();
		say("TFTP_GET: start4.elf\n", "192.0.2.20");
		assert.deepEqual(shown(), [["7bf18f79", "TFTP_GET: start4.elf"]]);
	});

	test("of a Pi that nobody knows is shown with its address when no more comes", () => {
		const { clock, say, shown } = ear();
		say("RPi: BOOTLOADER release\nhalf a line");
		clock.advance(2000);
		assert.deepEqual(shown(), [
			["?", `${SHARED}: RPi: BOOTLOADER release`],
			["?", `${SHARED}: half a line`],
		]);
	});

	test("is shown without what would move a cursor", () => {
		const { say, shown } = ear();
		say("\x1b[2Jgone\x07\xff\ttab\x00\n", "192.0.2.20");
		assert.deepEqual(shown(), [["7bf18f79", "\\x1b[2Jgone\\x07\\xff    tab\\x00"]]);
	});

	test("of a stranger who floods it ends soon, and then comes slowly", () => {
		const { clock, say, shown } = ear();
		for (let line = 0; line < 3000; line++) say(`a${"b".repeat(line % 200)}\n`, "192.0.2.20");
		assert.equal(shown().length, 500);
		clock.advance(1000);
		for (let line = 0; line < 100; line++) say(`c${"d".repeat(line)}\n`, "192.0.2.20");
		assert.equal(shown().length, 520);
	});

	test("of many strangers pushes no more than a part of the log out", () => {
		const { say, shown } = ear();
		for (let from = 0; from < 200; from++) {
			for (let line = 0; line < 20; line++) say(`a${"b".repeat(line + from)}\n`, `192.0.2.20`);
			for (let line = 0; line < 120; line++) say(`c${"d".repeat(line + from)}\n`, `10.0.0.${from}`);
		}
		assert.ok(shown().length <= 1500, String(shown().length));
	});

	test("nothing is shown any more after the stop", () => {
		const { clock, netconsole, say, shown } = ear();
		say("a line without an owner\n");
		netconsole.stop();
		clock.advance(10_000);
		assert.deepEqual(shown(), []);
	});
});

test("any datagrams make lines of at most 500 printable characters, four times as many with codes", () => {
	fc.assert(
		fc.property(fc.array(fc.uint8Array({ maxLength: 1500 }), { maxLength: 8 }), (datagrams) => {
			const assembler = new LineAssembler();
			const lines = [...datagrams.flatMap((bytes) => assembler.take(bytes)), ...assembler.flush()];
			for (const line of lines) {
				assert.match(line, /^[\x20-\x7e]{1,2000}$/);
				clueOf(line);
			}
		}),
		{ seed: 20261122 },
	);
});
