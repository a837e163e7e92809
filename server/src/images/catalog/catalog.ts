/** The catalogue: fetched when somebody asks for it, with the lists that it refers to, and kept for an hour. */
import { z } from "zod";
import { type Clock, errorText, NetbootError } from "../../base/index.ts";
import { type Answer, parseAddress, request, unreachable } from "../import/request.ts";
import { catalogError, missing, noList, refusal, signalFor } from "./catalog-errors.ts";
import { type CatalogEntry, type Elsewhere, readList } from "./entries.ts";

/** The list of Raspberry Pi Imager. */
export const CATALOG_URL = "https://downloads.raspberrypi.com/os_list_imagingutility_v4.json";

export interface CatalogList {
	readonly url: string;
	/** Milliseconds since 1970. */
	readonly fetchedAt: number;
	readonly entries: readonly CatalogEntry[];
	readonly notes: readonly string[];
}

export interface ImageCatalogOptions {
	readonly url: string;
	readonly clock: Clock;
	/** Milliseconds for all lists together; default 30,000. */
	readonly patience?: number;
}

const FRESH_MS = 3_600_000;
/** A list of Raspberry Pi's has some 200 kB. */
const MOST_BYTES = 8 << 20;
const MOST_LISTS = 40;
const MOST_ENTRIES = 4000;
const MOST_NOTES = 50;

/** See the head of this file. */
export class ImageCatalog {
	readonly #options: ImageCatalogOptions;
	#kept: CatalogList | undefined;
	#fetching: Promise<CatalogList> | undefined;

	constructor(options: ImageCatalogOptions) {
		this.#options = options;
	}

	/**
	 * The list, an older one where it cannot be had now.
	 *
	 * @throws NetbootError `catalog-unavailable`, `catalog-missing`, `catalog-malformed`.
	 */
	async list(): Promise<CatalogList> {
		const { clock } = this.#options;
		if (this.#kept !== undefined && clock.now() - this.#kept.fetchedAt < FRESH_MS) return this.#kept;
		this.#fetching ??= this.#fetch().finally(() => {
			this.#fetching = undefined;
		});
		try {
			this.#kept = await this.#fetching;
			return this.#kept;
		} catch (error) {
			if (this.#kept === undefined) throw catalogError(error);
			return { ...this.#kept, notes: [`It could not be fetched anew: ${errorText(error)}`, ...this.#kept.notes] };
		}
	}

	/** An entry that can be booted. @throws NetbootError `catalog-not-found`, `catalog-refused`, and as `list`. */
	async choose(id: string): Promise<CatalogEntry & { readonly url: string }> {
		const entry = (await this.list()).entries.find((each) => each.id === id);
		if (entry === undefined) {
			throw new NetbootError("catalog-not-found", `The catalogue has no "${id}".`, {
				hint: "`pi-netboot images catalog` lists what it has.",
			});
		}
		const { url, reason } = entry;
		if (reason === undefined && url !== null) return { ...entry, url };
		throw new NetbootError(
			"catalog-refused",
			`${entry.name} cannot be booted from the network. ${reason ?? ""}`.trim(),
		);
	}

	async #fetch(): Promise<CatalogList> {
		const { url, clock, patience = 30_000 } = this.#options;
		const collection = new Collection(signalFor(url, patience));
		await collection.collect(url);
		const { entries, notes } = collection;
		return { url, fetchedAt: clock.now(), entries: entries.slice(0, MOST_ENTRIES), notes: notes.slice(0, MOST_NOTES) };
	}
}

/** The first list must be there; of the others a note says which could not be had. */
class Collection {
	readonly entries: CatalogEntry[] = [];
	readonly notes: string[] = [];
	readonly #signal: AbortSignal;
	/** Lists that were asked for: they may refer to each other. */
	readonly #seen = new Set<string>();
	readonly #waiting: Elsewhere[] = [];

	constructor(signal: AbortSignal) {
		this.#signal = signal;
	}

	async collect(url: string): Promise<void> {
		await this.#read(parseAddress(url), []);
		for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
			if (this.#seen.size >= MOST_LISTS || this.entries.length >= MOST_ENTRIES) {
				this.notes.push("There are more lists than are read.");
				return;
			}
			await this.#readFurther(next, url);
		}
	}

	async #readFurther({ url, category }: Elsewhere, from: string): Promise<void> {
		try {
			const address = parseAddress(url, new URL(from));
			if (!this.#seen.has(address.href)) await this.#read(address, category);
		} catch (error) {
			this.notes.push(`${category.join(" > ")}: ${errorText(error)}`);
		}
	}

	async #read(url: URL, category: readonly string[]): Promise<void> {
		this.#seen.add(url.href);
		const list = await fetchJson(url, this.#signal);
		const taken = new Set(this.entries.map(({ id }) => id));
		try {
			const part = readList(list, category, (id) => taken.has(id));
			this.entries.push(...part.entries);
			this.notes.push(...part.notes);
			this.#waiting.push(...part.elsewhere);
		} catch (error) {
			if (!(error instanceof z.ZodError)) throw error;
			throw noList(url, "it has no os_list");
		}
	}
}

async function fetchJson(url: URL, signal: AbortSignal): Promise<unknown> {
	const answer = await request(url, {}, signal);
	const { status, body } = answer;
	if (status !== 200) {
		body.destroy();
		throw status === 404 || status === 410 ? missing(url, status) : refusal(url, status);
	}
	const text = await wholeText(answer, url, signal);
	try {
		return JSON.parse(text);
	} catch {
		throw noList(url, "it is no JSON");
	}
}

async function wholeText({ body }: Answer, url: URL, signal: AbortSignal): Promise<string> {
	const chunks: Buffer[] = [];
	let bytes = 0;
	try {
		for await (const chunk of body as AsyncIterable<Buffer>) {
			bytes += chunk.length;
			if (bytes > MOST_BYTES) throw noList(url, `it is larger than ${MOST_BYTES >> 20} MiB`);
			chunks.push(chunk);
		}
	} catch (error) {
		signal.throwIfAborted();
		throw error instanceof NetbootError ? error : unreachable(url, error);
	}
	return Buffer.concat(chunks).toString("utf8");
}
