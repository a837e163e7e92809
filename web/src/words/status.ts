/** What a Pi is doing, in a word and a sentence. */
import type { Device, Write } from "@pi-netboot/api";
import { stageSentences } from "./stages.ts";

export type StatusKind = "trouble" | "writing" | "starting" | "running" | "quiet";

export interface Status {
	readonly kind: StatusKind;
	readonly word: string;
	readonly sentence: string;
}

/** Milliseconds after which a boot that came no further is not "starting" any more. */
const PATIENCE = 10 * 60_000;

/** @param write of the Pi that is not over yet. */
export function statusOf(device: Device, now: number, write?: Write): Status {
	const { diagnosis, stage, intent } = device;
	if (diagnosis !== undefined && diagnosis.severity !== "info") {
		return { kind: "trouble", word: "Needs help", sentence: diagnosis.message };
	}
	if (write !== undefined) return statusOfWrite(write);
	// Once it runs, a remark about its start says nothing any more.
	if (diagnosis !== undefined && stage !== "userspace" && stage !== "agent") return remarkOf(diagnosis);
	if (intent === "ignore") return { kind: "quiet", word: "Left alone", sentence: "The server does not answer it." };
	if (stage === null) return { kind: "quiet", word: "Seen", sentence: "It has not booted from here yet." };
	if (stage === "agent" && device.agent?.online === false) {
		return {
			kind: "quiet",
			word: "Not heard",
			sentence: "It was running, and says nothing now: it may be switched off.",
		};
	}
	if (stage === "userspace" || stage === "agent") {
		return { kind: "running", word: "Running", sentence: "It runs from the network." };
	}
	const since = now - (device.stages.at(-1)?.at ?? 0);
	if (since < PATIENCE) return { kind: "starting", word: "Starting", sentence: stageSentences[stage] };
	return { kind: "quiet", word: "Stopped", sentence: `Its last boot got as far as: ${stageSentences[stage]}.` };
}

function statusOfWrite({ imageName, disk, waiting, percent }: Write): Status {
	const sentence = waiting?.message ?? `${imageName} to ${disk.model || "its disk"}: ${Math.floor(percent)} %.`;
	return { kind: "writing", word: waiting === undefined ? "Writing" : "Waits to write", sentence };
}

function remarkOf({ code, message }: NonNullable<Device["diagnosis"]>): Status {
	if (code === "waits-for-its-turn") return { kind: "starting", word: "Waiting", sentence: message };
	return { kind: "quiet", word: code === "own-disk" ? "On its disk" : "Left alone", sentence: message };
}

export const statusColors: Readonly<Record<StatusKind, string>> = {
	trouble: "red",
	writing: "blue",
	starting: "blue",
	running: "green",
	quiet: "gray",
};
