/** What is on a disk, in words. */
import type { AgentDisk } from "@pi-netboot/api";
import { bytesText } from "./bytes.ts";
import { listText } from "./models.ts";

/** Names for what the agent found. */
const contents: Readonly<Record<string, string>> = { ext: "Linux (ext)", fat: "FAT" };

const nameOf = (content: string): string => contents[content] ?? content;

export function isEmptyDisk({ content, partitions }: AgentDisk): boolean {
	return partitions.length === 0 && content === "";
}

/** `Empty`, `2 partitions: FAT of 540 MB and Linux (ext) of 31 GB` */
export function diskContent(disk: AgentDisk): string {
	const { content, partitions } = disk;
	if (isEmptyDisk(disk)) return "Empty";
	if (partitions.length === 0) return `${nameOf(content)}, without partitions`;
	const each = partitions.map(
		(one) => `${one.content === "" ? "unknown data" : nameOf(one.content)} of ${bytesText(one.size)}`,
	);
	return `${partitions.length === 1 ? "1 partition" : `${partitions.length} partitions`}: ${listText(each)}`;
}
