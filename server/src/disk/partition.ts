/** What a partition table says, whichever kind it is. */

export interface Partition {
	/** From 1 on, as Linux counts: `mmcblk0p2` is 2; logical partitions of an MBR begin at 5. */
	readonly index: number;
	/** Byte where it begins. */
	readonly start: number;
	/** Bytes; never reaching beyond the source. */
	readonly size: number;
	/** MBR: two hex digits (`0c`, `83`). GPT: the type's GUID in lower case. */
	readonly type: string;
	/** As in `root=PARTUUID=`: `1f00cafe-02`, or the partition's GUID in lower case. */
	readonly partuuid: string;
	/** GPT only. */
	readonly name?: string;
	readonly bootable?: boolean;
}

export interface PartitionTable {
	/** `none`: the source is one file system (or nothing we know) without a table. */
	readonly kind: "mbr" | "gpt" | "none";
	/** MBR: 8 hex digits; GPT: the disk's GUID; none: empty. */
	readonly diskId: string;
	readonly partitions: readonly Partition[];
	/** Sentences about what is unusual here. */
	readonly findings: readonly string[];
}

/**
 * A partition as the table has it, cut to what the source has: as Linux does, one that begins behind the end is dropped.
 */
export function fitPartition(partition: Partition, sourceSize: number, findings: string[]): Partition | undefined {
	const { index, start, size } = partition;
	if (start + size <= sourceSize) return partition;
	const end = `the image ends at byte ${sourceSize}`;
	if (start >= sourceSize) {
		findings.push(`partition ${index} begins at byte ${start}, ${end}: left out`);
		return undefined;
	}
	findings.push(`partition ${index} ends at byte ${start + size}, ${end}: cut off`);
	return { ...partition, size: sourceSize - start };
}
