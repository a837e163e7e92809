/** What is said of writes. */
import { isNetbootError } from "../../base/index.ts";
import type { WriteFailure, WriteJob } from "./job.ts";

/** Whether something thrown is a fault of ours, of which the person is only told that the log says more. */
export function isOurFault(error: unknown): boolean {
	return !isNetbootError(error) || error.code === "bug";
}

export function failureFrom(error: unknown): WriteFailure {
	if (!isNetbootError(error) || isOurFault(error)) {
		return { code: "internal", message: "The server failed at this; its log says more." };
	}
	const { code, message, hint } = error;
	return { code, message, ...(hint !== undefined && { hint }) };
}

/** A Pi that is restarted whenever it writes would write for ever. */
export function neverEnds({ deviceName, attempts }: WriteJob): WriteFailure {
	const message = `${deviceName} took this write up ${attempts} times and never came to its end.`;
	return { code: "never-ends", message, hint: "Does it restart while it writes? A weak power supply does that." };
}

const STOPPED = "It was cancelled. The disk does not boot.";
const LEFT_ALONE =
	"It was cancelled while the Pi was away. Its disk boots only if the write came to its end there, which nobody has seen.";

/** What is told of a disk whose write was cancelled. @param run of the agent that is there and writes nothing. */
export function cancellation({ attempts, counts, run: writing }: WriteJob, run: string | undefined): WriteFailure {
	const hasBegun = attempts > 0 || counts.wireBytes > 0;
	// An agent that is away may have gone on to the end.
	const isStopped = writing === null || writing === run;
	const message = hasBegun ? (isStopped ? STOPPED : LEFT_ALONE) : "It was cancelled before it began.";
	return { code: "cancelled", message };
}

/** What is to be done, for the log. */
export function beginText({ imageName, target }: WriteJob): string {
	return `${imageName} is to be written to ${target.path}`;
}

/** How a write ended, for the log. */
export function endText({ imageName, target, stage, failure, verify }: WriteJob): string {
	if (stage === "complete") return `${imageName} is on ${target.path}, ${VERIFIED[verify]}`;
	const what = stage === "cancelled" ? "was cancelled" : `failed (${failure?.code}): ${failure?.message}`;
	return `writing ${imageName} to ${target.path} ${what}`;
}

const VERIFIED: Readonly<Record<WriteJob["verify"], string>> = {
	full: "read back and compared",
	sample: "a sample of it read back and compared",
	none: "not read back",
};
