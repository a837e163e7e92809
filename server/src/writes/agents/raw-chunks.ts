/** Chunks unpacked, for agents without libzstd. */
import { buffer } from "node:stream/consumers";
import { promisify } from "node:util";
import { zstdDecompress } from "node:zlib";
import { z } from "zod";
import { CHUNK } from "../../disk/index.ts";
import type { PackFile } from "../pack/index.ts";

const unpack = promisify(zstdDecompress);

/** The parts of a map that finding a chunk takes: its number, where the pack has it, how many bytes, and whether it is packed. */
const MapParts = z.object({
	pack: z.object({ sha256: z.string() }),
	chunks: z.array(z.tuple([z.number(), z.number(), z.number(), z.number()]).rest(z.unknown())),
});

interface Places {
	readonly pack: string;
	readonly chunks: ReadonlyMap<number, { readonly at: number; readonly length: number; readonly isPacked: boolean }>;
}

/** Maps that are kept as they were read: all agents of a room fetch from one or two. */
const KEPT = 4;

type Find = (name: string) => Promise<Pick<PackFile, "size" | "read"> | undefined>;

export class RawChunks {
	readonly #packs: { readonly map: Find; readonly pack: Find };
	/** The one used last is last. */
	readonly #places = new Map<string, Places>();

	constructor(packs: { readonly map: Find; readonly pack: Find }) {
		this.#packs = packs;
	}

	/** A chunk of a map; undefined when there is none. */
	async get(map: string, number: number): Promise<Buffer | undefined> {
		const places = await this.#placesOf(map);
		const place = places?.chunks.get(number);
		const pack = places && (await this.#packs.pack(places.pack));
		if (pack === undefined || place === undefined || place.length === 0) return undefined;
		const bytes = await buffer(pack.read(place.at, place.at + place.length));
		return place.isPacked ? unpack(bytes, { maxOutputLength: CHUNK }) : bytes;
	}

	async #placesOf(map: string): Promise<Places | undefined> {
		const places = this.#places.get(map) ?? (await this.#read(map));
		if (places === undefined) return undefined;
		this.#places.delete(map);
		this.#places.set(map, places);
		const [oldest] = this.#places.keys();
		if (this.#places.size > KEPT && oldest !== undefined) this.#places.delete(oldest);
		return places;
	}

	async #read(name: string): Promise<Places | undefined> {
		const file = await this.#packs.map(name);
		if (file === undefined) return undefined;
		const { pack, chunks } = MapParts.parse(JSON.parse((await buffer(file.read(0, file.size))).toString()));
		const found = chunks.map(([n, at, length, codec]) => [n, { at, length, isPacked: codec === 1 }] as const);
		return { pack: pack.sha256, chunks: new Map(found) };
	}
}
