/** Where the bytes of a file are: in blocks of its own, or inside its inode. */
import { FileError } from "../../base/index.ts";
import type { BlockMap } from "../block/block-map.ts";
import { readMapped } from "../block/block-map.ts";
import { GenerationCache } from "../block/cache.ts";
import { malformed } from "./errors.ts";
import { readExtents } from "./extents.ts";
import { IndirectMap } from "./indirect.ts";
import type { Inode } from "./inode.ts";
import { I_BLOCK, I_BLOCK_SIZE, INODE_FLAG } from "./inode.ts";
import type { InodeTable } from "./inode-table.ts";
import type { ExtVolume } from "./volume.ts";
import type { XattrEntry } from "./xattr.ts";
import { inodeXattrs } from "./xattr.ts";

/** Numbers in block maps that are kept: 8 bytes each. */
const CACHED_MAP_ENTRIES = 1_500_000;
const INDEX_SYSTEM = 7;

export class Content {
	readonly #volume: ExtVolume;
	readonly #inodes: InodeTable;
	readonly #maps = new GenerationCache<number, BlockMap>(CACHED_MAP_ENTRIES, (map) => map.weight);

	constructor(volume: ExtVolume, inodes: InodeTable) {
		this.#volume = volume;
		this.#inodes = inodes;
	}

	/** Fills `target` from byte `offset` on; gives how many there were. The kind of file does not matter here. */
	read(inode: Inode, offset: number, target: Uint8Array): number {
		const { size, ino } = inode.attributes;
		if (!Number.isSafeInteger(offset) || offset < 0) throw new FileError("EINVAL", `offset ${offset}`);
		const length = Math.min(target.length, size - offset);
		if (length <= 0) return 0;
		const wanted = length === target.length ? target : target.subarray(0, length);
		if (inode.flags & INODE_FLAG.INLINE_DATA) {
			const bytes = this.inline(ino, size).subarray(offset, offset + length);
			wanted.fill(0);
			wanted.set(bytes);
		} else {
			readMapped(this.#volume.source, this.#volume.blockSize, this.map(inode), offset, wanted);
		}
		return length;
	}

	map(inode: Inode): BlockMap {
		const cached = this.#maps.get(inode.attributes.ino);
		if (cached !== undefined) return cached;
		const map = this.#readMap(inode);
		this.#maps.set(inode.attributes.ino, map);
		return map;
	}

	#readMap(inode: Inode): BlockMap {
		const { ino, size } = inode.attributes;
		const raw = this.#inodes.raw(ino);
		if (inode.flags & INODE_FLAG.EXTENTS) return readExtents(this.#volume, raw, ino);
		return new IndirectMap(this.#volume, raw, ino, size);
	}

	/**
	 * Inline data: the first 60 bytes in `i_block`, the rest as the attribute `system.data` in the same inode. Gives at
	 * most `size` bytes; what is not there reads as zeros.
	 */
	inline(ino: number, size: number): Buffer {
		const raw = this.#inodes.raw(ino);
		const place = `inode ${ino}`;
		const rest = inodeXattrs(raw, place).find((entry) => entry.index === INDEX_SYSTEM && entry.name === "data");
		if (rest !== undefined && rest.inode !== 0) throw malformed(place, "its inline data is not in the inode");
		const head = raw.subarray(I_BLOCK, I_BLOCK + I_BLOCK_SIZE);
		const bytes = rest === undefined ? head : Buffer.concat([head, rest.value]);
		if (size > bytes.length) throw malformed(place, `i_size is ${size}, its inline data has ${bytes.length} bytes`);
		return bytes.subarray(0, size);
	}

	/** The value of an attribute, also when it is so large that it has an inode of its own (ea_inode). */
	xattr(entry: XattrEntry, place: string): Buffer {
		if (entry.inode === 0) return Buffer.from(entry.value);
		const inode = this.#inodes.special(entry.inode);
		const { size, type } = inode.attributes;
		if ((inode.flags & INODE_FLAG.EA_INODE) === 0 || type !== "file" || size !== entry.size) {
			throw malformed(place, `inode ${entry.inode} is not the value of ${entry.size} bytes that it should be`);
		}
		const value = Buffer.allocUnsafe(entry.size);
		this.read(inode, 0, value);
		return value;
	}
}
