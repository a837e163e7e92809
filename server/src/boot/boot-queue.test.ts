import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
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

interface Moment {
	readonly known: number;
	readonly what: string;
	readonly strangers: number;
	/** How often the queue looks whether there is room, before the next moment. */
	readonly looks: number;
}

/** What known Pis are told, and when, while strangers ask in between or not. */
async function story(moments: readonly Moment[], hasStrangers: boolean): Promise<string[]> {
	const { clock, load, queue } = setUp();
	const told: string[] = [];
	const files = new Map<number, { close(): void }>();
	let stranger = 1000;
	for (const { known, what, strangers, looks } of moments) {
		for (let count = 0; hasStrangers && count < strangers; count++) queue.ask(stranger++, false);
		if (what === "fetches" && load.isAdmitted(known)) files.set(known, load.opened(known, 100));
		else if (what === "ends") files.get(known)?.close();
		else {
			const turn = queue.ask(known, true);
			told.push(`${known} ${turn?.before ?? "begins"}`);
			turn?.comes.then((isTurn) => told.push(`${known} ${isTurn} at ${clock.monotonic()}`));
		}
		for (let look = 0; look < looks; look++) {
			clock.advance(200);
			await Promise.resolve();
		}
	}
	queue.stop();
	await Promise.resolve();
	return told;
}

describe("the line of those that wait to boot", () => {
	test("does not hold one that is alone, nor the first of many", () => {
		const { queue } = setUp();
		for (let device = 0; device < 8; device++) {
			assert.equal(queue.ask(device, false), undefined);
			// Its OFFER was lost: it asks again.
			assert.equal(queue.ask(device, false), undefined);
		}
		assert.equal(queue.ask(8, false)?.before, 0);
		assert.equal(queue.ask(9, false)?.before, 1);
	});

	test("goes on in the order in which they came, as soon as there is room", async () => {
		const all = setUp();
		const { open, alive } = crowd(all);
		const [one, two] = [watch(all.queue.ask(1, false)), watch(all.queue.ask(2, false))];
		open.splice(0, 1)[0]?.close();
		alive(1400);
		assert.deepEqual([await one.outcome(), await two.outcome()], [undefined, undefined]);
		alive(400);
		assert.deepEqual([await one.outcome(), await two.outcome()], [true, undefined]);
		assert.equal(all.queue.ask(1, false), undefined);
	});

	test("keeps the place of one that asks again, and answers its last question only", async () => {
		const all = setUp();
		const { open, alive } = crowd(all);
		const first = watch(all.queue.ask(1, false));
		alive(4000);
		const later = watch(all.queue.ask(2, false));
		const again = watch(all.queue.ask(1, false));
		assert.deepEqual([first.before, later.before, again.before], [0, 1, 0]);
		assert.equal(await first.outcome(), false);
		open.splice(0, 1)[0]?.close();
		alive(2000);
		assert.deepEqual([await again.outcome(), await later.outcome()], [true, undefined]);
	});

	test("passes over one that asks no more, and keeps its place for a minute", async () => {
		const all = setUp();
		const { open, alive } = crowd(all);
		const gone = watch(all.queue.ask(1, false));
		alive(6000);
		assert.equal(await gone.outcome(), false);
		const here = watch(all.queue.ask(2, false));
		assert.equal(here.before, 0);
		assert.equal(all.queue.ask(1, false)?.before, 0);
		alive(61_000);
		assert.equal(all.queue.ask(2, false)?.before, 0);
		open.splice(0, 1)[0]?.close();
		alive(2000);
		assert.equal(all.queue.ask(1, false)?.before, 0);
	});

	test("lets one in every five seconds after five minutes, whatever the others do", async () => {
		const all = setUp();
		const { alive } = crowd(all);
		for (let waited = 0; waited < 300_000; waited += 4000) {
			for (const device of [1, 2, 3]) assert.ok(all.queue.ask(device, false), `${device} waits ${waited} ms`);
			alive(4000);
		}
		const asked = () => [2, 3].map((device) => watch(all.queue.ask(device, false)));
		assert.equal(all.queue.ask(1, false), undefined);
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
		for (let device = 0; device < 1000; device++) assert.ok(all.queue.ask(device, false));
		assert.equal(all.queue.ask(5000, false), undefined);
	});

	test("is no line when those in front never come for their files", async () => {
		const { clock, queue } = setUp();
		for (let device = 0; device < 8; device++) queue.ask(device, false);
		for (let device = 100; device < 600; device++) queue.ask(device, false);
		const honest = watch(queue.ask(7000, false));
		assert.equal(honest.before, 500);
		for (let waited = 0; waited < 4000; waited += 200) clock.advance(200);
		const again = watch(queue.ask(7000, false));
		for (let waited = 0; waited < 1200; waited += 200) clock.advance(200);
		assert.equal(await again.outcome(), true);
	});

	test("lets those go first that have booted before, and tells each who is before it", async () => {
		const all = setUp();
		const { open, alive } = crowd(all);
		const stranger = watch(all.queue.ask(1, false));
		const known = [2, 3].map((device) => watch(all.queue.ask(device, true)));
		assert.deepEqual(
			[stranger, ...known].map(({ before }) => before),
			[0, 0, 1],
		);
		assert.equal(all.queue.ask(4, false)?.before, 3);
		open.splice(0, 1)[0]?.close();
		alive(1800);
		const outcomes = await Promise.all([stranger, ...known].map(({ outcome }) => outcome()));
		assert.deepEqual(outcomes, [undefined, true, undefined]);
	});

	test("is left by one that has booted meanwhile for the other line", async () => {
		const all = setUp();
		crowd(all);
		const stranger = watch(all.queue.ask(1, false));
		assert.equal(all.queue.ask(2, false)?.before, 1);
		assert.equal(all.queue.ask(1, true)?.before, 0);
		assert.equal(await stranger.outcome(), false);
		assert.equal(all.queue.ask(2, false)?.before, 1);
	});

	test("has an overdue one of each line every five seconds", async () => {
		const all = setUp();
		const { alive } = crowd(all);
		const both = () => [watch(all.queue.ask(1, true)), watch(all.queue.ask(2, true)), watch(all.queue.ask(3, false))];
		for (let waited = 0; waited < 296_000; waited += 4000) {
			both();
			alive(4000);
		}
		const last = both();
		alive(4200);
		assert.deepEqual(await Promise.all(last.map(({ outcome }) => outcome())), [true, undefined, true]);
	});

	test("is as short for those that have booted as if there were no strangers, who never come", async () => {
		const moment = fc.record({
			known: fc.nat(40),
			what: fc.constantFrom("asks", "fetches", "ends"),
			strangers: fc.nat(40),
			looks: fc.nat(3),
		});
		await fc.assert(
			fc.asyncProperty(fc.array(moment, { minLength: 20, maxLength: 80 }), async (moments) => {
				const [alone, flooded] = [await story(moments, false), await story(moments, true)];
				assert.deepEqual(flooded, alone);
			}),
		);
	});

	test("is over at the stop", async () => {
		const all = setUp();
		crowd(all);
		const turn = watch(all.queue.ask(1, false));
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
