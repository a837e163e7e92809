/**
 * The two ways to unpack a file. By the program of its format no byte comes through this process, so that is for any thread.
 * By what is built in, the thread that does it is at it all the time: that is for a worker.
 */
import fs from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { type PackedFile, unpack, unpackByProgram } from "../../disk/index.ts";
import { SparseWriter } from "./sparse-writer.ts";
import type { UnpackWork } from "./unpack-file.ts";

/** Between two looks at how far the program is, in milliseconds: what it writes meanwhile may be more than the limits allow. */
const LOOK_MS = 50;

/** `st_blocks` is in these, whatever the file system's own are. */
const STAT_BLOCK = 512;

const READ_BYTES = 1 << 16;

/** See the head of this file. */
export async function unpackWithProgram(work: UnpackWork): Promise<{ bytes: number; writtenBytes: number }> {
	const { packing, part, signal } = work;
	const giveUp = new AbortController();
	const over = new AbortController();
	const input = await fs.promises.open(work.path, "r");
	try {
		const whole = unpackByProgram(packing, input.fd, part.fd, AbortSignal.any([signal, giveUp.signal]));
		const watching = watchProgram(work, input.fd, over.signal).catch((error) => giveUp.abort(error));
		await whole.finally(() => over.abort());
		await watching;
		giveUp.signal.throwIfAborted();
		return await sizesOf(part);
	} finally {
		await input.close();
	}
}

/** Ends when `over` says so. @throws ImportError when a limit is passed. */
async function watchProgram({ source, part, guard, onProgress }: UnpackWork, input: number, over: AbortSignal) {
	while (!over.aborted) {
		const { bytes, writtenBytes } = await sizesOf(part);
		guard.check(bytes, writtenBytes, source.size);
		onProgress(await positionOf(input), bytes);
		await sleep(LOOK_MS, undefined, { signal: over }).catch(() => {});
	}
	const { bytes, writtenBytes } = await sizesOf(part);
	guard.check(bytes, writtenBytes, source.size);
}

async function sizesOf(part: fs.promises.FileHandle): Promise<{ bytes: number; writtenBytes: number }> {
	const { size, blocks } = await part.stat();
	return { bytes: size, writtenBytes: blocks * STAT_BLOCK };
}

/** How far the program has read: it shares the place in the file with us. 0 where the system does not tell. */
async function positionOf(fd: number): Promise<number> {
	if (process.platform !== "linux") return 0;
	const info = await fs.promises.readFile(`/proc/self/fdinfo/${fd}`, "latin1");
	return Number(/^pos:\s*(\d+)/m.exec(info)?.[1] ?? 0);
}

/** See the head of this file. */
export async function unpackHere(work: UnpackWork): Promise<{ bytes: number; writtenBytes: number }> {
	const { source, packing, part, guard, onProgress, signal } = work;
	const writer = new SparseWriter(part.fd);
	let packedBytes = 0;
	const packed: PackedFile = {
		source,
		async *stream(start, length) {
			if (length === 0) return;
			const options = { start, end: start + length - 1, highWaterMark: READ_BYTES };
			for await (const chunk of fs.createReadStream(work.path, options) as AsyncIterable<Buffer>) {
				packedBytes += chunk.length;
				yield chunk;
			}
		},
	};
	for await (const chunk of unpack(packed, packing, { signal })) {
		writer.write(chunk);
		giveBack(chunk);
		guard.check(writer.size, writer.written, source.size);
		onProgress(packedBytes, writer.flushed);
	}
	writer.finish();
	return { bytes: writer.size, writtenBytes: writer.written };
}

/**
 * Frees the memory behind a chunk of a stream when the chunk is the last in it; those before it have been read. The collector counts late
 * what lies outside of its heap: in a worker that makes hardly anything else, tens of megabytes pile up. Small Buffers share memory.
 */
function giveBack(chunk: Uint8Array): void {
	const { buffer, byteOffset, byteLength } = chunk;
	if (!(buffer instanceof ArrayBuffer) || (Buffer.isBuffer(chunk) && buffer.byteLength <= Buffer.poolSize)) return;
	if (byteOffset + byteLength === buffer.byteLength) buffer.transfer(0);
}
