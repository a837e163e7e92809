/**
 * What a person types to confirm that the content of a disk is lost. It counts for the disk that they saw while they typed: a Pi
 * may tell of another one at the same place meanwhile.
 */
import type { AgentDisk } from "@pi-netboot/api";
import { diskContent, isEmptyDisk } from "./disks.ts";

export interface Confirmation {
	/** Which disk, with what is on it. */
	readonly disk: string;
	readonly text: string;
}

export const NOT_CONFIRMED: Confirmation = { disk: "", text: "" };

export function typedFor(disk: AgentDisk, text: string): Confirmation {
	return { disk: markOf(disk), text };
}

/** What was typed for this disk, and no other. */
export function typedText(disk: AgentDisk, given: Confirmation): string {
	return given.disk === markOf(disk) ? given.text : "";
}

/** @param name of the Pi that it is in: what has to be typed, unless nothing is lost. */
export function isConfirmed(disk: AgentDisk, name: string, given: Confirmation): boolean {
	return isEmptyDisk(disk) || typedText(disk, given).trim() === name;
}

function markOf(disk: AgentDisk): string {
	return [disk.path, disk.diskseq, disk.size, disk.identity, diskContent(disk)].join("\n");
}
