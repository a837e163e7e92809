/** Whatever an agent reports of its write, the API can show it. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { AgentEvent, Write } from "@pi-netboot/api";
import fc from "fast-check";
import type { AgentCaller } from "../writes/index.ts";
import { Floor } from "../writes/testing/floor.ts";
import { WriteAnswers } from "./write-service.ts";

const bytes = fc.oneof(fc.nat(2000), fc.constantFrom(0, 1000, 1100, Number.MAX_SAFE_INTEGER), fc.maxSafeNat());

const event = fc.record({
	job: fc.constant("0123456789abcdef"),
	seq: fc.integer({ min: 1, max: 50 }),
	device: fc.constant("/dev/mmcblk0"),
	stage: fc.constantFrom("wiping", "writing", "verifying", "syncing", "complete", "failed", "cancelled"),
	percent: fc.double({ min: 0, max: 100, noNaN: true }),
	bytesDone: bytes,
	bytesTotal: bytes,
	wireBytes: bytes,
	zeroedBytes: bytes,
	verifiedBytes: bytes,
	retries: bytes,
	durable: fc.constantFrom(null, "AQ==", "////"),
	error: fc.option(
		fc.record({
			code: fc.constantFrom("disk-error", "unreachable", "pack-gone", "internal", ""),
			message: fc.string({ maxLength: 50, unit: "binary" }),
			offset: bytes,
		}),
	),
});

const step = fc.oneof(
	{ weight: 6, arbitrary: event.map((what) => ({ kind: "report", what }) as const) },
	{ weight: 1, arbitrary: fc.constantFrom("next", "cancel", "retry", "restart").map((kind) => ({ kind }) as const) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** A Pi with one write. */
class Story {
	readonly #floor: Floor;
	readonly #id: string;
	#pi: AgentCaller;
	#percent = 0;

	constructor(floor: Floor, pi: AgentCaller, id: string) {
		this.#floor = floor;
		this.#pi = pi;
		this.#id = id;
	}

	async take(step: Step): Promise<void> {
		const { jobs } = this.#floor;
		switch (step.kind) {
			case "report":
				await jobs.report(this.#pi, { ...AgentEvent.parse(step.what), job: this.#id });
				break;
			case "next":
				await this.#floor.next(this.#pi);
				break;
			case "restart":
				await this.#floor.restart();
				this.#pi = this.#floor.again(this.#pi);
				break;
			default:
				await this.#ask(step.kind);
		}
		await this.#floor.settled();
		this.#floor.bench.clock.advance(700);
	}

	/** Refused where it makes no sense. */
	async #ask(kind: "cancel" | "retry"): Promise<void> {
		const [result] = await Promise.allSettled([this.#floor.jobs[kind](this.#id)]);
		if (result.status === "fulfilled" && kind === "retry") this.#percent = 0;
	}

	check(): void {
		const { jobs, agents, bench } = this.#floor;
		const { registry } = bench;
		const shown = Write.strict().parse(new WriteAnswers({ registry, jobs, agents }).get(this.#id));
		assert.ok(shown.percent >= this.#percent, `${shown.percent} after ${this.#percent}`);
		this.#percent = shown.percent;
		assert.ok(shown.bytesDone <= shown.bytesTotal);
		assert.equal(this.#pi.device.intent, shown.stage === "complete" ? "disk" : "netboot");
	}
}

describe("a hostile agent", () => {
	it("can be shown, and its percent never falls within one go", async () => {
		const property = fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
			await using floor = await Floor.open();
			const pi = await floor.boot();
			const story = new Story(floor, pi, (await floor.order(pi)).id);
			for (const one of steps) {
				await story.take(one);
				story.check();
			}
		});
		await fc.assert(property, { numRuns: 8 });
	});
});
