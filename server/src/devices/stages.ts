/**
 * How far a boot came. The server sees its side of every conversation; each thing that it sees is a fact, and facts move
 * a boot from stage to stage. Facts may be missing, doubled or late: a stage that is reached says that those before it
 * were passed, and nothing takes a stage back but a new attempt.
 */

import { type AskedFile, AskedFiles } from "./asked-files.ts";
import { type Attempt, type AttemptState, type BrokenTransfer, beginAttempt, lastStage } from "./attempt.ts";
import { type Fact, STAGES, type Stage } from "./facts.ts";
import { record } from "./record.ts";

/** The Pi 3's ROM asks for these, and then the program in them asks DHCP once more: one boot with two DISCOVERs. */
const BEFORE_SECOND_DISCOVER = new Set(["bootcode.bin", "bootsig.bin"]);

/** What a firmware asks for in its first breath, and never again once it has the command line. */
const FIRST_FILES = /^(bootcode\.bin|start4?\.elf|config\.txt)$/;

/** After so long without a word a DISCOVER is a new power-on. */
const SILENCE_MS = 120_000;

/** A power-on that came to nothing, as the next one remembers it. */
export interface FailedAttempt {
	readonly startedAt: number;
	readonly endedAt: number;
	readonly stage: Stage | undefined;
	readonly complete: ReadonlySet<string>;
	readonly opened: ReadonlySet<string>;
	readonly missing: ReadonlySet<string>;
	readonly timeouts: number;
	readonly acknowledged: number;
	readonly broken: BrokenTransfer | undefined;
}

const FAILED_MAX = 5;

/** One power-on, as it is shown. Times are milliseconds since 1970. */
export interface BootAttempt {
	readonly startedAt: number;
	/** Undefined where it came to no boot. */
	readonly bootId: string | undefined;
	/** In their order; `bytes` were sent while it was at that stage. */
	readonly stages: readonly { readonly stage: Stage; readonly at: number; readonly bytes: number }[];
	readonly files: readonly AskedFile[];
}

/** Attempts before this one that are kept to be shown. */
const PAST_MAX = 4;

/** Follows the boots of one device. */
export class BootTracker {
	#attempt: AttemptState | undefined;
	/** The one before it, while it may turn out to be alive. */
	#previous: AttemptState | undefined;
	#failed: FailedAttempt[] = [];
	#past: BootAttempt[] = [];

	/** The boot that goes on, or the last one. */
	get attempt(): Attempt | undefined {
		return this.#attempt;
	}

	/** The attempts before this one that did not reach userspace, one after the other, the oldest first; at most five. */
	get failed(): readonly FailedAttempt[] {
		return this.#failed;
	}

