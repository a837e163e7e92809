/** /etc/inittab, of BusyBox's init (`ID::ACTION:PROCESS`) and of System V's (`ID:RUNLEVELS:ACTION:PROCESS`). See inittab(5). */
import type { Patch } from "../../vfs/index.ts";
import type { PatchInput } from "./input.ts";
import { LEASE_KEEPER } from "./lease-keeper.ts";
import { editFile } from "./make.ts";

/** @param keepsLease whether init is to run what renews the lease. */
export function inittabPatches({ mode }: PatchInput, keepsLease: boolean): Patch[] {
	const patches: Patch[] = [];
	if (keepsLease) {
		patches.push(
			editFile("/etc/inittab", "init keeps what renews the lease of the root's interface running", (text) =>
				withEntry(text, "nb", LEASE_KEEPER),
			),
		);
	}
	if (mode === "read-only") {
		const why = "the root is read-only: nothing makes it writable";
		patches.push(editFile("/etc/inittab", why, (text) => text.replace(/^[^#\n]*\bremount,rw\b.*$/gm, "# netboot: $&")));
	}
	return patches;
}

/**
 * With a program that init keeps running.
 *
 * @param id two letters, of which System V's init has one entry. For BusyBox the ID is a terminal: what `null` says goes to
 *   /dev/null, not into the middle of a login.
 */
export function withEntry(text: string, id: string, command: string): string {
	const isSystemV = /^[^#\n]*:initdefault:/m.test(text);
	const line = isSystemV ? `${id}:2345:respawn:${command}` : `null::respawn:${command}`;
	return `${text === "" || text.endsWith("\n") ? text : `${text}\n`}${line}\n`;
}
