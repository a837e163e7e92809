/** Reads a whole directory, whichever way it is stored. */
import type { Content } from "./content.ts";
import type { Directory } from "./directory.ts";
import { DirectoryBuilder } from "./directory.ts";
import { verifyDirectoryBlock } from "./directory-checksum.ts";
import { malformed } from "./errors.ts";
import { COMPAT } from "./features.ts";
import type { Inode } from "./inode.ts";
import { I_BLOCK_SIZE, INODE_FLAG } from "./inode.ts";
import type { ExtVolume } from "./volume.ts";

/** Bytes that are asked for at a time. */
const CHUNK = 262_144;
/** A directory of a million names of full length has about as much. */
const MAX_SIZE = 512 * 1024 * 1024;

/** @throws MalformedError, BlockFault. */
export function readDirectory(volume: ExtVolume, content: Content, inode: Inode): Directory {
	return inode.flags & INODE_FLAG.INLINE_DATA ? readInline(volume, content, inode) : readBlocks(volume, content, inode);
}

/** Inline, `.` and `..` are not entries: the parent's number stands in front, and each part is filled on its own. */
function readInline(volume: ExtVolume, content: Content, inode: Inode): Directory {
	const { ino, size } = inode.attributes;
	const place = `inode ${ino}, inline directory`;
	const bytes = content.inline(ino, size);
	if (bytes.length < 4) throw malformed(place, `i_size is ${size}, expected at least 4`);
	const builder = new DirectoryBuilder(ino, volume.superblock.inodesCount, bytes.readUInt32LE(0));
	builder.addBlock(bytes, 4, Math.min(I_BLOCK_SIZE, bytes.length), place);
	if (bytes.length > I_BLOCK_SIZE) builder.addBlock(bytes, I_BLOCK_SIZE, bytes.length, place);
	return builder.finish();
}

function readBlocks(volume: ExtVolume, content: Content, inode: Inode): Directory {
	const { ino, size } = inode.attributes;
	const { blockSize, superblock } = volume;
	if (size === 0 || size % blockSize !== 0 || size > Math.min(MAX_SIZE, volume.source.size)) {
		throw malformed(`inode ${ino}`, `i_size of the directory is ${size}, expected a multiple of ${blockSize}`);
	}
	const hashed = (superblock.compat & COMPAT.DIR_INDEX) !== 0 && (inode.flags & INODE_FLAG.INDEX) !== 0;
	const seed = volume.inodeSeed(ino, inode.generation);
	const builder = new DirectoryBuilder(ino, superblock.inodesCount);
	const chunk = Buffer.allocUnsafe(Math.min(CHUNK, size));
	for (let offset = 0; offset < size; offset += chunk.length) {
		const length = content.read(inode, offset, chunk);
		for (let at = 0; at < length; at += blockSize) {
			const block = chunk.subarray(at, at + blockSize);
			const place = `inode ${ino}, directory block ${(offset + at) / blockSize}`;
			if (volume.checksums) verifyDirectoryBlock(block, seed, hashed, offset + at === 0, place);
			builder.addBlock(block, 0, blockSize, place);
		}
	}
	return builder.finish();
}
