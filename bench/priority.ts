/**
 * Takes the processors from what else runs on this machine. `nice` alone does not: where the kernel groups processes by
 * session (sched(7), "The autogroup feature"), it counts within a session only. A server of one thread then loses to one of
 * several, which finds the other processor free more often.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { setPriority } from "node:os";
import { systemCode } from "../server/src/base/index.ts";

const AUTOGROUP = "/proc/self/autogroup";
const FIRST = -19;

/** Puts this process, and what it starts, first; the rest of its session only until it ends. */
export function goFirst(): void {
	try {
		setPriority(FIRST);
		const before = /nice (-?\d+)/.exec(readFileSync(AUTOGROUP, "utf8"))?.[1];
		if (before === undefined) return;
		writeFileSync(AUTOGROUP, String(FIRST));
		process.on("exit", () => writeFileSync(AUTOGROUP, before));
	} catch (error) {
		if (!["ENOENT", "EACCES", "EPERM"].includes(systemCode(error) ?? "")) throw error;
		process.stdout.write("other programs may disturb the figures: this one may not go first\n");
	}
}
