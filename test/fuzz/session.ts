/** One target, run again and again: first its corpus and its seeds, then what mutation makes of them. */
import type { AllocationGuard } from "./allocations.ts";
import { mutateBytes } from "./mutate.ts";
import { refusal, withoutParticulars } from "./outcome.ts";
import { Random } from "./random.ts";
import type { FuzzTarget } from "./target.ts";

/** How long a session lasts: whichever comes first. */
export interface Budget {
	readonly runs: number;
	readonly seconds: number;
}

export interface Failure {
	/** Hex. */
	readonly input: string;
	readonly reason: string;
}

export interface Report {
	readonly target: string;
	readonly seed: number;
	readonly runs: number;
	readonly seconds: number;
	/** Different things that inputs came to. */
	readonly outcomes: number;
	/** Inputs (hex) that came to something which neither corpus nor seeds did, with what it was. */
	readonly interesting: readonly { readonly input: string; readonly why: string }[];
	readonly failures: readonly Failure[];
}

const ALLOCATION_FLOOR = 1 << 20;
const ALLOCATION_FACTOR = 64;
const LONGEST = 4096;
/** Inputs that are mutated further; new ones push old ones out. */
const MAX_POOL = 4000;
/** One defect shows in many ways; more than these help nobody. */
const MAX_FAILURES = 20;

export class Session {
	readonly #target: FuzzTarget;
	readonly #guard: AllocationGuard;
	readonly #random: Random;
	readonly #seed: number;
	readonly #before: (input: Buffer) => void;
	readonly #words: readonly Buffer[];
	readonly #pool: Buffer[];
	readonly #outcomes = new Set<string>();
	readonly #interesting = new Map<string, Buffer>();
	readonly #failures = new Map<string, Failure>();
	#runs = 0;
	#started = performance.now();
	#isExploring = false;

	/** @param before told of each input before it is run, so that somebody can say which one it was that hung. */
	constructor(
		target: FuzzTarget,
		corpus: readonly Buffer[],
		seed: number,
		guard: AllocationGuard,
		before: (input: Buffer) => void,
	) {
		this.#target = target;
		this.#guard = guard;
		this.#random = new Random(seed);
		this.#seed = seed;
		this.#before = before;
		this.#words = (target.words ?? []).map((word) => (typeof word === "string" ? Buffer.from(word) : word));
		this.#pool = [...target.seeds(), ...corpus];
	}

	async run(budget: Budget): Promise<Report> {
		for (const input of [...this.#pool]) await this.#once(input);
		this.#isExploring = true;
		this.#started = performance.now();
		const known = this.#runs;
		while (this.#runs - known < budget.runs && this.#seconds < budget.seconds && this.#failures.size < MAX_FAILURES) {
			await this.#once(this.#next());
		}
		return this.#report();
	}

	get #seconds(): number {
		return (performance.now() - this.#started) / 1000;
	}

	#next(): Buffer {
		const { longest = LONGEST } = this.#target;
		const input = this.#random.pick(this.#pool);
		const other = this.#random.pick(this.#pool);
		// The target's own mutations know the structure; now and then bytes change that no structure would let change.
		if (this.#target.mutate !== undefined && !this.#random.oneIn(4)) {
			return this.#target.mutate(this.#random, input, other).subarray(0, longest);
		}
		return mutateBytes(this.#random, input, other, { words: this.#words, longest });
	}

	async #once(input: Buffer): Promise<void> {
		this.#runs++;
		this.#before(input);
		// The target gets a copy, at an offset that no alignment helps: what it does to its input must not spoil the pool.
		const copy = Buffer.from(input);
		this.#guard.begin(Math.max(this.#target.allowance ?? ALLOCATION_FLOOR, ALLOCATION_FACTOR * input.length));
		try {
			const result = this.#target.run(copy);
			const text = typeof result === "string" ? result : await result;
			this.#guard.end();
			this.#seen(text, input);
		} catch (error) {
			this.#refused(error, input);
		}
	}

	#refused(error: unknown, input: Buffer): void {
		try {
			this.#guard.end();
			this.#seen(refusal(error), input);
		} catch (failure) {
			this.#fail(failure, input);
		}
	}

	#seen(text: string, input: Buffer): void {
		for (const line of text.split("\n")) {
			if (this.#outcomes.has(line)) continue;
			this.#outcomes.add(line);
			if (!this.#isExploring) continue;
			const bytes = Buffer.from(input);
			this.#interesting.set(line, bytes);
			if (this.#pool.length < MAX_POOL) this.#pool.push(bytes);
			else this.#pool[this.#random.below(MAX_POOL)] = bytes;
		}
	}

	#fail(error: unknown, input: Buffer): void {
		const reason = error instanceof Error ? `${error.name}: ${error.message}` : `${error}`;
		const place = error instanceof Error ? (/\n\s+at .*/.exec(error.stack ?? "")?.[0] ?? "") : "";
		const key = withoutParticulars(reason) + place;
		if (this.#failures.has(key)) return;
		const stack = error instanceof Error ? error.stack : undefined;
		this.#failures.set(key, { input: input.toString("hex"), reason: stack ?? reason });
	}

	#report(): Report {
		return {
			target: this.#target.name,
			seed: this.#seed,
			runs: this.#runs,
			seconds: this.#seconds,
			outcomes: this.#outcomes.size,
			interesting: [...this.#interesting].map(([why, input]) => ({ input: input.toString("hex"), why })),
			failures: [...this.#failures.values()],
		};
	}
}
