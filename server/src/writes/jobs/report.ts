/** What an agent reports, and what becomes of the job by it. An agent is a stranger: nothing that it counts is believed blindly. */
import { ended, type WriteCounts, type WriteFailure, type WriteJob, type WriteStage } from "./job.ts";

export interface AgentReport {
	readonly job: string;
	/** Rises with every report of a run. */
	readonly seq: number;
	readonly stage: WriteStage;
	readonly percent: number;
	readonly bytesDone: number;
	readonly wireBytes: number;
	readonly zeroedBytes: number;
	readonly verifiedBytes: number;
	readonly retries: number;
	/** Base64, null when it says nothing of it. */
	readonly durable: string | null;
	readonly error: { readonly code: string; readonly message: string; readonly offset?: number | undefined } | null;
}

/** Percent that a stage can be at; a stage that is not in here is the end. */
const RANGES: Readonly<Partial<Record<WriteStage, readonly [number, number]>>> = {
	wiping: [0, 10],
	writing: [10, 95],
	verifying: [10, 95],
	syncing: [95, 99.9],
};

/** A report of a job that goes on. */
export function afterReport(job: WriteJob, report: AgentReport, now: number): WriteJob {
	const counted = { ...job, counts: countsOf(job, report), durable: report.durable ?? job.durable };
	switch (report.stage) {
		case "complete":
			return completed(counted, report, now);
		case "failed":
			return ended(counted, "failed", now, failureOf(report));
		case "cancelled":
			return ended(counted, "cancelled", now, failureOf(report));
		default:
			return moved(counted, report, now);
	}
}

function moved(job: WriteJob, { stage, percent }: AgentReport, now: number): WriteJob {
	const [first, last] = RANGES[stage] ?? [0, 100];
	const times = job.times.some((time) => time.stage === stage) ? job.times : [...job.times, { stage, at: now }];
	return { ...job, stage, times, percent: Math.max(job.percent, Math.min(last, Math.max(first, percent))) };
}

/** What was looked at twice counts once; sums stay numbers that can be told. */
function countsOf({ counts, dataBytes, zeroBytes }: WriteJob, report: AgentReport): WriteCounts {
	const { earlier } = counts;
	const verified = Math.min(report.verifiedBytes, dataBytes + zeroBytes);
	return {
		bytesDone: Math.max(counts.bytesDone, Math.min(report.bytesDone, dataBytes)),
		verifiedBytes: Math.max(counts.verifiedBytes, verified),
		wireBytes: sumOf(earlier.wireBytes, report.wireBytes),
		zeroedBytes: sumOf(earlier.zeroedBytes, report.zeroedBytes),
		retries: sumOf(earlier.retries, report.retries),
		earlier,
	};
}

function sumOf(one: number, other: number): number {
	return Math.min(one + other, Number.MAX_SAFE_INTEGER);
}

/** Complete is what was written whole and, where that was asked for, read back whole; what an earlier run counted proves nothing. */
function completed(job: WriteJob, { bytesDone, verifiedBytes }: AgentReport, now: number): WriteJob {
	const { dataBytes, zeroBytes } = job;
	const isVerified = job.verify !== "full" || verifiedBytes >= dataBytes + zeroBytes;
	if (bytesDone >= dataBytes && isVerified) return { ...ended(job, "complete", now), percent: 100 };
	const message = `The agent says that it is done, but wrote ${bytesDone} of ${dataBytes} bytes and read back ${verifiedBytes} of ${dataBytes + zeroBytes}.`;
	return ended(job, "failed", now, { code: "unproved", message, hint: "Begin the write again." });
}

function failureOf({ error }: AgentReport): WriteFailure {
	if (error === null) return { code: "internal", message: "The agent gives no reason." };
	const { code, message, offset } = error;
	return { code, message, ...(offset !== undefined && { offset }) };
}
