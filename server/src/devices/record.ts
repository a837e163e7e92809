/** How each fact is noted in an attempt to boot. */
import { NAMES_MAX } from "./asked-files.ts";
import { type AttemptState, lastStage } from "./attempt.ts";
import { type Fact, STAGES, type Stage } from "./facts.ts";

/** Notes a fact. */
export function record(attempt: AttemptState, fact: Fact, now: number): void {
	switch (fact.kind) {
		case "discover":
		case "waits":
		case "offer":
		case "unanswered":
		case "other-server":
		case "no-address-left":
		case "request":
			recordDhcp(attempt, fact, now);
			break;
		case "address-conflict":
		case "address-proved":
			recordAddress(attempt, fact);
			break;
		case "tftp-open":
			recordOpen(attempt, fact, now);
			break;
		case "tftp-end":
			recordEnd(attempt, fact, now);
			break;
		case "cmdline":
		case "cmdline-refused":
			recordCmdline(attempt, fact, now);
			break;
		case "server-moved":
			attempt.serverMoved = { from: fact.from, to: fact.to };
			break;
		case "server-back":
			attempt.serverMoved = undefined;
			break;
		default:
			recordLinux(attempt, fact, now);
			break;
	}
}

type Of<K extends Fact["kind"]> = Extract<Fact, { kind: K }>;

type DhcpFact = Of<"discover" | "waits" | "offer" | "unanswered" | "other-server" | "no-address-left" | "request">;

function recordDhcp(attempt: AttemptState, fact: DhcpFact, now: number): void {
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
	}
}

function recordAddress(attempt: AttemptState, fact: Of<"address-conflict" | "address-proved">): void {
	if (fact.kind === "address-conflict") {
		attempt.conflict = { address: fact.address, other: fact.other };
		return;
	}
	if (attempt.conflict?.address === fact.address) attempt.conflict = undefined;
	attempt.noAddressIn = undefined;
}

function recordCmdline(attempt: AttemptState, fact: Of<"cmdline" | "cmdline-refused">, now: number): void {
	if (fact.kind === "cmdline-refused") {
		attempt.cmdlineRefusedTo = fact.address;
		attempt.files.opened("cmdline.txt", "refused", now);
		return;
	}
	attempt.bootId = fact.bootId;
	attempt.unanswered = undefined;
	attempt.cmdlineAt ??= now;
	reach(attempt, "firmware", now);
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

type LinuxFact = Of<
	"linux-dhcp" | "portmap" | "mount" | "mount-refused" | "nfs" | "os-release" | "agent" | "image-changed"
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

function recordOpen(attempt: AttemptState, fact: Of<"tftp-open">, now: number): void {
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

function recordEnd(attempt: AttemptState, fact: Of<"tftp-end">, now: number): void {
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
