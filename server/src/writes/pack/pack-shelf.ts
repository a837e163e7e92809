/** The maps and packs that there are, and the making of those that are asked for: one after the other, once per build. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { extname, join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { type Clock, systemClock } from "../../base/index.ts";
import { isUnfinished, type PackProgress, type PackResult } from "./make-pack.ts";
import { PackError } from "./pack-error.ts";
import { type PackRecord, PackRecords } from "./pack-records.ts";
import { KEEP_ALL, type PackRule, surplus } from "./pack-rule.ts";
import { type PackJob, packInWorker } from "./packer.ts";
import { sendPart } from "./sending.ts";

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
	/** Writes a part to a stream, which is not ended. @throws ClosedError when nobody reads it any more. */
	send(start: number, end: number, to: Writable): Promise<void>;
}

const NAME = /^[0-9a-f]{64}$/;

export interface PackShelfOptions {
	/** Which packs stay; all of them unless told. */
	readonly rule?: PackRule;
	readonly clock?: Clock;
	readonly pack?: (job: PackJob) => Promise<PackResult>;
}

interface Making {
	readonly result: Promise<PackResult>;
	readonly stop: AbortController;
	progress: PackProgress | undefined;
}

export class PackShelf {
	readonly #folder: string;
	readonly #records: PackRecords;
	readonly #options: Required<PackShelfOptions>;
	readonly #making = new Map<string, Making>();
	#last: Promise<unknown> = Promise.resolve();

	private constructor(folder: string, options: PackShelfOptions) {
		this.#folder = folder;
		this.#options = { rule: KEEP_ALL, clock: systemClock, pack: packInWorker, ...options };
		this.#records = new PackRecords(folder, this.#options.clock);
	}

	/**
	 * What an ended server left in the folder that belongs to no build goes.
	 *
	 * @param folder made if it is missing, for this user alone: the secrets of images are in it.
	 */
	static async open(folder: string, options: PackShelfOptions = {}): Promise<PackShelf> {
		await mkdir(folder, { recursive: true, mode: 0o700 });
		const shelf = new PackShelf(folder, options);
		for (const name of await readdir(folder)) if (isUnfinished(name)) await rm(join(folder, name));
		await shelf.#removeOrphans(await shelf.#records.all());
		return shelf;
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

	/** Nobody needs it any more: who makes it stops, and whoever waited gets the PackError `pack-cancelled`. */
	stop(key: string): void {
		this.#making.get(key)?.stop.abort();
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

	async #make(build: Build, signal: AbortSignal): Promise<PackResult> {
		const known = await this.#known(build.key);
		if (known !== undefined) return known;
		const result = await this.#packMakingRoom(build, signal);
		await this.#records.keep(build.key, result);
		await this.#tidy(this.#options.rule, build.key);
		return result;
	}

	/** Where the disk is full, the packs that no write needs now give way. */
	async #packMakingRoom(build: Build, signal: AbortSignal): Promise<PackResult> {
		try {
			return await this.#pack(build, signal);
		} catch (error) {
			if (!(error instanceof PackError) || error.code !== "pack-no-space") throw error;
			if ((await this.#tidy({ ...this.#options.rule, mostBytes: 0 }, build.key)) === 0) throw error;
			return this.#pack(build, signal);
		}
	}

	#pack({ key, image }: Build, signal: AbortSignal): Promise<PackResult> {
		const onProgress = (progress: PackProgress) => {
			const making = this.#making.get(key);
			if (making !== undefined) making.progress = progress;
		};
		return this.#options.pack({ image, folder: this.#folder, signal, onProgress });
	}

	async #known(key: string): Promise<PackResult | undefined> {
		const result = (await this.#records.find(key))?.result;
		if (result === undefined) return undefined;
		const [map, pack] = [await this.map(result.map), await this.pack(result.pack)];
		if (map === undefined || pack?.size !== result.packBytes) return undefined;
		await this.#records.touch(key);
		return result;
	}

	/** Removes the packs that the rule does not keep. To be called when a write is over and when the library changed. */
	async tidy(): Promise<void> {
		await this.#queue(() => this.#tidy(this.#options.rule));
	}

	/** @returns how many builds were forgotten. The record goes first: what is left after a cut is an orphan. */
	async #tidy(rule: PackRule, wanted?: string): Promise<number> {
		const records = await this.#records.all();
		const going = new Set(surplus(records, { ...rule, isInUse: (key) => key === wanted || rule.isInUse(key) }));
		for (const { key } of going) await this.#records.drop(key);
		await this.#removeOrphans(records.filter((record) => !going.has(record)));
		return going.size;
	}

	async #removeOrphans(records: readonly PackRecord[]): Promise<void> {
		const named = new Set(records.flatMap(({ result: { map, pack } }) => [`${map}.map`, `${pack}.pack`]));
		for (const name of await readdir(this.#folder)) {
			const isOurs = [".map", ".pack"].includes(extname(name));
			if (isOurs && !named.has(name)) await rm(join(this.#folder, name), { force: true });
		}
	}

	/** An agent says that what it gets is damaged: where the disk has spoilt map or pack, they go, and are made anew when asked for. */
	async check(key: string): Promise<void> {
		await this.#queue(async () => {
			const { map, pack } = (await this.#records.find(key))?.result ?? {};
			const files = [await this.map(map ?? ""), await this.pack(pack ?? "")];
			for (const file of files) if (file !== undefined && !(await isWhole(file))) await this.#records.drop(key);
			await this.#removeOrphans(await this.#records.all());
		});
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
		const read = (start: number, end: number) => createReadStream(path, { start, end: end - 1 });
		const send = (start: number, end: number, to: Writable) => sendPart(path, start, end, to);
		return { size: found.size, name, read, send };
	}

	/** Gives up what is being made. */
	async close(): Promise<void> {
		for (const { stop } of this.#making.values()) stop.abort();
		await this.#last;
	}
}

async function isWhole({ name, size, read }: PackFile): Promise<boolean> {
	if (size === 0) return false;
	const hash = createHash("sha256");
	for await (const piece of read(0, size)) hash.update(piece);
	return hash.digest("hex") === name;
}

function nothing(): undefined {
	return undefined;
}
