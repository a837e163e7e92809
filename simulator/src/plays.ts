/** The failures that a virtual Pi can play, each as the firmware, the kernel or the cable of a real one would. */
import { isIPv4 } from "node:net";
import { BootError } from "./errors.ts";

const PLAYS = {
	deaf: "asks for an address again and again: no answer reaches it",
	"no-acks": "asks for files again and again: nothing of them reaches it",
	slow: "gives a file up after 30 seconds, on a bad link, and begins anew",
	stops: "falls silent in the middle of a file",
	"config-loop": "reads config.txt, finds no kernel that it takes, and begins anew",
	"dead-kernel": "has its kernel, which never asks for an address",
	"no-nfs": "has an address for its kernel, and reaches no NFS server",
	"portmap-only": "reaches the portmapper, and no NFS server",
	"old-root": "asks for the root of an earlier boot",
	"no-init": "mounts its root, and nothing starts from it",
	reboots: "mounts its root and starts again, over and over",
	"own-disk": "starts a system from its own disk, which asks for nothing but an address",
} as const;

export type Failure = keyof typeof PLAYS;

/** What a virtual Pi plays. `claims` asks for an address that belongs to another machine. */
export type Play = { readonly failure: Failure } | { readonly failure: "claims"; readonly address: string };

const CLAIMS = "claims:";

/** Each name, with what the Pi does, for a list. */
export const playList: readonly (readonly [name: string, does: string])[] = [
	...Object.entries(PLAYS),
	[`${CLAIMS}ADDRESS`, "takes an address that another machine has (a Pi 4 or later, not on loopback)"],
];

/** Those after which a Pi begins anew by itself, for as long as it has power. */
const LOOPS: ReadonlySet<string> = new Set(["no-acks", "slow", "config-loop", "reboots"]);

/** @throws BootError with a sentence for what nobody can play. */
export function readPlay(text: string | undefined): Play | undefined {
	if (text === undefined) return undefined;
	const failure = failures.find((name) => name === text);
	if (failure !== undefined) return { failure };
	const address = text.startsWith(CLAIMS) ? text.slice(CLAIMS.length) : "";
	if (isIPv4(address)) return { failure: "claims", address };
	throw new BootError(`--plays ${text}: expected ${playList.map(([name]) => name).join(", ")}`);
}

const failures = Object.keys(PLAYS) as Failure[];

/** Whether the boot begins anew after what went wrong in it. */
export function beginsAnew(play: Play | undefined): boolean {
	return play !== undefined && LOOPS.has(play.failure);
}
