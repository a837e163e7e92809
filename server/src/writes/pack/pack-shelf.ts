/** The maps and packs that there are, and the making of those that are asked for: one after the other, once per build. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { z } from "zod";
import { isUnfinished, type PackProgress, type PackResult } from "./make-pack.ts";
import { type PackJob, packInWorker } from "./packer.ts";

export interface Build {
	/** Tells this build of the image from all others. */
	readonly key: string;
	/** Path of the image. */
	readonly image: string;
}

/** A file that never changes. */
export interface PackFile {
	readonly size: number;
	/** For ETag: its name is its hash. */
	readonly name: string;
	/** @param end the byte behind the last one. */
	read(start: number, end: number): Readable;
}

const NAME = /^[0-9a-f]{64}$/;
const Bytes = z.int().min(0);

/** What is remembered of a build whose map and pack are there. */
const Record = z.object({
	map: z.string().regex(NAME),
	pack: z.string().regex(NAME),
	dataBytes: Bytes,
	zeroBytes: Bytes,
	packBytes: Bytes,
});

interface Making {
	readonly result: Promise<PackResult>;
	readonly stop: AbortController;
	progress: PackProgress | undefined;
}

export class PackShelf {
	readonly #folder: string;
	readonly #pack: (job: PackJob) => Promise<PackResult>;
	readonly #making = new Map<string, Making>();
	#last: Promise<unknown> = Promise.resolve();

	private constructor(folder: string, pack: (job: PackJob) => Promise<PackResult>) {
		this.#folder = folder;
		this.#pack = pack;
	}

	/** @param folder made if it is missing; what an ended server left unfinished there goes. */
	static async open(folder: string, pack: (job: PackJob) => Promise<PackResult> = packInWorker): Promise<PackShelf> {
		await mkdir(folder, { recursive: true });
		for (const name of await readdir(folder)) if (isUnfinished(name)) await rm(join(folder, name));
		return new PackShelf(folder, pack);
	}

	/** Map and pack of a build; made now if there are none. @throws PackError. */
	async get(build: Build): Promise<PackResult> {
		const making = this.#making.get(build.key);
		if (making !== undefined) return making.result;
		const made = this.#start(build);
		this.#making.set(build.key, made);
		try {
			return await made.result;
		} finally {
			this.#making.delete(build.key);
		}
	}

	/** How far the making of a build is; undefined when it is not being made. */
	progress(key: string): PackProgress | undefined {
		return this.#making.get(key)?.progress;
	}

	#start(build: Build): Making {
		const stop = new AbortController();
		const making: Making = { stop, progress: undefined, result: this.#queue(() => this.#make(build, stop.signal)) };
		return making;
	}

	#queue<T>(work: () => Promise<T>): Promise<T> {
		const result = this.#last.then(work);
		this.#last = result.then(nothing, nothing);
		return result;
	}

	async #make({ key, image }: Build, signal: AbortSignal): Promise<PackResult> {
		const known = await this.#known(key);
		if (known !== undefined) return known;
		const onProgress = (progress: PackProgress) => {
			const making = this.#making.get(key);
			if (making !== undefined) making.progress = progress;
		};
		const result = await this.#pack({ image, folder: this.#folder, signal, onProgress });
		await this.#remember(key, result);
		return result;
	}

	#recordOf(key: string): string {
		return join(this.#folder, `${createHash("sha256").update(key).digest("hex")}.build`);
	}

	async #known(key: string): Promise<PackResult | undefined> {
		const text = await readFile(this.#recordOf(key), "utf8").catch(nothing);
		if (text === undefined) return undefined;
		const record = parseRecord(text);
		if (record === undefined) return undefined;
		const there = [await this.map(record.map), await this.pack(record.pack)].every((file) => file !== undefined);
		return there ? record : undefined;
	}

	async #remember(key: string, result: PackResult): Promise<void> {
		const record = this.#recordOf(key);
		await writeFile(`${record}.unfinished`, JSON.stringify(result), { flush: true });
		await rename(`${record}.unfinished`, record);
	}

	/** A map by its name, undefined when there is none. */
	map(name: string): Promise<PackFile | undefined> {
		return this.#open(name, "map");
	}

	/** A pack by its name, undefined when there is none. */
	pack(name: string): Promise<PackFile | undefined> {
		return this.#open(name, "pack");
	}

	async #open(name: string, kind: "map" | "pack"): Promise<PackFile | undefined> {
		if (!NAME.test(name)) return undefined;
		const path = join(this.#folder, `${name}.${kind}`);
		const found = await stat(path).catch(nothing);
		if (found === undefined) return undefined;
		return { size: found.size, name, read: (start, end) => createReadStream(path, { start, end: end - 1 }) };
	}

	/** Gives up what is being made. */
	async close(): Promise<void> {
		for (const { stop } of this.#making.values()) stop.abort();
		await this.#last;
	}
}

function nothing(): undefined {
	return undefined;
}

/** A record that is damaged is none: the pack is made again. */
function parseRecord(text: string): PackResult | undefined {
	try {
		return Record.safeParse(JSON.parse(text)).data;
	} catch (error) {
		if (error instanceof SyntaxError) return undefined;
		throw error;
	}
}
