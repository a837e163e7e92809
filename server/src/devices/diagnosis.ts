/**
 * The rule book: a boot that stands still becomes a sentence with its fix. A rule is a pure question about what was seen;
 * the first that says yes speaks, so the surer ones come first.
 */
import type { Attempt } from "./attempt.ts";
import { RULES } from "./rules.ts";
import type { Diagnosis, Scene } from "./scene.ts";

/** After so long without a word nobody waits for the boot any more; what was said of it stands. */
export const FORGOTTEN_MS = 15 * 60_000;

/** True when the boot got where a person wants it: nothing is to be said of it. */
export function isThere(attempt: Attempt): boolean {
	return attempt.stages.has("userspace");
}

/**
 * What is wrong with a boot, or undefined while it goes on well or is done. One that is done can still lose its image, or
 * the server that it hangs on.
 */
export function diagnose(scene: Scene): Diagnosis | undefined {
	const { imageChangedAt, serverMoved } = scene.attempt;
	if (isThere(scene.attempt) && imageChangedAt === undefined && serverMoved === undefined) return undefined;
	const rule = RULES.find(({ applies }) => applies(scene));
	if (rule === undefined) return undefined;
	const { code, severity, message, seen, fix } = rule;
	return { code, severity, message: message(scene), seen: seen(scene), fix: fix(scene) };
}
