/**
 * What is there of a download: `.NAME.part`, and beside it `.NAME.part.json`, which says what it is a part of. Both survive a
 * restart, so that a download goes on where it was; the folder's other readers pass them over, because of the dot.
 */
import fs from "node:fs";
import path from "node:path";
import { systemCode } from "../../base/index.ts";
import { type CatalogOrigin, parseCatalogOrigin } from "../origins.ts";
import { type Landing, land } from "./landing.ts";

export interface PartialNotes {
	readonly url: string;
	/** What the server named the content with: `If-Range` takes either. */
	readonly validator?: string;
	/** Bytes of the whole, where they are known. */
	readonly total?: number;
	/** What the file has to hash to. */
	readonly sha256?: string;
	/** Whether it may take the place of a file that has its name. */
	readonly replace?: boolean;
	/** Of the catalogue, where it comes from there. */
	readonly entry?: CatalogOrigin;
}

const SUFFIX = ".part";

/** A download that a restart interrupted. */
export interface Interrupted extends PartialNotes {
	readonly name: string;
}

/** Finds what was interrupted in a folder; removes what cannot go on. A part without notes is somebody else's. */
export async function findInterrupted(folder: string): Promise<Interrupted[]> {
	const found: Interrupted[] = [];
	for (const entry of await fs.promises.readdir(folder)) {
		const name = /^\.(.+)\.part\.json$/.exec(entry)?.[1];
		if (name === undefined) continue;
		const partial = new PartialFile(folder, name);
		const notes = fs.existsSync(partial.path) ? await partial.notes() : undefined;
		if (notes === undefined) await partial.remove();
		else found.push({ name, ...notes });
	}
	return found;
}

/** See the head of this file. */
export class PartialFile {
	readonly #folder: string;
	readonly #name: string;

	constructor(folder: string, name: string) {
		this.#folder = folder;
		this.#name = name;
	}

	get path(): string {
		return path.join(this.#folder, `.${this.#name}${SUFFIX}`);
	}

	get #notesPath(): string {
		return `${this.path}.json`;
	}

	/** Undefined when there are none, or they cannot be believed. */
	async notes(): Promise<PartialNotes | undefined> {
		try {
			return parseNotes(JSON.parse(await fs.promises.readFile(this.#notesPath, "utf8")));
		} catch (error) {
			if (error instanceof SyntaxError || systemCode(error) === "ENOENT") return undefined;
			throw error;
		}
	}

	/** Begins anew: nothing is there but the notes. */
	async begin(notes: PartialNotes): Promise<void> {
		await fs.promises.rm(this.path, { force: true });
		await fs.promises.writeFile(this.#notesPath, JSON.stringify(notes));
		await fs.promises.writeFile(this.path, "", { flag: "wx", mode: 0o644 });
	}

	/** Bytes that are there. */
	async size(): Promise<number> {
		try {
			return (await fs.promises.stat(this.path)).size;
		} catch (error) {
			if (systemCode(error) === "ENOENT") return 0;
			throw error;
		}
	}

	/** It is whole: gives it its name, see `land`. Gives its path. */
	async finish(landing: Landing): Promise<string> {
		const target = path.join(this.#folder, this.#name);
		await land(this.path, target, landing);
		await fs.promises.rm(this.#notesPath, { force: true });
		return target;
	}

	async remove(): Promise<void> {
		await fs.promises.rm(this.path, { force: true });
		await fs.promises.rm(this.#notesPath, { force: true });
	}
}

function parseNotes(value: unknown): PartialNotes | undefined {
	if (typeof value !== "object" || value === null || !("url" in value) || typeof value.url !== "string")
		return undefined;
	const { url } = value;
	const entry = parseCatalogOrigin("entry" in value ? value.entry : undefined);
	return {
		url,
		...(entry !== undefined && { entry }),
		...("validator" in value && typeof value.validator === "string" && { validator: value.validator }),
		...("total" in value && typeof value.total === "number" && { total: value.total }),
		...("sha256" in value && typeof value.sha256 === "string" && { sha256: value.sha256 }),
		...("replace" in value && typeof value.replace === "boolean" && { replace: value.replace }),
	};
}
