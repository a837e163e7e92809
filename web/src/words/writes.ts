/** Lists of writes. */
import type { Write } from "@pi-netboot/api";

export function isOver({ stage }: Write): boolean {
	return stage === "complete" || stage === "failed" || stage === "cancelled";
}

/** Several lists as one, the newest first; of a write that is in two of them, what the last one says. */
export function together(...lists: readonly (readonly Write[])[]): Write[] {
	const byId = new Map(lists.flat().map((write) => [write.id, write]));
	return [...byId.values()].sort((a, b) => b.createdAt - a.createdAt);
}

/** What a person is looking for. */
export interface WriteFilter {
	/** Of a Pi, an image or a disk; any case. */
	readonly text: string;
	readonly stage: "all" | "complete" | "failed" | "cancelled";
}

export function isWanted({ deviceName, imageName, target, disk, stage }: Write, filter: WriteFilter): boolean {
	if (filter.stage !== "all" && stage !== filter.stage) return false;
	const words = [deviceName, imageName, target, disk.model, disk.serial].join(" ").toLowerCase();
	return words.includes(filter.text.trim().toLowerCase());
}

/**
 * The id behind which older writes begin. Where the list was asked for anew and goes back less far than before, what lies
 * between is missing from both: then they begin anew as well.
 *
 * @param before where they began until now.
 */
export function whereOlderBegin(writes: readonly Write[], before: string | undefined): string | undefined {
	// What comes live comes last, and is the newest.
	return writes.some(({ id }) => id === before) ? before : together(writes).at(-1)?.id;
}
