/** FAT32's FSInfo sector: the number of free clusters, as a hint. */
import type { BlockSource } from "../block/source.ts";
import { readBytes } from "../block/source.ts";
import type { FatGeometry } from "./boot-sector.ts";

const LEAD_SIGNATURE = 0x41615252;
const STRUCTURE_SIGNATURE = 0x61417272;

/** Free clusters, or undefined when there is no FSInfo that can be believed: it is only a hint, and often wrong. */
export function readFreeClusters(source: BlockSource, geometry: FatGeometry): number | undefined {
	const { fsInfo, fatStart, clusterCount } = geometry;
	if (fsInfo === 0 || fsInfo + 512 > fatStart) return undefined;
	const sector = readBytes(source, fsInfo, 512);
	const signed = sector.readUInt32LE(0) === LEAD_SIGNATURE && sector.readUInt32LE(484) === STRUCTURE_SIGNATURE;
	const free = sector.readUInt32LE(488); // FSI_Free_Count
	return signed && free <= clusterCount ? free : undefined;
}
