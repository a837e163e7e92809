/** xz, which Node has not, by WebAssembly: on one core, at about half of the speed of the program. Reads several streams in a row. */
import { Readable } from "node:stream";
import xzDecompress from "xz-decompress";
import { ClosedError, errorText, MalformedError } from "../../base/index.ts";
import type { Chunks } from "./stream.ts";

/** See the head of this file. @throws as `unpackStream`. */
export async function* unxz(input: Chunks, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
	let failure: unknown;
	let isOver = false;
	async function* watched() {
		try {
			for await (const chunk of input) {
				if (isOver || signal?.aborted) throw new ClosedError("the unpacking was given up");
				yield chunk;
			}
		} catch (error) {
			failure = error;
			throw error;
		}
	}
	const stream = new xzDecompress.XzReadableStream(Readable.toWeb(Readable.from(watched(), { objectMode: true })));
	try {
		yield* stream;
	} catch (error) {
		signal?.throwIfAborted();
		if (failure !== undefined) throw failure;
		throw new MalformedError("xz", `xz: ${wasmText(error)}`, { cause: error });
	} finally {
		isOver = true;
	}
}

/** The results of xz-embedded, by their numbers in its `enum xz_ret`. */
const XZ_RET: Readonly<Record<string, string>> = {
	3: "there is not enough memory to unpack it",
	4: "it needs more memory than is allowed",
	5: "it does not begin as xz does",
	6: "it uses an option that is not known",
	7: "the data is damaged",
	8: "the data ends too early, or goes on behind its end",
};

function wasmText(error: unknown): string {
	const number = /error code (\d+)/.exec(errorText(error))?.[1] ?? "";
	return XZ_RET[number] ?? errorText(error);
}
