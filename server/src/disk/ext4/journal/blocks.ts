/** The blocks of a journal by their number in it, wherever its file has them. */
import type { BlockMap, Run } from "../../block/block-map.ts";
import { HOLE } from "../../block/block-map.ts";
import { readBytes } from "../../block/source.ts";
import { malformed } from "../errors.ts";
import type { ExtVolume } from "../volume.ts";

export class JournalBlocks {
	/** How many there are. */
	readonly count: number;
	readonly #volume: ExtVolume;
	readonly #map: BlockMap;
	readonly #run: Run = { position: HOLE, count: 0 };

	constructor(volume: ExtVolume, map: BlockMap, count: number) {
		this.#volume = volume;
		this.#map = map;
		this.count = count;
	}

	/** Byte of the source where a block of the journal is. @throws MalformedError when it is nowhere. */
	position(number: number): number {
		this.#map.find(number, this.#run);
		if (this.#run.position === HOLE) throw malformed("journal", `its block ${number} is a hole`);
		return this.#run.position;
	}

	read(number: number): Buffer {
		return readBytes(this.#volume.source, this.position(number), this.#volume.blockSize);
	}
}
