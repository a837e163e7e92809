import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { ManualClock } from "../base/index.ts";
import { FirmwareLoad } from "./firmware-load.ts";

const PIECE = 65536;
const KERNEL = 10_000_000;

/** Lets each of these Pis fetch pieces of a file, one each `ms`. */
function fetchPieces(clock: ManualClock, load: FirmwareLoad, devices: readonly number[], size: number, ms: number) {
	const files = devices.map((device) => load.opened(device, size));
	for (let offset = 0; offset < 8 * PIECE; offset += PIECE) {
		for (const file of files) file.read(offset);
		// The second piece is read ahead of the first.
		if (offset > 0) clock.advance(ms);
	}
	return files;
}

const range = (count: number, first = 0) => Array.from({ length: count }, (_, index) => first + index);

function setUp() {
	const clock = new ManualClock();
	return { clock, load: new FirmwareLoad(clock) };
}

describe("the room for boots", () => {
	test("is that of eight while nobody has fetched anything, and who was let in takes of it", () => {
		const { load } = setUp();
		assert.equal(load.room(false), 8);
		for (const device of range(8)) load.admitted(device, false);
		assert.equal(load.room(false), 0);
		load.opened(3, 100);
		assert.equal(load.room(false), 0);
	});

	test("follows the rate: what the largest file takes stays below six seconds", () => {
		const { clock, load } = setUp();
		// 65536 bytes in 10 ms: each has 6.5 MB/s, and a kernel takes 1.5 s. So nearly four times as many may boot.
		fetchPieces(clock, load, range(8), KERNEL, 10);
		assert.equal(load.room(false), Math.floor((8 * 6 * 6.5536) / 10) - 8);
	});

	test("counts those that fetch at the same time, not all that ever did", () => {
		const { clock, load } = setUp();
		for (const device of range(8)) {
			fetchPieces(clock, load, [device], KERNEL, 100);
			clock.advance(2000);
		}
		assert.ok(load.room(false) <= 8, String(load.room(false)));
	});

	test("closes when those who are there get on slowly, but not below four", () => {
		const { clock, load } = setUp();
		fetchPieces(clock, load, range(16), KERNEL, 200);
		assert.equal(load.room(false), 4 - 16);
		const few = setUp();
		fetchPieces(few.clock, few.load, range(3), KERNEL, 1000);
		assert.equal(few.load.room(false), 4 - 3);
	});

	test("does not close for one that is slow by itself", () => {
		const { clock, load } = setUp();
		const slow = load.opened(99, KERNEL);
		slow.read(0);
		slow.read(PIECE);
		fetchPieces(clock, load, range(15), KERNEL, 10);
		clock.advance(900);
		slow.read(2 * PIECE);
		fetchPieces(clock, load, range(15), KERNEL, 10);
		assert.ok(load.room(false) > 40, String(load.room(false)));
	});

	test("remembers for some seconds what was possible, and not for ever", () => {
		const { clock, load } = setUp();
		fetchPieces(clock, load, range(8), KERNEL, 10);
		const room = load.room(false);
		assert.ok(room > 8);
		clock.advance(4000);
		assert.equal(load.room(false), room);
		clock.advance(20_000);
		assert.equal(load.room(false), 8);
	});

	test("opens when a boot is silent, between files sooner than within one", () => {
		const { clock, load } = setUp();
		const [done] = [load.opened(1, 100), load.opened(2, 100)];
		done.close();
		assert.equal(load.room(false), 6);
		clock.advance(1500);
		assert.equal(load.room(false), 7);
		clock.advance(3500);
		assert.equal(load.room(false), 8);
	});

	test("takes the largest file that boots show, once they were through", () => {
		const { clock, load } = setUp();
		const small = 1_000_000;
		for (const device of range(40)) {
			const [file] = fetchPieces(clock, load, [device], small, 10);
			load.gotCmdline(device);
			file?.close();
			clock.advance(2000);
			assert.equal(load.isAdmitted(device), false);
		}
		fetchPieces(clock, load, range(16), small, 100);
		// 655 bytes in a millisecond, a file of a megabyte: 1.5 s.
		assert.equal(load.room(false), Math.floor((16 * 6000 * 655.36) / small) - 16);
	});

	test("is not taken by strangers that never come", () => {
		const { clock, load } = setUp();
		for (const device of range(5000)) load.admitted(device, false);
		assert.ok(load.room(false) > 0);
		clock.advance(5000);
		assert.equal(load.room(false), Number.POSITIVE_INFINITY);
		// Real ones are counted as before, as soon as most come.
		for (const device of range(200, 9000)) {
			load.admitted(device, false);
			load.opened(device, 100).close();
		}
		assert.equal(load.room(false), 8 - 200);
		clock.advance(1500);
		for (const device of range(8)) load.admitted(device, false);
		assert.equal(load.room(false), 0);
	});

	test("is free again two seconds after a stranger was let in that does not come, of one that has booted after five", () => {
		const { clock, load } = setUp();
		for (const device of range(3)) load.admitted(device, true);
		for (const device of range(5, 100)) load.admitted(device, false);
		assert.deepEqual([load.room(true), load.room(false)], [5, 0]);
		clock.advance(1999);
		assert.equal(load.room(false), 0);
		clock.advance(1);
		assert.equal(load.room(false), 5);
		assert.equal(load.isAdmitted(100), true);
		// The first comes late: it is one of those that come.
		load.opened(100, 100);
		assert.deepEqual([load.room(true), load.room(false)], [4, 4]);
	});

	test("is no other for one that has booted, whatever strangers there were", () => {
		const { clock, load } = setUp();
		for (let round = 0; round < 10; round++) {
			for (const device of range(2000, 1000 * round)) load.admitted(device, false);
			clock.advance(600);
			assert.equal(load.room(true), 8);
		}
		assert.equal(load.room(false), Number.POSITIVE_INFINITY);
		for (const device of range(8)) load.admitted(device, true);
		// They count for strangers, of whom most stay away, as those that fetch do.
		assert.deepEqual([load.room(true), load.room(false)], [0, 0]);
	});

	test("learns within seconds that strangers come no more, also after a class of first boots", () => {
		const { clock, load } = setUp();
		for (const device of range(200)) {
			load.admitted(device, false);
			load.opened(device, 100).close();
		}
		let next = 1000;
		let waited = 0;
		for (; load.room(false) !== Number.POSITIVE_INFINITY; waited += 200) {
			for (let room = load.room(false); room > 0; room--) load.admitted(next++, false);
			clock.advance(200);
		}
		assert.ok(waited <= 12_000, `${waited} ms`);
	});

	test("is there for somebody within seconds of silence, whatever happened", () => {
		const event = fc.record({
			what: fc.constantFrom("admitted", "opened", "read", "close", "cmdline", "wait"),
			device: fc.nat(20),
			amount: fc.nat(20_000_000),
		});
		fc.assert(
			fc.property(fc.array(event), fc.boolean(), (events, isKnown) => {
				const { clock, load } = setUp();
				const files = new Map<number, ReturnType<FirmwareLoad["opened"]>>();
				for (const { what, device, amount } of events) {
					if (what === "admitted") load.admitted(device, amount % 2 === 0);
					else if (what === "opened") files.set(device, load.opened(device, amount));
					else if (what === "read") files.get(device)?.read(amount);
					else if (what === "close") files.get(device)?.close();
					else if (what === "cmdline") load.gotCmdline(device);
					else clock.advance(amount % 3000);
					assert.ok(!Number.isNaN(load.room(isKnown)));
				}
				clock.advance(5000);
				assert.ok(load.room(isKnown) >= 4);
			}),
		);
	});
});
