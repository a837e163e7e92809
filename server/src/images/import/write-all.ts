import type { FileHandle } from "node:fs/promises";

/** Writes all of a chunk at a place of a file: one write may take only a part of it. @throws the operating system's error. */
export async function writeAll(file: FileHandle, chunk: Buffer, position: number): Promise<void> {
	for (let done = 0; done < chunk.length; ) {
		const { bytesWritten } = await file.write(chunk, done, chunk.length - done, position + done);
		done += bytesWritten;
	}
}
