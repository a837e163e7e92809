/**
 * Work that would keep the event loop from the Pis, done in a worker thread. One file is both sides: the main thread imports it to
 * run the task, and the worker runs it to do the work; so that file ends with `await TASK.serve()`.
 */
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { BugError, errorText } from "./errors.ts";

/** Between two reports of progress, in milliseconds. */
const REPORT_MS = 50;

export interface WorkerTaskOptions<Request, Progress, Result, Failure> {
	/** For people: "the unpacker". */
	readonly name: string;
	/** `import.meta.url` of the file that makes the task. */
	readonly file: string;
	/** Most that the worker's heap takes, in MiB; buffers lie outside of it. */
	readonly heapMegabytes: number;
	/** Runs in the worker. Request, progress and result are plain values. */
	readonly work: (request: Request, onProgress: (progress: Progress) => void, signal: AbortSignal) => Promise<Result>;
	/** What of an error goes to the main thread, as a plain value; undefined for one that is a fault of ours. */
	readonly describe: (error: unknown) => Failure | undefined;
	/** Makes the error again out of that. */
	readonly revive: (failure: Failure) => Error;
}

export interface WorkerTaskRun<Progress> {
	readonly signal?: AbortSignal | undefined;
	readonly onProgress?: ((progress: Progress) => void) | undefined;
}

type Report<Progress, Result, Failure> =
	| { readonly kind: "progress"; readonly progress: Progress }
	| { readonly kind: "done"; readonly result: Result }
	| { readonly kind: "failed"; readonly failure: Failure }
	| { readonly kind: "bug"; readonly message: string };

/** See the head of this file. */
export class WorkerTask<Request, Progress, Result, Failure> {
	readonly #options: WorkerTaskOptions<Request, Progress, Result, Failure>;

	constructor(options: WorkerTaskOptions<Request, Progress, Result, Failure>) {
		this.#options = options;
	}

	/**
	 * Does the work in a worker of its own. An abort of the signal aborts the one that the work is given; what it does then is its answer.
	 *
	 * @throws what `revive` makes; BugError for a fault of ours, as when the worker ends without a word.
	 */
	async run(request: Request, { signal, onProgress }: WorkerTaskRun<Progress> = {}): Promise<Result> {
		const { name, file, heapMegabytes, revive } = this.#options;
		// What the work needs are a few buffers outside of the heap; a young generation of the usual size would let garbage pile up.
		const resourceLimits = { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: heapMegabytes };
		const worker = new Worker(new URL(file), { workerData: { task: name, request }, resourceLimits });
		const cancel = () => worker.postMessage("cancel");
		if (signal?.aborted) cancel();
		signal?.addEventListener("abort", cancel, { once: true });
		try {
			return await new Promise<Result>((resolve, reject) => {
				worker.on("error", (cause) => reject(new BugError(`${name} failed: ${errorText(cause)}`, { cause })));
				worker.on("exit", () => reject(new BugError(`${name} ended without a word`)));
				worker.on("message", (report: Report<Progress, Result, Failure>) => {
					if (report.kind === "progress") onProgress?.(report.progress);
					else if (report.kind === "done") resolve(report.result);
					else if (report.kind === "failed") reject(revive(report.failure));
					else reject(new BugError(report.message));
				});
			});
		} finally {
			signal?.removeEventListener("abort", cancel);
			await worker.terminate();
		}
	}

	/** In the worker: does the work. Anywhere else: nothing. */
	async serve(): Promise<void> {
		const { name, work, describe } = this.#options;
		if (isMainThread || workerData?.task !== name) return;
		const tell = (report: Report<Progress, Result, Failure>) => parentPort?.postMessage(report);
		const giveUp = new AbortController();
		parentPort?.on("message", () => giveUp.abort());
		const onProgress = atMostEvery(REPORT_MS, (progress: Progress) => tell({ kind: "progress", progress }));
		try {
			tell({ kind: "done", result: await work(workerData.request, onProgress, giveUp.signal) });
		} catch (error) {
			const failure = describe(error);
			tell(failure === undefined ? { kind: "bug", message: errorText(error) } : { kind: "failed", failure });
		}
	}
}

function atMostEvery<T>(milliseconds: number, tell: (value: T) => void): (value: T) => void {
	let next = 0;
	return (value) => {
		const now = performance.now();
		if (now < next) return;
		next = now + milliseconds;
		tell(value);
	};
}