	/** This attempt and the last ones that asked for files, the newest first; at most five. */
	get attempts(): BootAttempt[] {
		const now = this.#attempt === undefined ? [] : [shownAttempt(this.#attempt)];
		return [...now, ...this.#past].slice(0, 1 + PAST_MAX);
	}

	/** The last stage of the boot. */
	get stage(): Stage | undefined {
		return this.#attempt === undefined ? undefined : lastStage(this.#attempt);
	}

	/** The stages of the boot in their order, with their times. */
	get stages(): { stage: Stage; at: number }[] {
		return this.#attempt === undefined ? [] : [...this.#attempt.stages].map(([stage, at]) => ({ stage, at }));
	}

	/** What was stored of the last attempts, the newest first. */
	remember(attempts: readonly BootAttempt[]): void {
		this.#past = [...attempts];
	}

	/** Goes on with a boot that was under way when the server was stopped; what is remembered of its attempt belongs to it. */
	restore(
		bootId: string,
		startedAt: number,
		mountedAt: number | null,
		stages: readonly { stage: Stage; at: number }[],
	): void {
		const times = stages.map(({ at }) => at);
		const own = this.#past.find((attempt) => attempt.bootId === bootId);
		const attempt = beginAttempt(own?.startedAt ?? Math.min(startedAt, ...times));
		attempt.files = new AskedFiles(own?.files);
		attempt.stageBytes = new Map(own?.stages.map(({ stage, bytes }) => [stage, bytes]));
		attempt.bootId = bootId;
		attempt.cmdlineAt = startedAt;
		attempt.mountAt = mountedAt ?? undefined;
		for (const { stage, at } of inOrder(stages)) attempt.stages.set(stage, at);
		attempt.lastFactAt = Math.max(startedAt, ...times);
		this.#attempt = attempt;
		this.#past = this.#past.filter((other) => other !== own).slice(0, PAST_MAX);
	}

	/**
	 * Takes a fact in.
	 *
	 * @param now milliseconds since 1970.
	 * @returns true when the boot came to another stage, or another boot began.
	 */
	fact(fact: Fact, now: number): boolean {
		const bootId = "bootId" in fact && fact.kind !== "cmdline" ? fact.bootId : undefined;
		if (bootId !== undefined && !this.#isOf(bootId)) return false;
		if (fact.kind === "tftp-end" && this.#endedBefore(fact, now)) return false;
		const fresh = this.#attempt === undefined || startsAnew(fact, this.#attempt, now);
		if (fresh && !opens(fact)) return false;
		const attempt = fresh ? this.#begin(now) : (this.#attempt ?? this.#begin(now));
		const before = attempt.stages.size;
		// Anybody can ask for its command line and be refused.
		if (fact.kind !== "cmdline-refused") attempt.lastFactAt = now;
		attempt.bootId ??= bootId;
		record(attempt, fact, now);
		return fresh || attempt.stages.size !== before;
	}

	/**
	 * Whether what a boot's root says is to be believed of this attempt. A root of the boot before it that goes on being
	 * used while nothing but a DISCOVER came says that the DISCOVER was not this Pi's: then that boot goes on.
	 */
	#isOf(bootId: string): boolean {
		if (this.#attempt === undefined || this.#attempt.bootId === bootId) return true;
		if (this.#previous?.bootId !== bootId || this.#attempt.stages.has("firmware")) return false;
		this.#past = this.#past.filter(({ bootId: past }) => past !== bootId);
		this.#attempt = this.#previous;
		this.#previous = undefined;
		return true;
	}

	/**
	 * A transfer that the Pi dropped when it began anew ends later than that, when the server gives it up: it tells of the
	 * attempt before. @returns true when it was such a one.
	 */
	#endedBefore(fact: Extract<Fact, { kind: "tftp-end" }>, now: number): boolean {
		const before = this.#previous;
		if (before === undefined || this.#attempt?.opened.has(fact.path) || !before.opened.has(fact.path)) return false;
		record(before, fact, now);
		this.#past = this.#past.map((past) => (past.startedAt === before.startedAt ? shownAttempt(before) : past));
		const last = this.#failed.at(-1);
		if (last?.startedAt === before.startedAt) this.#failed[this.#failed.length - 1] = failedAttempt(before);
		return true;
	}

	#begin(now: number): AttemptState {
		if (this.#attempt !== undefined) this.#retire(this.#attempt);
		this.#previous = this.#attempt;
		this.#attempt = beginAttempt(now);
		return this.#attempt;
	}

	#retire(attempt: AttemptState): void {
		if (attempt.stages.has("firmware")) this.#past = [shownAttempt(attempt), ...this.#past].slice(0, PAST_MAX);
		if (attempt.stages.has("userspace") || attempt.ownSystemAt !== undefined) {
			this.#failed = [];
			return;
		}
		this.#failed.push(failedAttempt(attempt));
		if (this.#failed.length > FAILED_MAX) this.#failed.shift();
	}
}

function failedAttempt(attempt: Attempt): FailedAttempt {
	const { startedAt, lastFactAt: endedAt, complete, opened, missing, timeouts, acknowledged, broken } = attempt;
	const stage = lastStage(attempt);
	return { startedAt, endedAt, stage, complete, opened, missing, timeouts, acknowledged, broken };
}

function shownAttempt({ startedAt, bootId, stages, stageBytes, files }: Attempt): BootAttempt {
	const shown = [...stages].map(([stage, at]) => ({ stage, at, bytes: stageBytes.get(stage) ?? 0 }));
	return { startedAt, bootId, stages: shown, files: files.list() };
}

/** The stages in the order of a boot, whatever the order of their times. */
export function inOrder<T extends { readonly stage: Stage }>(stages: readonly T[]): T[] {
	return stages.toSorted((a, b) => STAGES.indexOf(a.stage) - STAGES.indexOf(b.stage));
}

const FOLLOWERS: ReadonlySet<Fact["kind"]> = new Set([
	...([
		"waits",
		"offer",
		"unanswered",
		"other-server",
		"request",
		"tftp-end",
		"address-proved",
		"address-conflict",
	] as const),
	...(["server-moved", "server-back"] as const),
	"cmdline-refused",
]);

/** Facts that can be the first of an attempt. What only follows something else is none. */
function opens(fact: Fact): boolean {
	return !FOLLOWERS.has(fact.kind);
}

function startsAnew(fact: Fact, attempt: AttemptState, now: number): boolean {
	if (fact.kind === "discover") {
		if (now - attempt.lastFactAt > SILENCE_MS || attempt.ownSystemAt !== undefined) return true;
		if (attempt.stages.has("kernel")) return true;
		return attempt.cmdlineAt !== undefined || [...attempt.opened].some((path) => !BEFORE_SECOND_DISCOVER.has(path));
	}
	// Where another server does DHCP, the first file is the first thing that we see.
	if (fact.kind === "tftp-open") {
		return (attempt.cmdlineAt !== undefined || attempt.stages.has("kernel")) && FIRST_FILES.test(fact.path);
	}
	return fact.kind === "cmdline" && attempt.bootId !== undefined && attempt.bootId !== fact.bootId;
}
