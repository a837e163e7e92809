/** Making a pack in a worker thread, so that no Pi waits for it: what the main thread imports, and what the worker runs. */
import { WorkerTask } from "../../base/index.ts";
import { makePack, type PackProgress, type PackRequest, type PackResult } from "./make-pack.ts";
import { PackError, type PackErrorCode } from "./pack-error.ts";

interface Failure {
	readonly code: PackErrorCode;
	readonly message: string;
	readonly hint: string | undefined;
}

const packer = new WorkerTask<PackRequest, PackProgress, PackResult, Failure>({
	name: "the packer",
	file: import.meta.url,
	heapMegabytes: 256,
	work: makePack,
	describe: (error) => {
		if (!(error instanceof PackError)) return undefined;
		const { code, message, hint } = error;
		return { code, message, hint };
	},
	revive: ({ code, message, hint }) => new PackError(code, message, hint),
});

export interface PackJob extends PackRequest {
	readonly signal?: AbortSignal;
	readonly onProgress?: (progress: PackProgress) => void;
}

/** Makes map and pack, see `make-pack.ts`. @throws PackError, `pack-cancelled` when the signal asked for it. */
export async function packInWorker({ signal, onProgress, ...request }: PackJob): Promise<PackResult> {
	if (signal?.aborted) throw new PackError("pack-cancelled", "Preparing the image was cancelled.");
	return packer.run(request, { signal, onProgress });
}

await packer.serve();
