/** The file allocation table: for each cluster, which one follows. */
import type { BlockMap } from "../block/block-map.ts";
import { GenerationCache } from "../block/cache.ts";
import { RunMapBuilder } from "../block/run-map.ts";
import type { BlockSource } from "../block/source.ts";
import { readBytes } from "../block/source.ts";
import type { FatGeometry } from "./boot-sector.ts";
import { malformed } from "./boot-sector.ts";

/** Divisible by the size of each variant's entry, so that none is cut: 12 bits take one and a half bytes. */
const PAGE = 12_288;
const CACHED_PAGES = 64;

/** A file's clusters in order. */
export interface Chain {
	readonly map: BlockMap;
	readonly clusters: number;
}

export class FatTable {
	readonly #source: BlockSource;
	readonly #geometry: FatGeometry;
	readonly #pages = new GenerationCache<number, Buffer>(CACHED_PAGES);

	constructor(source: BlockSource, geometry: FatGeometry) {
		this.#source = source;
		this.#geometry = geometry;
	}

	/** The entry of a cluster, from 0 on. */
	entry(cluster: number): number {
		const { variant } = this.#geometry;
		if (variant === 32) return this.#page(cluster * 4).readUInt32LE((cluster * 4) % PAGE) & 0x0fffffff;
		if (variant === 16) return this.#page(cluster * 2).readUInt16LE((cluster * 2) % PAGE);
		const at = cluster + (cluster >>> 1);
		return this.#twelveBits(this.#page(at), at % PAGE, cluster % 2 === 1);
	}

	/** Two entries share the middle one of three bytes. */
	#twelveBits(page: Buffer, at: number, odd: boolean): number {
		const pair = page.readUInt8(at) | (page.readUInt8(at + 1) << 8);
		return odd ? pair >>> 4 : pair & 0xfff;
	}

	#page(at: number): Buffer {
		const number = Math.floor(at / PAGE);
		const cached = this.#pages.get(number);
		if (cached !== undefined) return cached;
		const { fatStart, fatSize } = this.#geometry;
		const page = readBytes(this.#source, fatStart + number * PAGE, Math.min(PAGE, fatSize - number * PAGE));
		this.#pages.set(number, page);
		return page;
	}

	/** Byte of the file system where a cluster's data is. @throws MalformedError when it is not a data cluster. */
	position(cluster: number, place: string): number {
		const { clusterCount, clusterSize, dataStart } = this.#geometry;
		if (cluster < 2 || cluster > clusterCount + 1) {
			throw malformed(place, `cluster ${cluster}, there are 2 to ${clusterCount + 1}`);
		}
		return dataStart + (cluster - 2) * clusterSize;
	}

	/**
	 * Follows a chain to its end, or as far as a file needs it.
	 *
	 * @param needed clusters that a file's size asks for; undefined: to the end, which must come within `limit`.
	 * @throws MalformedError when it is shorter, longer than the limit, or leads outside.
	 */
	chain(first: number, place: string, limit: number, needed?: number): Chain {
		const runs = new RunMapBuilder(this.#geometry.clusterSize);
		let clusters = 0;
		let cluster = first;
		while (clusters !== needed && !(clusters > 0 && this.#isEnd(cluster))) {
			if (clusters === limit) throw malformed(place, `its chain of clusters does not end after ${limit}`);
			runs.add(clusters, this.position(cluster, place), 1);
			clusters++;
			cluster = clusters === needed ? cluster : this.entry(cluster);
		}
		if (needed !== undefined && clusters < needed) {
			throw malformed(place, `its chain has ${clusters} clusters, its size needs ${needed}`);
		}
		return { map: runs.finish(), clusters };
	}

	/** 0x...ff8 and above end a chain; 0x...ff7 is a bad cluster, which no chain may hold. */
	#isEnd(entry: number): boolean {
		const { variant } = this.#geometry;
		return entry >= (variant === 32 ? 0x0ffffff8 : variant === 16 ? 0xfff8 : 0xff8);
	}

	/** Clusters that belong to nothing. Reads the whole table. */
	countFree(): number {
		let free = 0;
		for (let cluster = 2; cluster < this.#geometry.clusterCount + 2; cluster++) {
			if (this.entry(cluster) === 0) free++;
		}
		return free;
	}
}
