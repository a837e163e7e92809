/** The SHA-256 of a file, computed where no Pi waits for it. This file is both sides: what the main thread imports, and what the worker runs. */
import { createHash } from "node:crypto";
import fs from "node:fs";
import { ExternalError, errorText, systemCode, WorkerTask } from "../../base/index.ts";

const READ_BYTES = 1 << 20;

interface Failure {
	readonly code: string;
	readonly message: string;
}

const summer = new WorkerTask<string, number, string, Failure>({
	name: "the reader of checksums",
	file: import.meta.url,
	heapMegabytes: 32,
	work: async (file, onProgress, signal) => {
		const hash = createHash("sha256");
		let bytes = 0;
		for await (const chunk of fs.createReadStream(file, {
			highWaterMark: READ_BYTES,
			signal,
		}) as AsyncIterable<Buffer>) {
			hash.update(chunk);
			bytes += chunk.length;
			onProgress(bytes);
		}
		return hash.digest("hex");
	},
	describe: (error) => {
		const code = systemCode(error);
		return code === undefined ? undefined : { code, message: errorText(error) };
	},
	revive: ({ code, message }) => new ExternalError(code, message),
});

/** 64 lower-case hex digits. @throws the reason of the signal; ExternalError with the operating system's code. */
export async function sumOfFile(
	file: string,
	signal?: AbortSignal,
	onProgress?: (bytes: number) => void,
): Promise<string> {
	signal?.throwIfAborted();
	try {
		return await summer.run(file, { signal, onProgress });
	} catch (error) {
		signal?.throwIfAborted();
		throw error;
	}
}

await summer.serve();
