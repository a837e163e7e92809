/**
 * ifupdown on the interface that carries the root. Its DHCP client adds to the address that is there and sends no client
 * id, which suits; but at shutdown its units would take the interface down before the root is unmounted.
 */
import { findUnit } from "../../images/index.ts";
import type { FileTree, Patch } from "../../vfs/index.ts";
import { unitDropIn } from "./make.ts";

const UNITS = ["networking.service", "ifup@.service"];

export function ifupdownPatches(root: FileTree): Patch[] {
	const why = "ifupdown leaves the interface that carries the root up at shutdown";
	const present = UNITS.filter((unit) => findUnit(root, unit) !== undefined);
	return present.map((unit) => unitDropIn(unit, why, "[Service]\nExecStop=\n"));
}
