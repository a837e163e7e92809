/**
 * A part of a file on its way to who asked for it, in buffers that are used again: memory that is new for each piece costs the
 * collector more than the bytes cost the system.
 */
import { open } from "node:fs/promises";
import type { Writable } from "node:stream";
import { ClosedError, ExternalError } from "../../base/index.ts";

/** Read and sent at once; smaller ones cost more calls than bytes. */
const PIECE_BYTES = 256 * 1024;
/** Buffers that wait for the next who asks: what ten Pis take that fetch three chunks each; and the few that stay when nobody does. */
const MOST_KEPT = 60;
const KEPT_IDLE = 8;

const free: Buffer[] = [];
let underway = 0;

/**
 * Writes a part of a file to a stream: one piece is read while the one before is taken.
 *
 * @param end the byte behind the last one.
 * @throws ExternalError when the file ends before. ClosedError when nobody reads the stream any more.
 */
export async function sendPart(path: string, start: number, end: number, to: Writable): Promise<void> {
	const file = await open(path);
	underway++;
	try {
		let reading = take();
		let sending = take();
		let sent: Promise<void> = Promise.resolve();
		for (let at = start; at < end; ) {
			const read = file.read(reading, 0, Math.min(PIECE_BYTES, end - at), at);
			const [{ bytesRead }] = await Promise.all([read, sent]);
			if (bytesRead === 0) throw new ExternalError("truncated", `${path} ends at byte ${at}, expected ${end}`);
			[reading, sending] = [sending, reading];
			sent = write(to, sending.subarray(0, bytesRead));
			at += bytesRead;
		}
		await sent;
		// Not when it failed: then the system may still be reading them.
		keep(reading, sending);
	} finally {
		underway--;
		if (underway === 0) free.splice(KEPT_IDLE);
		await file.close();
	}
}

function take(): Buffer {
	return free.pop() ?? Buffer.allocUnsafeSlow(PIECE_BYTES);
}

function keep(...buffers: readonly Buffer[]): void {
	free.push(...buffers.slice(0, MOST_KEPT - free.length));
}

/** @returns when the system has taken the bytes, so that their memory may be used again. @throws ClosedError. */
function write(to: Writable, bytes: Buffer): Promise<void> {
	return new Promise((resolve, reject) => {
		const closed = () => reject(new ClosedError("nobody reads what is sent any more"));
		if (to.destroyed) return closed();
		// What waits behind another answer of a connection that closes is never told.
		to.once("close", closed);
		to.write(bytes, (error) => {
			to.off("close", closed);
			if (error) closed();
			else resolve();
		});
	});
}
