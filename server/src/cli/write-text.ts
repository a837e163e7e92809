/** Writes and disks in words. */
import type { AgentDisk, Write } from "@pi-netboot/api";
import { sizeText } from "./sizes.ts";
import { printable } from "./terminal.ts";

/** `SC32G, 32.0 GB, serial 0x1234`. */
export function diskText({ model, serial, size }: Pick<AgentDisk, "model" | "serial" | "size">): string {
	return [model || "a disk without a name", sizeText(size), serial && `serial ${serial}`].filter(Boolean).join(", ");
}

/** What would be lost. */
export function contentText({ content, partitions }: AgentDisk): string {
	if (partitions.length > 0) {
		const parts = partitions.map((part) => `${part.content || "unknown"} ${sizeText(part.size)}`);
		return `${partitions.length === 1 ? "1 partition" : `${partitions.length} partitions`} (${parts.join(", ")})`;
	}
	if (content === "empty") return "nothing";
	return content === "" ? "nothing that is known" : content;
}

/** How it went, in one line. */
export function receiptText(write: Write): string {
	const { id, deviceName, imageName, target, stage, error } = write;
	const what = `${deviceName}: ${imageName} to ${target}`;
	if (stage === "complete") return printable(`${what}: done ${proofText(write)}`);
	if (write.endedAt === null) return printable(`${what}: ordered (${id})`);
	return printable(`${what}: ${stage}. ${[error?.message, error?.hint].filter(Boolean).join(" ")}`.trim());
}

function proofText(write: Write): string {
	const { bytesDone, wireBytes, times, createdAt, endedAt, disk } = write;
	// What it waited before, perhaps for a person who began it again, says nothing of how fast it was.
	const beganAt = times[0]?.at ?? createdAt;
	const seconds = Math.max(1, Math.round(((endedAt ?? beganAt) - beganAt) / 1000));
	const serial = disk.serial === "" ? "" : `, serial ${disk.serial}`;
	const parts = [`${sizeText(bytesDone)} written`, readText(write), `${sizeText(wireBytes)} over the network${serial}`];
	return `in ${seconds} s: ${parts.join(", ")}`;
}

/** Without a proof of all, what was looked at anyway is none. */
function readText({ verify, verifiedBytes }: Write): string {
	if (verify === "full") return `${sizeText(verifiedBytes)} read back and compared`;
	return verify === "sample" ? "a sample of it read back and compared" : "not read back";
}

/** How far it is. */
export function progressText(write: Write): string {
	const { deviceName, stage, waiting, bytesPerSecond, secondsLeft, cancelling } = write;
	if (cancelling) return `${deviceName}: stops`;
	if (waiting !== undefined) return waiting.message;
	const rate = bytesPerSecond > 0 ? ` ${sizeText(bytesPerSecond)}/s` : "";
	const left = secondsLeft === null ? "" : `, ${timeText(secondsLeft)} left`;
	return `${deviceName}: ${stage}${rate}${left}`;
}

function timeText(seconds: number): string {
	return seconds < 90 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}
