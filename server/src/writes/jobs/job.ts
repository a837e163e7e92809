/** A write as it is kept: a value that does not change, and how it lies in the store. */
import type { WriteRow } from "../../store/index.ts";
import type { PackResult } from "../pack/index.ts";

export const WRITE_STAGES = ["wiping", "writing", "verifying", "syncing", "complete", "failed", "cancelled"] as const;
export type WriteStage = (typeof WRITE_STAGES)[number];

export const VERIFY_MODES = ["full", "sample", "none"] as const;
export type VerifyMode = (typeof VERIFY_MODES)[number];

/** The disk that was confirmed. */
export interface WriteTarget {
	/** `/dev/mmcblk0`. */
	readonly path: string;
	readonly model: string;
	readonly serial: string;
	/** Bytes. */
	readonly size: number;
	/** What tells it from all others; empty when it has none. */
	readonly identity: string;
}

/** Why it failed, in a sentence for the person. */
export interface WriteFailure {
	readonly code: string;
	readonly message: string;
	readonly hint?: string;
	/** Byte of the disk. */
	readonly offset?: number;
}

/** Bytes, but for `retries`. */
export interface WriteCounts {
	readonly bytesDone: number;
	readonly verifiedBytes: number;
	/** These three add up over the attempts; `earlier` is what those before this one had. */
	readonly wireBytes: number;
	readonly zeroedBytes: number;
	readonly retries: number;
	readonly earlier: { readonly wireBytes: number; readonly zeroedBytes: number; readonly retries: number };
}

export interface WriteJob {
	/** 16 hex digits. */
	readonly id: string;
	readonly deviceKey: number;
	/** As it was called when the write was ordered. */
	readonly deviceId: string;
	readonly deviceName: string;
	readonly imageId: string;
	readonly imageName: string;
	/** The build of the image, and its map's name; null until it is prepared. */
	readonly buildId: string | null;
	readonly map: string | null;
	/** What the map has. */
	readonly dataBytes: number;
	readonly zeroBytes: number;
	readonly target: WriteTarget;
	readonly verify: VerifyMode;
	readonly origin: "person" | "intent";
	readonly stage: WriteStage;
	readonly percent: number;
	/** The run of the Pi's system whose agent has it, see `AgentBook.runOf`; null while none has. */
	readonly run: string | null;
	/** It is to be stopped. */
	readonly isCancelled: boolean;
	readonly attempts: number;
	readonly counts: WriteCounts;
	/** Base64: a bit for each chunk of the map that is on the disk for certain. */
	readonly durable: string | null;
	/** When it first came to each stage, in milliseconds since 1970. */
	readonly times: readonly { readonly stage: WriteStage; readonly at: number }[];
	readonly failure: WriteFailure | null;
	readonly createdAt: number;
	readonly endedAt: number | null;
}

export const NO_COUNTS: WriteCounts = {
	bytesDone: 0,
	verifiedBytes: 0,
	wireBytes: 0,
	zeroedBytes: 0,
	retries: 0,
	earlier: { wireBytes: 0, zeroedBytes: 0, retries: 0 },
};

export function toRow({ target, isCancelled, counts, times, failure, ...same }: WriteJob): WriteRow {
	return {
		...same,
		targetPath: target.path,
		targetModel: target.model,
		targetSerial: target.serial,
		targetSize: target.size,
		targetIdentity: target.identity,
		cancelled: isCancelled ? 1 : 0,
		counts: JSON.stringify(counts),
		times: JSON.stringify(times),
		failure: failure === null ? null : JSON.stringify(failure),
	};
}

/** A job out of its row, which nobody but `toRow` makes. */
export function fromRow(row: WriteRow): WriteJob {
	const { targetPath, targetModel, targetSerial, targetSize, targetIdentity, cancelled, ...same } = row;
	return {
		...same,
		target: {
			path: targetPath,
			model: targetModel,
			serial: targetSerial,
			size: targetSize,
			identity: targetIdentity,
		},
		stage: WRITE_STAGES.find((stage) => stage === row.stage) ?? "failed",
		verify: VERIFY_MODES.find((mode) => mode === row.verify) ?? "full",
		origin: row.origin === "intent" ? "intent" : "person",
		isCancelled: cancelled !== 0,
		counts: JSON.parse(row.counts),
		times: JSON.parse(row.times),
		failure: row.failure === null ? null : JSON.parse(row.failure),
	};
}

/** Failures after which nothing on the disk is believed. */
const BAD_DISK = new Set(["disk-error", "verify-failed", "unproved"]);

/** Begins anew: what is shown starts at nothing; what is on the disk for certain stays known as long as the map is the same. */
export function renewed(job: WriteJob): WriteJob {
	return {
		...job,
		durable: BAD_DISK.has(job.failure?.code ?? "") ? null : job.durable,
		stage: "wiping",
		percent: 0,
		run: null,
		isCancelled: false,
		attempts: 0,
		counts: { ...job.counts, bytesDone: 0, verifiedBytes: 0 },
		times: [],
		failure: null,
		endedAt: null,
	};
}

/** Its image is prepared. Of another map nothing is written yet, and who writes that other one has it no more. */
export function prepared(job: WriteJob, buildId: string, { map, dataBytes, zeroBytes }: PackResult): WriteJob {
	const same = { ...job, buildId, map, dataBytes, zeroBytes };
	if (job.map === map) return same;
	return { ...same, run: null, durable: null, counts: { ...job.counts, bytesDone: 0, verifiedBytes: 0 } };
}

/** Given to an agent. */
export function handedOut(job: WriteJob, run: string, now: number): WriteJob {
	const { wireBytes, zeroedBytes, retries } = job.counts;
	const times = job.times.length > 0 ? job.times : [{ stage: "wiping", at: now } as const];
	return {
		...job,
		run,
		times,
		stage: "wiping",
		attempts: job.attempts + 1,
		counts: { ...job.counts, verifiedBytes: 0, earlier: { wireBytes, zeroedBytes, retries } },
	};
}

/** Over, one way or the other. */
export function ended(job: WriteJob, stage: WriteStage, now: number, failure: WriteFailure | null = null): WriteJob {
	const times = [...job.times, { stage, at: now }];
	return { ...job, stage, failure, times, endedAt: now, durable: stage === "complete" ? null : job.durable };
}

/** Failures after which what is on the disk is still good, and nobody has to do anything first. */
const GOES_ON = new Set(["unreachable", "pack-gone"]);
/** Runs after which a write that goes on by itself has had its chances. */
const MOST_ATTEMPTS = 10;

/** Whether a write that its agent gave up goes on by itself. */
export function goesOn({ failure, attempts, isCancelled }: WriteJob): boolean {
	return failure !== null && GOES_ON.has(failure.code) && attempts < MOST_ATTEMPTS && !isCancelled;
}
