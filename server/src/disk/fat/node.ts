/** A directory entry as a file's attributes. */
import type { Attributes, FileTime } from "../../base/index.ts";
import type { FatGeometry } from "./boot-sector.ts";
import { malformed } from "./boot-sector.ts";
import type { FatDirectory } from "./directory.ts";
import { ATTR, firstCluster } from "./directory.ts";
import { fatTime } from "./time.ts";

export interface FatNode {
	readonly attributes: Attributes;
	/** The first cluster; 0: none, or the root. */
	readonly cluster: number;
}

const DELETED = 0xe5;
const NEVER: FileTime = { sec: 0, nsec: 0 };

/** Tells whether 32 bytes are the entry of a file or a directory with a name of its own. */
export function isFileEntry(raw: Buffer): boolean {
	const first = raw.readUInt8(0);
	return first !== 0 && first !== DELETED && first !== 0x2e && (raw.readUInt8(11) & ATTR.VOLUME_ID) === 0;
}

/** @param directoryAt reads the directory that begins at a cluster. */
export function parseNode(
	raw: Buffer,
	ino: number,
	fsid: number,
	geometry: FatGeometry,
	directoryAt: (cluster: number) => FatDirectory,
): FatNode {
	const cluster = firstCluster(raw, geometry.variant === 32);
	const mtime = fatTime(raw.readUInt16LE(24), raw.readUInt16LE(22)); // DIR_WrtDate, DIR_WrtTime
	const atime = fatTime(raw.readUInt16LE(18), 0); // DIR_LstAccDate
	const attributes = raw.readUInt8(11);
	if (attributes & ATTR.DIRECTORY) {
		if (cluster === 0) throw malformed(`directory ${ino}`, "it has no cluster");
		return { attributes: directoryAttributes(directoryAt(cluster), ino, fsid, mtime, atime), cluster };
	}
	const size = raw.readUInt32LE(28); // DIR_FileSize
	const used = Math.ceil(size / geometry.clusterSize) * geometry.clusterSize;
	const mode = attributes & ATTR.READ_ONLY ? 0o555 : 0o755;
	const common = { ino, fsid, uid: 0, gid: 0, major: 0, minor: 0, atime, mtime, ctime: mtime };
	return { attributes: { ...common, type: "file", mode, nlink: 1, size, used }, cluster };
}

/** The root has no entry, so its times are unknown; Linux says 1970. */
export function rootNode(directory: FatDirectory, fsid: number, geometry: FatGeometry): FatNode {
	return { attributes: directoryAttributes(directory, 1, fsid, NEVER, NEVER), cluster: geometry.rootCluster };
}

function directoryAttributes(
	directory: FatDirectory,
	ino: number,
	fsid: number,
	mtime: FileTime,
	atime: FileTime,
): Attributes {
	const { size, subdirectories } = directory;
	const nlink = 2 + subdirectories.size;
	const common = { ino, fsid, uid: 0, gid: 0, major: 0, minor: 0, atime, mtime, ctime: mtime };
	return { ...common, type: "directory", mode: 0o755, nlink, size, used: size };
}
