/** What was seen of one attempt to boot, and how each fact is noted in it. */
import { AskedFiles, NAMES_MAX } from "./asked-files.ts";
import { type Fact, STAGES, type Stage, type TransferOutcome } from "./facts.ts";

/** One transfer that did not go through. */
export interface BrokenTransfer {
	readonly path: string;
	readonly outcome: TransferOutcome;
	readonly bytes: number;
	readonly size: number;
	/** Milliseconds that it took. */
	readonly took: number;
}

/** What was seen since the Pi began to boot. Times are milliseconds since 1970, undefined = not seen. */
export interface Attempt {
	readonly startedAt: number;
	readonly stages: ReadonlyMap<Stage, number>;
	readonly lastFactAt: number;
	/** What it was sent while it was at each stage: of boot files, and of its root. */
	readonly stageBytes: ReadonlyMap<Stage, number>;
	readonly files: AskedFiles;
	readonly bootId: string | undefined;

	readonly discovers: number;
	readonly lastDiscoverAt: number | undefined;
	/** The DHCP relay between it and us. */
	readonly relay: string | undefined;
	/** How many Pis are before it in the line of those that wait to begin. */
	readonly waitsBehind: number | undefined;
	readonly offers: number;
	readonly firstOfferAt: number | undefined;
	/** Why it is not answered. */
	readonly unanswered: Extract<Fact, { kind: "unanswered" }> | undefined;
	/** Another DHCP server that it took an address from while we give out addresses. */
	readonly otherServer: string | undefined;
	/** The range of addresses in which none was left for it. */
	readonly noAddressIn: string | undefined;
	readonly requestAt: number | undefined;
	readonly requestServer: string | undefined;

	readonly tftpRequests: number;
	readonly firstTftpAt: number | undefined;
	readonly lastTftpAt: number | undefined;
	/** Names that were asked for and not there, with the serial or without. */
	readonly missing: ReadonlySet<string>;
	readonly complete: ReadonlySet<string>;
	readonly opened: ReadonlySet<string>;
	readonly timeouts: number;
	/** Bytes of files that it acknowledged. */
	readonly acknowledged: number;
	readonly broken: BrokenTransfer | undefined;

	readonly cmdlineAt: number | undefined;
	readonly cmdlineRefusedTo: string | undefined;
	readonly linuxDhcpAt: number | undefined;
	readonly initramfs: boolean;
	readonly portmapAt: number | undefined;
	readonly mountAt: number | undefined;
	readonly refusedMount: { readonly path: string; readonly reason: string } | undefined;
	/** Linux asked for an address though we gave it no kernel: it came from the Pi's own disk. */
	readonly ownSystemAt: number | undefined;
	/** The image below the root is not what it was when the boot began. */
	readonly imageChangedAt: number | undefined;
	/** Why the rest of the image never came, where the boot began before all of it was there. */
	readonly imageFailure: string | undefined;
	/** The server's address, which its root hangs on, is another one now. */
	readonly serverMoved: { readonly from: string; readonly to: string | undefined } | undefined;
	readonly conflict: { readonly address: string; readonly other: string } | undefined;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };
/** The same, being written. */
export type AttemptState = Omit<Writable<Attempt>, "stages" | "stageBytes" | "missing" | "complete" | "opened"> & {
	stages: Map<Stage, number>;
	stageBytes: Map<Stage, number>;
	missing: Set<string>;
	complete: Set<string>;
	opened: Set<string>;
	openedAt: Map<string, number>;
};

/** An attempt of which nothing was seen yet. */
export function beginAttempt(now: number): AttemptState {
	return {
		startedAt: now,
		stages: new Map(),
		lastFactAt: now,
		stageBytes: new Map(),
		files: new AskedFiles(),
		bootId: undefined,
		discovers: 0,
		lastDiscoverAt: undefined,
		relay: undefined,
		waitsBehind: undefined,
		offers: 0,
		firstOfferAt: undefined,
		unanswered: undefined,
		otherServer: undefined,
		noAddressIn: undefined,
		requestAt: undefined,
		requestServer: undefined,
		tftpRequests: 0,
		firstTftpAt: undefined,
		lastTftpAt: undefined,
		missing: new Set(),
		complete: new Set(),
		opened: new Set(),
		openedAt: new Map(),
		timeouts: 0,
		acknowledged: 0,
		broken: undefined,
		cmdlineAt: undefined,
		cmdlineRefusedTo: undefined,
		linuxDhcpAt: undefined,
		initramfs: false,
		portmapAt: undefined,
		mountAt: undefined,
		refusedMount: undefined,
		ownSystemAt: undefined,
		imageChangedAt: undefined,
		imageFailure: undefined,
		serverMoved: undefined,
		conflict: undefined,
	};
}

/** The last stage that was reached. */
export function lastStage(attempt: Attempt): Stage | undefined {
	return [...attempt.stages.keys()].at(-1);
}

/** Reaches a stage, and with it those before it. */
function reach(attempt: AttemptState, stage: Stage, now: number): void {
	for (const passed of STAGES.slice(0, STAGES.indexOf(stage) + 1)) {
		if (!attempt.stages.has(passed)) attempt.stages.set(passed, now);
	}
}

function addBytes(attempt: AttemptState, bytes: number): void {
	const stage = lastStage(attempt);
	if (stage !== undefined && bytes > 0) attempt.stageBytes.set(stage, (attempt.stageBytes.get(stage) ?? 0) + bytes);
}

