import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ManualClock } from "../base/index.ts";
import { BootQueue, type Turn } from "./boot-queue.ts";
import { FirmwareLoad } from "./firmware-load.ts";

function setUp() {
	const clock = new ManualClock();
	const load = new FirmwareLoad(clock);
	return { clock, load, queue: new BootQueue(clock, load) };
}

/** What becomes of a turn: `undefined` while it is open. */
function watch(turn: Turn | undefined): { readonly before: number; outcome: () => Promise<boolean | undefined> } {
	assert.ok(turn, "expected to wait");
	const open = Symbol();
	const outcome = async () => {
		const first = await Promise.race([turn.comes, Promise.resolve().then(() => open)]);
		return typeof first === "boolean" ? first : undefined;
	};
	return { before: turn.before, outcome };
}

/** Eight that fetch for ever: nobody else has room. */
function crowd({ clock, load }: ReturnType<typeof setUp>) {
	const open = Array.from({ length: 8 }, (_, index) => load.opened(1000 + index, 100));
	let at = 0;
	const alive = (milliseconds: number) => {
		for (let done = 0; done < milliseconds; done += 200) {
			at++;
			for (const file of open) file.read(at > 1 ? 0 : at);
			clock.advance(200);
		}
	};
	return { open, alive };
}

describe("the line of those that wait to boot", () => {
	test("does not hold one that is alone, nor the first of many", () => {
		const { queue } = setUp();
		for (let device = 0; device < 8; device++) {
			assert.equal(queue.ask(device), undefined);
			// Its OFFER was lost: it asks again.
			assert.equal(queue.ask(device), undefined);
		}
		assert.equal(queue.ask(8)?.before, 0);
		assert.equal(queue.ask(9)?.before, 1);
	});

	test("goes on in the order in which they came, as soon as there is room", async () => {
		const all = setUp();
		const { open, alive } = crowd(all);
		const [one, two] = [watch(all.queue.ask(1)), watch(all.queue.ask(2))];
		open.splice(0, 1)[0]?.close();
		alive(1400);
		assert.deepEqual([await one.outcome(), await two.outcome()], [undefined, undefined]);
		alive(400);
		assert.deepEqual([await one.outcome(), await two.outcome()], [true, undefined]);
		assert.equal(all.queue.ask(1), undefined);
	});

	test("keeps the place of one that asks again, and answers its last question only", async () => {
		const all = setUp();
		const { open, alive } = crowd(all);
		const first = watch(all.queue.ask(1));
		alive(4000);
		const later = watch(all.queue.ask(2));
		const again = watch(all.queue.ask(1));
		assert.deepEqual([first.before, later.before, again.before], [0, 1, 0]);
		assert.equal(await first.outcome(), false);
		open.splice(0, 1)[0]?.close();
		alive(2000);
		assert.deepEqual([await again.outcome(), await later.outcome()], [true, undefined]);
	});

	test("passes over one that asks no more, and keeps its place for a minute", async () => {
		const all = setUp();
		const { open, alive } = crowd(all);
		const gone = watch(all.queue.ask(1));
		alive(6000);
		assert.equal(await gone.outcome(), false);
		const here = watch(all.queue.ask(2));
		assert.equal(here.before, 0);
		assert.equal(all.queue.ask(1)?.before, 0);
		alive(61_000);
		assert.equal(all.queue.ask(2)?.before, 0);
		open.splice(0, 1)[0]?.close();
		alive(2000);
		assert.equal(all.queue.ask(1)?.before, 0);
	});

	test("lets one in every five seconds after five minutes, whatever the others do", async () => {
		const all = setUp();
		const { alive } = crowd(all);
		for (let waited = 0; waited < 300_000; waited += 4000) {
			for (const device of [1, 2, 3]) assert.ok(all.queue.ask(device), `${device} waits ${waited} ms`);
			alive(4000);
		}
		const asked = () => [2, 3].map((device) => watch(all.queue.ask(device)));
		assert.equal(all.queue.ask(1), undefined);
		let [two, three] = asked();
		alive(4000);
		assert.deepEqual([await two?.outcome(), await three?.outcome()], [undefined, undefined]);
		[two, three] = asked();
		alive(1200);
		assert.deepEqual([await two?.outcome(), await three?.outcome()], [true, undefined]);
	});

	test("has an end: who comes behind a thousand strangers does not wait", () => {
		const all = setUp();
		crowd(all);
		for (let device = 0; device < 1000; device++) assert.ok(all.queue.ask(device));
		assert.equal(all.queue.ask(5000), undefined);
	});

	test("is no line when those in front never come for their files", async () => {
		const { clock, queue } = setUp();
		for (let device = 0; device < 8; device++) queue.ask(device);
		for (let device = 100; device < 600; device++) queue.ask(device);
		const honest = watch(queue.ask(7000));
		assert.equal(honest.before, 500);
		for (let waited = 0; waited < 4000; waited += 200) clock.advance(200);
		const again = watch(queue.ask(7000));
		for (let waited = 0; waited < 1200; waited += 200) clock.advance(200);
		assert.equal(await again.outcome(), true);
	});

	test("is over at the stop", async () => {
		const all = setUp();
		crowd(all);
		const turn = watch(all.queue.ask(1));
		all.queue.stop();
		assert.equal(await turn.outcome(), false);
	});
});

describe("the ROM of a Pi 3", () => {
	test("is over once bootcode.bin was fetched, until what comes behind it is", () => {
		const { clock, queue } = setUp();
		assert.equal(queue.isPastRom(1), false);
		queue.gotBootcode(1);
		for (let round = 0; round < 10; round++) {
			clock.advance(4000);
			assert.equal(queue.isPastRom(1), true);
		}
		queue.gotOn(1);
		assert.equal(queue.isPastRom(1), false);
	});

	test("is what asks after a silence: the Pi was switched off and on", () => {
		const { clock, queue } = setUp();
		queue.gotBootcode(1);
		clock.advance(9000);
		assert.equal(queue.isPastRom(1), false);
		assert.equal(queue.isPastRom(1), false);
	});
});
