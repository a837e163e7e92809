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
