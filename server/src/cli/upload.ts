/** Sends a file in pieces, each with its checksum; goes on where the server says after a connection was lost. */
import { createHash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { basename } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { errorText, shellQuote } from "../base/index.ts";
import { ask, authorization, type ClientOptions, call, checkAnswer } from "./client.ts";
import { CommandError, exitCodes } from "./command-error.ts";
import type { ProgressBar } from "./progress-bar.ts";
import { sizeText } from "./sizes.ts";

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

/** Bytes at either end of the file that its fingerprint is made of. */
const SAMPLE = 65_536;

/** Where the bytes go, and which the server has already. */
interface Place {
	readonly url: URL;
	readonly imageId: string;
	readonly offset: number;
}

/** Gives the id of the image that it becomes. One that was cut off before, also by our end, goes on. @throws CommandError. */
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
		const stats = await file.stat();
		if (stats.isDirectory()) throw directory(path);
		const { size } = stats;
		const name = flags.name ?? basename(path);
		const fingerprint = await fingerprintOf(file);
		const place =
			(await findUnfinished(client, name, size, fingerprint)) ?? (await create(client, name, size, fingerprint, flags));
		if (place.offset > 0) bar.say(`goes on with the upload of ${name} at ${sizeText(place.offset)}`);
		await sendAll(client, place, { file, path, name, size }, bar);
		return place.imageId;
	} finally {
		await file.close();
	}
}

function directory(path: string): CommandError {
	return new CommandError(exitCodes.usage, `${path} is a directory, and only a file can be sent`, {
		hint: `pack it as root: tar --numeric-owner -C ${shellQuote(path)} -cf ROOT.tar .`,
	});
}

interface Source {
	readonly file: FileHandle;
	readonly path: string;
	readonly name: string;
	readonly size: number;
}

async function sendAll(client: ClientOptions, place: Place, source: Source, bar: ProgressBar): Promise<void> {
	const { file, path, name, size } = source;
	const piece = Buffer.alloc(PIECE);
	for (let offset = place.offset, failures = 0; offset < size; ) {
		bar.show(name, Math.floor((offset / size) * 100));
		const { bytesRead } = await file.read(piece, 0, Math.min(PIECE, size - offset), offset);
		if (bytesRead === 0) throw new CommandError(exitCodes.failed, `${path} became shorter meanwhile`);
		try {
			offset = await send(client, place.url, offset, piece.subarray(0, bytesRead));
			failures = 0;
		} catch (error) {
			if (!isLost(error) || ++failures >= ATTEMPTS) throw error;
			await sleep(1000 * failures);
			offset = await whereToGoOn(client, place, offset, offset + bytesRead, size);
		}
	}
}

/** The file by its times and some of its bytes: one that was made anew is not taken for the one that was begun. */
async function fingerprintOf(file: FileHandle): Promise<string> {
	const { size, mtimeMs } = await file.stat();
	const hash = createHash("sha256").update(`${size} ${mtimeMs}`);
	for (const position of [0, Math.max(0, size - SAMPLE)]) {
		const { buffer, bytesRead } = await file.read(Buffer.alloc(SAMPLE), 0, SAMPLE, position);
		hash.update(buffer.subarray(0, bytesRead));
	}
	return hash.digest("hex").slice(0, 32);
}

async function findUnfinished(client: ClientOptions, name: string, size: number, fingerprint: string) {
	const { uploads } = await call(client, "listUploads");
	const upload = uploads.find((each) => each.name === name && each.size === size && each.fingerprint === fingerprint);
	if (upload === undefined) return undefined;
	const { id, imageId, offset } = upload;
	return { url: new URL(`/api/v1/uploads/${id}`, client.url), imageId, offset };
}

async function create(
	client: ClientOptions,
	name: string,
	size: number,
	fingerprint: string,
	{ sha256, replace }: UploadFlags,
): Promise<Place> {
	const metadata = [`filename ${base64(name)}`, `fingerprint ${base64(fingerprint)}`];
	if (sha256 !== undefined) metadata.push(`sha256 ${base64(sha256)}`);
	if (replace === true) metadata.push("replace");
	const headers = { ...common(client), "upload-length": String(size), "upload-metadata": metadata.join(",") };
	const response = await ask(client, new URL("/api/v1/uploads", client.url), { method: "POST", headers });
	await checkAnswer(client, response);
	const url = new URL(response.headers.get("location") ?? "/", client.url);
	return { url, imageId: response.headers.get("image-id") ?? "", offset: 0 };
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

/** Where to go on after a connection was lost. @param next where it would be had the piece arrived. @throws CommandError. */
async function whereToGoOn(client: ClientOptions, { url }: Place, offset: number, next: number, size: number) {
	const response = await ask(client, url, { method: "HEAD", headers: common(client) }).catch((error: unknown) => {
		if (!isLost(error)) throw error;
		return undefined;
	});
	if (response === undefined) return offset;
	const at = response.headers.get("upload-offset");
	if (at !== null) return Number(at);
	// All was sent, and the answer was lost with the server: the one that runs now knows only the image.
	if (response.status === 404 && next === size) return size;
	throw new CommandError(exitCodes.failed, `the server does not know the upload any more (${response.status})`, {
		hint: "Give the same command again.",
	});
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
