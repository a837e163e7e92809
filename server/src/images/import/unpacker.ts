/**
 * Unpacking in a worker thread, so that no Pi waits for it. This file is both sides: what the main thread imports, and what
 * the worker runs.
 */
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { BugError, errorText } from "../../base/index.ts";
import { ImportError, type ImportErrorCode } from "./import-error.ts";
import { type UnpackProgress, type UnpackRequest, type UnpackResult, unpackFile } from "./unpack-file.ts";

const ROLE = "pi-netboot unpacker";

/** Between two reports of the worker, in milliseconds. */
const REPORT_MS = 50;

/** What it works with are a few buffers outside of the heap; a young generation of the usual size would let garbage pile up. */
const LIMITS = { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 128 };

interface Failure {
	/** Undefined: a fault of ours. */
	readonly code?: ImportErrorCode;
	readonly message: string;
	readonly hint?: string;
	readonly retry: boolean;
}

type Report =
	| { readonly kind: "progress"; readonly progress: UnpackProgress }
	| { readonly kind: "done"; readonly result: UnpackResult }
	| { readonly kind: "failed"; readonly failure: Failure };

export interface UnpackJob extends UnpackRequest {
	readonly signal?: AbortSignal;
	readonly onProgress?: (progress: UnpackProgress) => void;
}

/**
 * Unpacks a file, see `unpack-file.ts`.
 *
 * @throws ImportError, `import-cancelled` when the signal asked for it; then nothing is left behind.
 */
export async function unpackInWorker({ signal, onProgress, ...request }: UnpackJob): Promise<UnpackResult> {
	if (signal?.aborted) throw cancelled();
	const worker = new Worker(new URL(import.meta.url), { workerData: { role: ROLE, request }, resourceLimits: LIMITS });
	const cancel = () => worker.postMessage("cancel");
	signal?.addEventListener("abort", cancel, { once: true });
	try {
		return await new Promise<UnpackResult>((resolve, reject) => {
			worker.on("error", (cause) => reject(new BugError(`the unpacker failed: ${errorText(cause)}`, { cause })));
			worker.on("exit", () => reject(new BugError("the unpacker ended without a word")));
			worker.on("message", (report: Report) => {
				if (report.kind === "progress") onProgress?.(report.progress);
				else if (report.kind === "done") resolve(report.result);
				else reject(failed(report.failure));
			});
		});
	} finally {
		signal?.removeEventListener("abort", cancel);
		await worker.terminate();
	}
}

function cancelled(): ImportError {
	return new ImportError("import-cancelled", "The import was cancelled.");
}

function failed({ code, message, hint, retry }: Failure): Error {
	if (code === undefined) return new BugError(message);
	return new ImportError(code, message, { retry, ...(hint !== undefined && { hint }) });
}

async function work(request: UnpackRequest): Promise<void> {
	const giveUp = new AbortController();
	parentPort?.on("message", () => giveUp.abort(cancelled()));
	let next = 0;
	const onProgress = (progress: UnpackProgress) => {
		const now = performance.now();
		if (now < next) return;
		next = now + REPORT_MS;
		tell({ kind: "progress", progress });
	};
	try {
		const result = await unpackFile(request, onProgress, giveUp.signal);
		tell({ kind: "done", result });
	} catch (error) {
		tell({ kind: "failed", failure: describe(error) });
	}
}

function tell(report: Report): void {
	parentPort?.postMessage(report);
}

function describe(error: unknown): Failure {
	if (!(error instanceof ImportError)) return { message: errorText(error), retry: false };
	const { code, message, hint, retry } = error;
	return { code, message, retry, ...(hint !== undefined && { hint }) };
}

if (!isMainThread && workerData?.role === ROLE) await work(workerData.request);
