/** Runs targets in a thread of their own, and takes down what it did last when it hangs or dies. */
import { Worker } from "node:worker_threads";
import type { Report } from "./session.ts";
import type { Order } from "./worker.ts";

const HEADER_BYTES = 8;
const LONGEST_INPUT = 256 * 1024;
/** Mebibytes; a decoder that needs more for inputs of some kilobytes is broken. */
const HEAP_LIMIT = 384;
/** Milliseconds that one run may take. The slowest of them take a tenth of a second on a loaded machine. */
const PATIENCE = 10_000;

export class Supervisor {
	readonly #patience: number;
	#worker: Worker | undefined;
	/** Resolves when the thread is gone, however it went: a thread that dies by itself may never answer `terminate`. */
	#gone: Promise<void> = Promise.resolve();
	/** What is being waited for. */
	#order: PromiseWithResolvers<Report> | undefined;
	#shared = new SharedArrayBuffer(HEADER_BYTES + LONGEST_INPUT);

	constructor(patience = PATIENCE) {
		this.#patience = patience;
	}

	/** Never rejects for what a target does: that is a failure in the report. */
	async run(order: Order): Promise<Report> {
		const worker = this.#worker ?? this.#start();
		const started = performance.now();
		try {
			return await this.#watch(worker, order);
		} catch (error) {
			await this.close();
			const reason = error instanceof Error ? `${error.name}: ${error.message}` : `${error}`;
			const counters = new Int32Array(this.#shared, 0, 2);
			const input = Buffer.from(this.#shared, HEADER_BYTES, Atomics.load(counters, 1)).toString("hex");
			const seconds = (performance.now() - started) / 1000;
			const { target, seed } = order;
			const runs = Atomics.load(counters, 0);
			return { target, seed, runs, seconds, outcomes: 0, interesting: [], failures: [{ input, reason }] };
		}
	}

	#start(): Worker {
		this.#shared = new SharedArrayBuffer(HEADER_BYTES + LONGEST_INPUT);
		const worker = new Worker(new URL("./worker.ts", import.meta.url), {
			workerData: this.#shared,
			resourceLimits: { maxOldGenerationSizeMb: HEAP_LIMIT },
		});
		const gone = Promise.withResolvers<void>();
		worker.on("message", (report: Report) => this.#orderOf(worker)?.resolve(report));
		worker.on("error", (error) => this.#orderOf(worker)?.reject(error));
		worker.on("exit", (code) => {
			gone.resolve();
			this.#orderOf(worker)?.reject(new Error(`the thread ended with code ${code}`));
			if (worker === this.#worker) this.#worker = undefined;
		});
		this.#worker = worker;
		this.#gone = gone.promise;
		return worker;
	}

	/** What is waited for from this thread; nothing, when it is one that was given up. */
	#orderOf(worker: Worker): PromiseWithResolvers<Report> | undefined {
		return worker === this.#worker ? this.#order : undefined;
	}

	async #watch(worker: Worker, order: Order): Promise<Report> {
		const running = Promise.withResolvers<Report>();
		this.#order = running;
		const counters = new Int32Array(this.#shared, 0, 2);
		Atomics.store(counters, 0, 0);
		let last = { runs: 0, at: performance.now() };
		const timer = setInterval(() => {
			const runs = Atomics.load(counters, 0);
			// Until its first run a target makes its seeds, with programs that may take their time.
			if (runs !== last.runs || runs === 0) last = { runs, at: performance.now() };
			if (performance.now() - last.at <= this.#patience) return;
			running.reject(new Error(`one run takes more than ${this.#patience} ms`));
		}, 250);
		worker.postMessage(order);
		try {
			return await running.promise;
		} finally {
			clearInterval(timer);
			this.#order = undefined;
		}
	}

	/** Ends the thread; another one begins when it is needed. */
	async close(): Promise<void> {
		const worker = this.#worker;
		this.#worker = undefined;
		await Promise.race([worker?.terminate(), this.#gone]);
	}
}
