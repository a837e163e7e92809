/** What was seen of one attempt to boot. */
import { AskedFiles } from "./asked-files.ts";
import type { Fact, Stage, TransferOutcome } from "./facts.ts";

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
