/**
 * The list of images that Raspberry Pi Imager reads: `os_list`, items of which are images or lists again, in place (`subitems`)
 * or elsewhere (`subitems_url`). It comes from outside: each item is checked by itself, and one that is wrong costs no other.
 */
import { z } from "zod";
import { nameOfAddress } from "../import/request.ts";
import type { CatalogOrigin } from "../origins.ts";
import { makeImageId } from "../records.ts";
import { modelsFor, whyNot } from "./netboot.ts";

/** What can be chosen. A value that does not change. */
export interface CatalogEntry {
	readonly id: string;
	readonly name: string;
	readonly description: string;
	/** The lists that lead to it, outermost first. */
	readonly category: readonly string[];
	readonly url: string | null;
	/** Bytes, unpacked and as it is downloaded. */
	readonly size: number | null;
	readonly downloadSize: number | null;
	/** Of the file at the address. */
	readonly sha256: string | null;
	/** What is kept of it with the image that it becomes. */
	readonly origin: CatalogOrigin;
	readonly releaseDate: string | null;
	readonly models: readonly string[];
	/** Why it cannot be booted from the network; undefined when it can, as far as the list tells. */
	readonly reason: string | undefined;
}

/** A list that has to be fetched still. */
export interface Elsewhere {
	readonly url: string;
	readonly category: readonly string[];
}

export interface CatalogPart {
	readonly entries: readonly CatalogEntry[];
	readonly elsewhere: readonly Elsewhere[];
	readonly notes: readonly string[];
}

/** Deeper lists than any has. */
const MOST_DEPTH = 8;

const text = (most: number) =>
	z.string().transform((value) => value.replaceAll(/[\p{Cc}\p{Bidi_Control}]+/gu, " ").slice(0, most));
const bytes = z
	.number()
	.int()
	.min(0)
	.max(2 ** 50);

const Sha256 = z
	.string()
	.regex(/^[0-9a-f]{64}$/i)
	.transform((digits) => digits.toLowerCase())
	.optional()
	.catch(undefined);

const Item = z.object({
	name: text(200),
	description: text(1000).catch(""),
	url: z.string().max(2000).optional(),
	extract_size: bytes.optional().catch(undefined),
	extract_sha256: Sha256,
	image_download_size: bytes.optional().catch(undefined),
	image_download_sha256: Sha256,
	release_date: text(40).optional().catch(undefined),
	devices: z.array(text(60)).max(100).optional().catch(undefined),
	subitems: z.array(z.unknown()).optional(),
	subitems_url: z.string().max(2000).optional(),
});
type Item = z.infer<typeof Item>;

const List = z.object({ os_list: z.array(z.unknown()) });

/**
 * Reads one list. @param category the lists that led to it. @param isTaken tells ids that other lists have.
 *
 * @throws z.ZodError when it is no such list.
 */
export function readList(list: unknown, category: readonly string[], isTaken: (id: string) => boolean): CatalogPart {
	const reader = new Reader(isTaken);
	reader.read(List.parse(list).os_list, category);
	return reader;
}

class Reader implements CatalogPart {
	readonly entries: CatalogEntry[] = [];
	readonly elsewhere: Elsewhere[] = [];
	readonly notes: string[] = [];
	readonly #ids = new Set<string>();
	readonly #isTaken: (id: string) => boolean;

	constructor(isTaken: (id: string) => boolean) {
		this.#isTaken = isTaken;
	}

	read(items: readonly unknown[], category: readonly string[]): void {
		if (category.length > MOST_DEPTH) {
			this.notes.push(`${category.join(" > ")} is nested too deep.`);
			return;
		}
		for (const unchecked of items) {
			const checked = Item.safeParse(unchecked);
			if (checked.success) this.#take(checked.data, category);
			else if (this.notes.length < 20) this.notes.push(`An item${within(category)} cannot be understood.`);
		}
	}

	#take(item: Item, category: readonly string[]): void {
		const below = [...category, item.name];
		if (item.subitems !== undefined) this.read(item.subitems, below);
		if (item.subitems_url !== undefined) this.elsewhere.push({ url: item.subitems_url, category: below });
		if (item.url !== undefined) this.entries.push(this.#entry(item, category));
	}

	#entry(item: Item, category: readonly string[]): CatalogEntry {
		const address = URL.parse(item.url ?? "");
		const url = address !== null && /^https?:$/.test(address.protocol) ? address : null;
		const fileName = url === null ? "" : nameOfAddress(url);
		const models = modelsFor(item.devices);
		const id = makeImageId(fileName || item.name, (other) => this.#ids.has(other) || this.#isTaken(other));
		this.#ids.add(id);
		return {
			id,
			name: item.name,
			description: item.description,
			category,
			url: url?.href ?? null,
			size: item.extract_size ?? null,
			downloadSize: item.image_download_size ?? null,
			sha256: item.image_download_sha256 ?? (isRaw(fileName) ? item.extract_sha256 : undefined) ?? null,
			origin: originOf(id, item),
			releaseDate: item.release_date ?? null,
			models,
			reason: whyNot({ name: item.name, category, fileName, devices: item.devices, models }),
		};
	}
}

/** Of a file that is not packed, what comes out is what comes. */
function isRaw(fileName: string): boolean {
	return /\.(img|tar)$/i.test(fileName);
}

function originOf(id: string, { name, extract_size: bytes, extract_sha256: sha256 }: Item): CatalogOrigin {
	return {
		id,
		name,
		...(bytes !== undefined && { unpackedBytes: bytes }),
		...(sha256 !== undefined && { unpackedSha256: sha256 }),
	};
}

function within(category: readonly string[]): string {
	return category.length === 0 ? "" : ` in ${category.join(" > ")}`;
}
