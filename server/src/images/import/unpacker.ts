/**
 * Unpacking so that no Pi waits for it: by the program of the format where there is one, else in a worker thread. This file is
 * both sides: what the main thread imports, and what the worker runs.
 */
import { systemCode, WorkerTask } from "../../base/index.ts";
import { hasProgram } from "../../disk/index.ts";
import { ImportError, type ImportErrorCode } from "./import-error.ts";
import { packingOf } from "./packing-of.ts";
import { type UnpackProgress, type UnpackRequest, type UnpackResult, unpackFile } from "./unpack-file.ts";
import { unpackHere, unpackWithProgram } from "./unpack-ways.ts";

interface Failure {
	readonly code: ImportErrorCode;
	readonly message: string;
	readonly hint: string | undefined;
	readonly retry: boolean;
}

const unpacker = new WorkerTask<UnpackRequest, UnpackProgress, UnpackResult, Failure>({
	name: "the unpacker",
	file: import.meta.url,
	heapMegabytes: 128,
	work: (request, onProgress, signal) => unpackFile(request, unpackHere, onProgress, signal),
	describe: (error) => {
		if (!(error instanceof ImportError)) return undefined;
		const { code, message, hint, retry } = error;
		return { code, message, hint, retry };
	},
	revive: ({ code, message, hint, retry }) =>
		new ImportError(code, message, { retry, ...(hint !== undefined && { hint }) }),
});

export interface UnpackJob extends UnpackRequest {
	readonly signal?: AbortSignal;
	readonly onProgress?: (progress: UnpackProgress) => void;
	/** Whether to unpack with what is built in, whatever is installed. */
	readonly isBuiltIn?: boolean;
}

/**
 * Unpacks a file, see `unpack-file.ts`.
 *
 * @throws ImportError, `import-cancelled` when the signal asked for it; then nothing is left behind.
 */
export async function unpackImage({ signal, onProgress, isBuiltIn, ...request }: UnpackJob): Promise<UnpackResult> {
	if (signal?.aborted) throw new ImportError("import-cancelled", "The import was cancelled.");
	if (isBuiltIn === true || !(await isForProgram(request.source))) return unpacker.run(request, { signal, onProgress });
	return unpackFile(request, unpackWithProgram, onProgress ?? (() => {}), signal ?? new AbortController().signal);
}

/** A file that cannot be read is for the unpacking to tell of. */
async function isForProgram(source: string): Promise<boolean> {
	try {
		const packing = await packingOf(source);
		return packing !== undefined && (await hasProgram(packing));
	} catch (error) {
		if (systemCode(error) === undefined) throw error;
		return false;
	}
}

await unpacker.serve();
