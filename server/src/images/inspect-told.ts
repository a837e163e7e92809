/**
 * What an image says of itself goes to pages, logs and terminals, and to whoever listens to events: each text on one line, and
 * none without end.
 */
import type { ImageFinding } from "./inspect-facts.ts";

/** Characters of a sentence. */
const MOST_TEXT = 300;
/** No image that was made to be used has more than some ten. */
const MOST_FINDINGS = 50;

/** @param most characters. */
export function toldText(text: string, most = MOST_TEXT): string {
	const line = text.slice(0, most + 1).replaceAll(/[\p{Cc}\p{Bidi_Control}]/gu, "?");
	return line.length <= most ? line : `${line.slice(0, most - 1)}…`;
}

const GRAVITY = ["error", "warning", "info"];

/** Those that can be told. Of too many the gravest; the last one says how many more there are. */
export function toldFindings(findings: readonly ImageFinding[]): ImageFinding[] {
	const all = findings.map((finding) => ({ ...finding, message: toldText(finding.message) }));
	if (all.length <= MOST_FINDINGS) return all;
	all.sort((a, b) => GRAVITY.indexOf(a.severity) - GRAVITY.indexOf(b.severity));
	const message = `There are ${all.length - MOST_FINDINGS} more findings.`;
	return [...all.slice(0, MOST_FINDINGS), { code: "more-findings", severity: "info", message }];
}
