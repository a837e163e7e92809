/** What is remembered of the builds whose map and pack are there: a small file each, whose time says when it was used last. */
import { createHash } from "node:crypto";
import { readdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { type Clock, syncPath, systemCode } from "../../base/index.ts";
import type { PackResult } from "./make-pack.ts";

const Name = z.string().regex(/^[0-9a-f]{64}$/);
const Bytes = z.int().min(0);

const Stored = z.object({
	key: z.string(),
	result: z.object({ map: Name, pack: Name, dataBytes: Bytes, zeroBytes: Bytes, packBytes: Bytes }),
});

export interface PackRecord {
	/** The build, see `Build`. */
	readonly key: string;
	readonly result: PackResult;
	/** Milliseconds since 1970. */
	readonly usedAt: number;
}

const ENDING = ".build";

export class PackRecords {
	readonly #folder: string;

	readonly #clock: Clock;

	constructor(folder: string, clock: Clock) {
		this.#folder = folder;
		this.#clock = clock;
	}

	#pathOf(key: string): string {
		return join(this.#folder, `${createHash("sha256").update(key).digest("hex")}${ENDING}`);
	}

	/** @returns undefined where there is none, or one that is damaged: the pack is made again then. */
	async find(key: string): Promise<PackRecord | undefined> {
		const record = await readRecord(this.#pathOf(key));
		return record?.key === key ? record : undefined;
	}

	/** All that are in order. */
	async all(): Promise<PackRecord[]> {
		const names = (await readdir(this.#folder)).filter((name) => name.endsWith(ENDING));
		const records = await Promise.all(names.map((name) => readRecord(join(this.#folder, name))));
		return records.filter((record) => record !== undefined);
	}

	/** Remembers it, so that a power cut leaves it or what was before. */
	async keep(key: string, result: PackResult): Promise<void> {
		const path = this.#pathOf(key);
		const unfinished = `${path}.unfinished`;
		await writeFile(unfinished, JSON.stringify({ key, result }), { flush: true });
		await rename(unfinished, path);
		await this.touch(key);
		await syncPath(this.#folder);
	}

	/** Says that it is used now. */
	async touch(key: string): Promise<void> {
		const now = new Date(this.#clock.now());
		await utimes(this.#pathOf(key), now, now);
	}

	async drop(key: string): Promise<void> {
		await rm(this.#pathOf(key), { force: true });
	}
}

async function readRecord(path: string): Promise<PackRecord | undefined> {
	try {
		const { mtimeMs } = await stat(path);
		const stored = Stored.safeParse(JSON.parse(await readFile(path, "utf8"))).data;
		return stored && { ...stored, usedAt: mtimeMs };
	} catch (error) {
		if (error instanceof SyntaxError || systemCode(error) === "ENOENT") return undefined;
		throw error;
	}
}
