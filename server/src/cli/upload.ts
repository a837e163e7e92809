/** Sends a file in pieces, each with its checksum; goes on where the server says after a connection was lost. */
import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { basename } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { errorText } from "../base/index.ts";
import { ask, authorization, type ClientOptions, checkAnswer } from "./client.ts";
import { CommandError, exitCodes } from "./command-error.ts";
import type { ProgressBar } from "./progress-bar.ts";

export interface UploadFlags {
	readonly name?: string;
	readonly sha256?: string;
	readonly replace?: true;
}

const PIECE = 8 << 20;
/** Milliseconds for one piece, also the last one, after which the server hashes the whole. */
const PATIENCE = 600_000;
/** Attempts in a row that bring nothing. */
const ATTEMPTS = 6;

/** Gives the id of the image that it becomes. @throws CommandError. */
export async function uploadFile(
	client: ClientOptions,
	path: string,
	flags: UploadFlags,
	bar: ProgressBar,
): Promise<string> {
	const file = await open(path).catch((error: unknown) => {
		throw new CommandError(exitCodes.usage, `${path} cannot be read: ${errorText(error)}`);
	});
	try {
		const { size } = await file.stat();
		const name = flags.name ?? basename(path);
		const { place, imageId } = await create(client, name, size, flags);
		const piece = Buffer.alloc(PIECE);
		for (let offset = 0, failures = 0; offset < size; ) {
			bar.show(name, Math.floor((offset / size) * 100));
			const { bytesRead } = await file.read(piece, 0, Math.min(PIECE, size - offset), offset);
			if (bytesRead === 0) throw new CommandError(exitCodes.failed, `${path} became shorter meanwhile`);
			try {
				offset = await send(client, place, offset, piece.subarray(0, bytesRead));
				failures = 0;
			} catch (error) {
				if (!isLost(error) || ++failures >= ATTEMPTS) throw error;
				await sleep(1000 * failures);
				offset = await offsetOf(client, place).catch(() => offset);
			}
		}
		return imageId;
	} finally {
		await file.close();
	}
}

async function create(client: ClientOptions, name: string, size: number, { sha256, replace }: UploadFlags) {
	const metadata = [`filename ${base64(name)}`];
	if (sha256 !== undefined) metadata.push(`sha256 ${base64(sha256)}`);
	if (replace === true) metadata.push("replace");
	const headers = { ...common(client), "upload-length": String(size), "upload-metadata": metadata.join(",") };
	const response = await ask(client, new URL("/api/v1/uploads", client.url), { method: "POST", headers });
	await checkAnswer(client, response);
	const place = new URL(response.headers.get("location") ?? "/", client.url);
	return { place, imageId: response.headers.get("image-id") ?? "" };
}

async function send(client: ClientOptions, place: URL, offset: number, piece: Buffer): Promise<number> {
	const headers = {
		...common(client),
		"content-type": "application/offset+octet-stream",
		"upload-offset": String(offset),
		"upload-checksum": `sha256 ${createHash("sha256").update(piece).digest("base64")}`,
	};
	const response = await ask(client, place, { method: "PATCH", headers, body: new Uint8Array(piece) }, PATIENCE);
	await checkAnswer(client, response);
	return Number(response.headers.get("upload-offset"));
}

async function offsetOf(client: ClientOptions, place: URL): Promise<number> {
	const response = await ask(client, place, { method: "HEAD", headers: common(client) });
	await checkAnswer(client, response);
	return Number(response.headers.get("upload-offset"));
}

function isLost(error: unknown): boolean {
	return error instanceof CommandError && error.exitCode === exitCodes.notReachable;
}

function common(client: ClientOptions): Record<string, string> {
	return { ...authorization(client), "tus-resumable": "1.0.0" };
}

function base64(text: string): string {
	return Buffer.from(text, "utf8").toString("base64");
}
