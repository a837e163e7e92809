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
			editFile("/etc/inittab", "init keeps what renews the lease of the root's interface running", withKeeper),
		);
	}
	if (mode === "read-only") {
		const why = "the root is read-only: nothing makes it writable";
		patches.push(editFile("/etc/inittab", why, (text) => text.replace(/^[^#\n]*\bremount,rw\b.*$/gm, "# netboot: $&")));
	}
	return patches;
}

/** For BusyBox the ID is a terminal: what `null` says goes to /dev/null, not into the middle of a login. */
function withKeeper(text: string): string {
	const isSystemV = /^[^#\n]*:initdefault:/m.test(text);
	const line = isSystemV ? `nb:2345:respawn:${LEASE_KEEPER}` : `null::respawn:${LEASE_KEEPER}`;
	return `${text === "" || text.endsWith("\n") ? text : `${text}\n`}${line}\n`;
}
