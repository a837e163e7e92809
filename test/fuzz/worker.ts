/** The thread in which targets run: its parent watches that it goes on, and ends it when it does not. */
import { parentPort, workerData } from "node:worker_threads";
import { AllocationGuard } from "./allocations.ts";
import { type Budget, Session } from "./session.ts";
import { findTarget } from "./targets/index.ts";

/** A request of the parent: run this. */
export interface Order {
	readonly target: string;
	/** Hex. */
	readonly corpus: readonly string[];
	readonly seed: number;
	readonly budget: Budget;
}

/** Shared with the parent: how many runs were begun, the length of the input at hand, and its bytes. */
export const HEADER_BYTES = 8;

const shared = workerData as SharedArrayBuffer;
const counters = new Int32Array(shared, 0, 2);
const current = new Uint8Array(shared, HEADER_BYTES);

function announce(input: Buffer): void {
	current.set(input.subarray(0, current.length));
	Atomics.store(counters, 1, Math.min(input.length, current.length));
	Atomics.add(counters, 0, 1);
}

const guard = new AllocationGuard();
guard.install();

parentPort?.on("message", async ({ target, corpus, seed, budget }: Order) => {
	const inputs = corpus.map((hex) => Buffer.from(hex, "hex"));
	const session = new Session(findTarget(target), inputs, seed, guard, announce);
	parentPort?.postMessage(await session.run(budget));
});
