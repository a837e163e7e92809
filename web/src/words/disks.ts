/** What is on a disk, in words. */
import type { AgentDisk, Image } from "@pi-netboot/api";
import { bytesText } from "./bytes.ts";
import { listText } from "./models.ts";

/** Names for what the agent found: with a table of partitions and none in it, that is all there is. */
const contents: Readonly<Record<string, string>> = {
	"": "unknown data",
	empty: "nothing",
	ext: "Linux (ext)",
	fat: "FAT",
	mbr: "a partition table",
	gpt: "a partition table",
};

const nameOf = (content: string): string => contents[content] ?? content;

/** What it is called, which a loop and some readers do not say. */
export const diskName = ({ model }: Pick<AgentDisk, "model">): string => model || "Disk";

/** Why a disk cannot be written; undefined when it can. @param image that is to be written, where that is known. */
export function whyNotWritten({ use, readOnly, size }: AgentDisk, image?: Pick<Image, "name" | "diskBytes">) {
	if (use !== null) return use.message;
	if (readOnly) return "It cannot be written: it is read only.";
	const needed = image?.diskBytes ?? 0;
	return size >= needed ? undefined : `It is too small: ${image?.name} needs ${bytesText(needed)}.`;
}

/** Whether nothing is lost: what the agent cannot name is not nothing. */
export function isEmptyDisk({ content, partitions }: AgentDisk): boolean {
	return partitions.length === 0 && content === "empty";
}

/** `Empty`, `2 partitions: FAT of 540 MB and Linux (ext) of 31 GB` */
export function diskContent(disk: AgentDisk): string {
	const { content, partitions } = disk;
	if (isEmptyDisk(disk)) return "Empty";
	if (partitions.length === 0) return withoutPartitions(content);
	const each = partitions.map((one) => `${nameOf(one.content)} of ${bytesText(one.size)}`);
	return `${partitions.length === 1 ? "1 partition" : `${partitions.length} partitions`}: ${listText(each)}`;
}

function withoutPartitions(content: string): string {
	const isTable = content === "mbr" || content === "gpt";
	return capital(isTable ? `${nameOf(content)} with nothing in it` : `${nameOf(content)}, without partitions`);
}

function capital(text: string): string {
	return text.charAt(0).toUpperCase() + text.slice(1);
}
