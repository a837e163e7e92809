/** Reads directories by their first cluster and keeps them. */
import type { Run } from "../block/block-map.ts";
import { HOLE } from "../block/block-map.ts";
import { GenerationCache } from "../block/cache.ts";
import type { BlockSource } from "../block/source.ts";
import { readBytes } from "../block/source.ts";
import type { FatGeometry } from "./boot-sector.ts";
import { malformed } from "./boot-sector.ts";
import type { FatDirectory } from "./directory.ts";
import { FatDirectoryBuilder } from "./directory.ts";
import type { FatTable } from "./table.ts";

/** Microsoft's specification: a directory has at most 65,536 entries of 32 bytes. */
const MAX_DIRECTORY = 65_536 * 32;
const CACHED_ENTRIES = 100_000;
const ROOT = 0;

export class FatDirectories {
	readonly #source: BlockSource;
	readonly #geometry: FatGeometry;
	readonly #table: FatTable;
	readonly #known = new GenerationCache<number, FatDirectory>(CACHED_ENTRIES, ({ entries }) => entries.length + 2);

	constructor(source: BlockSource, geometry: FatGeometry, table: FatTable) {
		this.#source = source;
		this.#geometry = geometry;
		this.#table = table;
	}

	root(): FatDirectory {
		return this.#known.get(ROOT) ?? this.#keep(ROOT, this.#readRoot());
	}

	/**
	 * @param cluster where the directory begins; 0 and the root's own cluster are the root.
	 * @param ino for the message of an error.
	 */
	at(cluster: number, ino: number): FatDirectory {
		if (cluster === ROOT || cluster === this.#geometry.rootCluster) return this.root();
		return this.#known.get(cluster) ?? this.#keep(cluster, this.#readChain(cluster, `directory ${ino}`));
	}

	#keep(cluster: number, directory: FatDirectory): FatDirectory {
		this.#known.set(cluster, directory);
		return directory;
	}

	#readRoot(): FatDirectory {
		const { variant, rootStart, rootSize, rootCluster } = this.#geometry;
		if (variant === 32) return this.#readChain(rootCluster, "root directory");
		const builder = new FatDirectoryBuilder("root directory", false);
		builder.add(readBytes(this.#source, rootStart, rootSize), rootStart);
		return builder.finish();
	}

	#readChain(cluster: number, place: string): FatDirectory {
		const { clusterSize, variant } = this.#geometry;
		const limit = Math.max(1, MAX_DIRECTORY / clusterSize);
		const chain = this.#table.chain(cluster, place, limit);
		const builder = new FatDirectoryBuilder(place, variant === 32);
		const run: Run = { position: HOLE, count: 0 };
		for (let done = 0; done < chain.clusters; done += run.count) {
			chain.map.find(done, run);
			builder.add(readBytes(this.#source, run.position, run.count * clusterSize), run.position);
		}
		return builder.finish();
	}

	/**
	 * The inode number of the directory that holds this one; undefined: the root. An entry knows its parent only by its
	 * first cluster, so the parent's own entry is looked up in the directory above.
	 *
	 * @throws MalformedError when `..` leads nowhere.
	 */
	inoOfParent(directory: FatDirectory, ino: number): number | undefined {
		const cluster = this.#parentCluster(directory, ino);
		if (cluster === ROOT || cluster === this.#geometry.rootCluster) return undefined;
		const above = this.at(this.#parentCluster(this.at(cluster, ino), ino), ino);
		const parent = above.subdirectories.get(cluster);
		if (parent === undefined) throw malformed(`directory ${ino}`, `its .. names cluster ${cluster}, no directory's`);
		return parent;
	}

	#parentCluster(directory: FatDirectory, ino: number): number {
		if (directory.parentCluster === undefined) throw malformed(`directory ${ino}`, "there is no entry ..");
		return directory.parentCluster;
	}
}
