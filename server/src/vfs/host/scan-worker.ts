/** A look over a directory in a worker thread, so that no Pi waits for it. This file is both sides. */
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { BugError, errorText, FileError, isNetbootError, systemCode, UnsupportedError } from "../../base/index.ts";
import { type ScannedFile, type ScanResult, scan } from "./scan.ts";

const ROLE = "pi-netboot directory scan";

/** Files in one message: to take them in is a matter of milliseconds. The next one is sent when that is done. */
const BATCH = 1000;

type Report =
	| { readonly kind: "files"; readonly files: readonly ScannedFile[] }
	| { readonly kind: "done"; readonly result: ScanResult }
	| { readonly kind: "changes"; readonly message: string }
	| { readonly kind: "unsupported"; readonly message: string }
	| { readonly kind: "failed"; readonly message: string; readonly code: string | undefined };

/** Looks a directory over. @throws see `scan`; ExternalError */
export async function scanInWorker(
	base: string,
	visit: ((file: ScannedFile) => void) | undefined,
): Promise<ScanResult> {
	const taken = new Int32Array(new SharedArrayBuffer(4));
	const options = { workerData: { role: ROLE, base, taken, isSilent: visit === undefined } };
	const worker = new Worker(new URL(import.meta.url), options);
	const take = (files: readonly ScannedFile[]) => {
		for (const file of files) visit?.(file);
		Atomics.add(taken, 0, 1);
		Atomics.notify(taken, 0);
	};
	try {
		return await new Promise<ScanResult>((resolve, reject) => {
			worker.on("error", (cause) =>
				reject(new BugError(`the look over ${base} failed: ${errorText(cause)}`, { cause })),
			);
			worker.on("exit", () => reject(new BugError("the look over a directory ended without a word")));
			worker.on("message", (report: Report) => {
				if (report.kind === "files") take(report.files);
				else if (report.kind === "done") resolve(report.result);
				else reject(failed(report));
			});
		});
	} finally {
		await worker.terminate();
	}
}

function failed(report: Exclude<Report, { readonly kind: "files" | "done" }>): Error {
	if (report.kind === "changes") return new FileError("EAGAIN", report.message);
	if (report.kind === "unsupported") return new UnsupportedError("directory", report.message);
	return report.code === undefined ? new BugError(report.message) : new FileError("EIO", report.message);
}

function work(base: string, isSilent: boolean, taken: Int32Array): void {
	let files: ScannedFile[] = [];
	let sent = 0;
	const flush = () => {
		tell({ kind: "files", files });
		files = [];
		Atomics.wait(taken, 0, sent++);
	};
	try {
		const result = scan(base, (file) => {
			if (!isSilent && files.push(file) >= BATCH) flush();
		});
		if (files.length > 0) flush();
		tell({ kind: "done", result });
	} catch (error) {
		tell(described(error));
	}
}

function described(error: unknown): Report {
	const message = errorText(error);
	if (error instanceof FileError && error.code === "EAGAIN") return { kind: "changes", message };
	if (error instanceof UnsupportedError) return { kind: "unsupported", message };
	return { kind: "failed", message, code: systemCode(error) ?? (isNetbootError(error) ? error.code : undefined) };
}

function tell(report: Report): void {
	parentPort?.postMessage(report);
}

if (!isMainThread && workerData?.role === ROLE) work(workerData.base, workerData.isSilent, workerData.taken);
