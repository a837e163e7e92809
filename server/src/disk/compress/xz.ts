/**
 * xz, which Node has not: by the `xz` program, which uses all cores where the file was packed in blocks, or by WebAssembly,
 * about half as fast on one core. Both read several streams in a row.
 */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { Readable, type Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import xzDecompress from "xz-decompress";
import { ClosedError, ExternalError, errorText, MalformedError } from "../../base/index.ts";
import type { Chunks } from "./stream.ts";

/** `auto`: the program where it is installed, else WebAssembly. */
export type XzWay = "auto" | "program" | "wasm";

export interface XzOptions {
	readonly signal?: AbortSignal;
	readonly xz?: XzWay;
}

/** `xz -9` takes 65 MiB per thread; a stream that asks for more than this is not meant to be unpacked on a small machine. */
const MEMORY_LIMIT = "512MiB";

const STDERR_CHARACTERS = 2000;

type Xz = ChildProcessByStdio<Writable, Readable, Readable>;

/** See the head of this file. @throws as `unpackStream`; ExternalError when the program fails for another reason than the data. */
export async function* unxz(input: Chunks, { signal, xz = "auto" }: XzOptions): AsyncGenerator<Uint8Array> {
	const program = xz === "wasm" ? undefined : await startXz();
	if (program !== undefined) yield* throughProgram(program, input, signal);
	else if (xz === "program") throw new ExternalError("ENOENT", "the program xz is not installed");
	else yield* throughWasm(input, signal);
}

async function startXz(): Promise<Xz | undefined> {
	const args = ["--decompress", "--stdout", "--threads=0", `--memlimit-decompress=${MEMORY_LIMIT}`];
	const child = spawn("xz", args, { stdio: ["pipe", "pipe", "pipe"] });
	try {
		await once(child, "spawn");
		return child;
	} catch {
		return undefined;
	}
}

async function* throughProgram(child: Xz, input: Chunks, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
	const exit = new Promise<number | string | null>((resolve) => child.once("close", (code, by) => resolve(code ?? by)));
	let complaint = "";
	child.stderr.setEncoding("utf8").on("data", (text: string) => {
		complaint = (complaint + text).slice(0, STDERR_CHARACTERS);
	});
	let failure: unknown;
	// The program closes its end when it has seen enough; its exit status then says why.
	const feeding = pipeline(input, child.stdin, { signal }).catch((error) => {
		failure = isClosedPipe(error) ? undefined : error;
		if (failure !== undefined) child.kill();
	});
	try {
		yield* child.stdout as Chunks;
		await feeding;
		const status = await exit;
		signal?.throwIfAborted();
		if (failure !== undefined) throw failure;
		if (status !== 0) throw xzFailure(status, complaint);
	} finally {
		child.kill("SIGKILL");
		child.stdout.destroy();
		await exit;
	}
}

function isClosedPipe(error: unknown): boolean {
	return error instanceof Error && "code" in error && (error.code === "EPIPE" || error.code === "ECONNRESET");
}

/** xz(1): 1 "An error occurred". */
function xzFailure(status: number | string | null, complaint: string): Error {
	const said = complaint.trim().replaceAll(/^.*\(stdin\): /gm, "");
	if (status === 1) return new MalformedError("xz", `xz: ${said === "" ? "it cannot be unpacked" : said}`);
	return new ExternalError("xz", `the program xz ended with ${status} ${said}`.trim());
}

async function* throughWasm(input: Chunks, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
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