/** Notes a fact. */
export function record(attempt: AttemptState, fact: Fact, now: number): void {
	switch (fact.kind) {
		case "discover":
			attempt.discovers++;
			attempt.lastDiscoverAt = now;
			attempt.relay = fact.relay;
			reach(attempt, "dhcp", now);
			break;
		case "waits":
			attempt.waitsBehind = fact.before;
			break;
		case "offer":
			attempt.waitsBehind = undefined;
			attempt.unanswered = undefined;
			attempt.offers++;
			attempt.firstOfferAt ??= now;
			break;
		case "unanswered":
			attempt.unanswered = fact;
			break;
		case "other-server":
			attempt.otherServer = fact.address;
			break;
		case "no-address-left":
			attempt.noAddressIn = fact.range;
			break;
		case "request":
			attempt.requestAt = now;
			attempt.requestServer = fact.server;
			break;
		case "tftp-open":
			recordOpen(attempt, fact, now);
			break;
		case "tftp-end":
			recordEnd(attempt, fact, now);
			break;
		case "cmdline":
			attempt.bootId = fact.bootId;
			attempt.unanswered = undefined;
			attempt.cmdlineAt ??= now;
			reach(attempt, "firmware", now);
			break;
		case "cmdline-refused":
			attempt.cmdlineRefusedTo = fact.address;
			attempt.files.opened("cmdline.txt", "refused", now);
			break;
		case "server-moved":
			attempt.serverMoved = { from: fact.from, to: fact.to };
			break;
		case "server-back":
			attempt.serverMoved = undefined;
			break;
		case "address-conflict":
			attempt.conflict = { address: fact.address, other: fact.other };
			break;
		case "address-proved":
			if (attempt.conflict?.address === fact.address) attempt.conflict = undefined;
			attempt.noAddressIn = undefined;
			break;
		default:
			recordLinux(attempt, fact, now);
			break;
	}
}

type LinuxFact = Extract<
	Fact,
	{ kind: "linux-dhcp" | "portmap" | "mount" | "mount-refused" | "nfs" | "os-release" | "agent" | "image-changed" }
>;

function recordLinux(attempt: AttemptState, fact: LinuxFact, now: number): void {
	// Sent on the way to what this fact says.
	if ("bytes" in fact) addBytes(attempt, fact.bytes ?? 0);
	switch (fact.kind) {
		case "linux-dhcp":
			recordLinuxDhcp(attempt, fact.by, now);
			break;
		case "portmap":
			attempt.portmapAt ??= now;
			if (attempt.cmdlineAt !== undefined) reach(attempt, "kernel", now);
			break;
		case "mount-refused":
			attempt.refusedMount = { path: fact.path, reason: fact.reason };
			if (attempt.cmdlineAt !== undefined) reach(attempt, "kernel", now);
			break;
		case "mount":
		case "nfs":
			attempt.mountAt ??= now;
			reach(attempt, "root", now);
			break;
		case "os-release":
			reach(attempt, "userspace", now);
			break;
		case "agent":
			reach(attempt, "agent", now);
			break;
		case "image-changed":
			attempt.imageChangedAt ??= now;
			attempt.imageFailure ??= fact.failure;
			break;
	}
}

function recordLinuxDhcp(attempt: AttemptState, by: "kernel" | "initramfs" | "userland", now: number): void {
	if (attempt.cmdlineAt === undefined) {
		attempt.ownSystemAt ??= now;
		return;
	}
	if (by === "userland") {
		// Without a root of ours it is a system from the Pi's own disk, after the network boot failed.
		if (attempt.stages.has("root")) reach(attempt, "userspace", now);
		else attempt.ownSystemAt ??= now;
		return;
	}
	attempt.linuxDhcpAt ??= now;
	attempt.initramfs ||= by === "initramfs";
	reach(attempt, "kernel", now);
}

function recordOpen(attempt: AttemptState, fact: Extract<Fact, { kind: "tftp-open" }>, now: number): void {
	attempt.tftpRequests++;
	attempt.firstTftpAt ??= now;
	attempt.lastTftpAt = now;
	reach(attempt, "firmware", now);
	attempt.files.opened(fact.path, fact.found ? "found" : "missing", now);
	if (attempt.opened.size >= NAMES_MAX) return;
	attempt.opened.add(fact.path);
	// A name can be missing under the serial and there without it.
	if (fact.found) {
		attempt.openedAt.set(fact.path, now);
		attempt.missing.delete(fact.path);
	} else if (!attempt.openedAt.has(fact.path)) {
		attempt.missing.add(fact.path);
	}
}

function recordEnd(attempt: AttemptState, fact: Extract<Fact, { kind: "tftp-end" }>, now: number): void {
	const lastWordAt = now - (fact.silentMs ?? 0);
	attempt.lastTftpAt = Math.max(attempt.lastTftpAt ?? lastWordAt, lastWordAt);
	attempt.files.ended(fact, now);
	addBytes(attempt, fact.bytes);
	attempt.acknowledged += fact.bytes;
	if (fact.outcome === "probe") return;
	const began = attempt.openedAt.get(fact.path);
	if (fact.outcome === "complete") {
		// A name that was never opened, or one too many, is not kept.
		if (attempt.opened.has(fact.path)) attempt.complete.add(fact.path);
		if (attempt.broken?.path === fact.path) attempt.broken = undefined;
		return;
	}
	if (fact.outcome === "timeout") attempt.timeouts++;
	const { path, outcome, bytes, size } = fact;
	attempt.broken = { path, outcome, bytes, size, took: lastWordAt - (began ?? lastWordAt) };
}
