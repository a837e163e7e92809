/**
 * Making a pack in a worker thread, so that no Pi waits for it. This file is both sides: what the main thread imports, and
 * what the worker runs.
 */
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { BugError, errorText } from "../../base/index.ts";
import { makePack, type PackProgress, type PackRequest, type PackResult } from "./make-pack.ts";
import { PackError, type PackErrorCode } from "./pack-error.ts";

const ROLE = "pi-netboot packer";

/** Between two reports of the worker, in milliseconds. */
const REPORT_MS = 200;

/** What it works with are a few buffers outside of the heap; a young generation of the usual size would let garbage pile up. */
const LIMITS = { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 256 };

interface Failure {
	/** Undefined: a fault of ours. */
	readonly code?: PackErrorCode;
	readonly message: string;
	readonly hint?: string;
}

type Report =
	| { readonly kind: "progress"; readonly progress: PackProgress }
	| { readonly kind: "done"; readonly result: PackResult }
	| { readonly kind: "failed"; readonly failure: Failure };

export interface PackJob extends PackRequest {
	readonly signal?: AbortSignal;
	readonly onProgress?: (progress: PackProgress) => void;
}

/** Makes map and pack, see `make-pack.ts`. @throws PackError, `pack-cancelled` when the signal asked for it. */
export async function packInWorker({ signal, onProgress, ...request }: PackJob): Promise<PackResult> {
	if (signal?.aborted) throw new PackError("pack-cancelled", "Preparing the image was cancelled.");
	const worker = new Worker(new URL(import.meta.url), { workerData: { role: ROLE, request }, resourceLimits: LIMITS });
	const cancel = () => worker.postMessage("cancel");
	signal?.addEventListener("abort", cancel, { once: true });
	try {
		return await new Promise<PackResult>((resolve, reject) => {
			worker.on("error", (cause) => reject(new BugError(`the packer failed: ${errorText(cause)}`, { cause })));
			worker.on("exit", () => reject(new BugError("the packer ended without a word")));
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

function failed({ code, message, hint }: Failure): Error {
	return code === undefined ? new BugError(message) : new PackError(code, message, hint);
}

async function work(request: PackRequest): Promise<void> {
	const giveUp = new AbortController();
	parentPort?.on("message", () => giveUp.abort());
	let next = 0;
	const onProgress = (progress: PackProgress) => {
		const now = performance.now();
		if (now < next) return;
		next = now + REPORT_MS;
		tell({ kind: "progress", progress });
	};
	try {
		tell({ kind: "done", result: await makePack(request, onProgress, giveUp.signal) });
	} catch (error) {
		tell({ kind: "failed", failure: describe(error) });
	}
}

function tell(report: Report): void {
	parentPort?.postMessage(report);
}

function describe(error: unknown): Failure {
	if (!(error instanceof PackError)) return { message: errorText(error) };
	const { code, message, hint } = error;
	return { code, message, ...(hint !== undefined && { hint }) };
}

if (!isMainThread && workerData?.role === ROLE) await work(workerData.request);
