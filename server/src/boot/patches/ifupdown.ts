/**
 * ifupdown on the interface that carries the root: at shutdown its units would take the interface down before the root is
 * unmounted. (`network.service` is Buildroot's name.)
 */
import { findUnit } from "../../images/index.ts";
import type { FileTree, Patch } from "../../vfs/index.ts";
import { unitDropIn } from "./make.ts";

const UNITS = ["networking.service", "network.service", "ifup@.service"];

export function ifupdownPatches(root: FileTree): Patch[] {
	const why = "ifupdown leaves the interface that carries the root up at shutdown";
	const present = UNITS.filter((unit) => findUnit(root, unit) !== undefined);
	return present.map((unit) => unitDropIn(unit, why, "[Service]\nExecStop=\n"));
}
