/**
 * What `npm test` prints: a line per file as it ends, with its tests and its seconds, each failure in full, what was skipped and
 * why, and the sum as the last line.
 */
import { relative } from "node:path";

const counts = { passed: 0, failed: 0 };
const skipped = [];
/** Of the files that are running, with the modules of tests that they import: what failed and how much passed. */
const files = new Map();

function place(file) {
	return file === undefined ? "?" : relative(process.cwd(), file);
}

function ofFile({ file, entryFile = file }) {
	const known = files.get(entryFile);
	if (known !== undefined) return known;
	const fresh = { passed: 0, failed: 0, skipped: 0 };
	files.set(entryFile, fresh);
	return fresh;
}

/** A suite passes and fails with its tests, which are counted by themselves. */
function isSuite({ details }) {
	return details.type === "suite";
}

/** A file is itself a test around its own tests; it counts only when it fails without any of them having failed. */
function isFile({ nesting, name, file }) {
	return nesting === 0 && file !== undefined && (name === file || place(name) === place(file));
}

/** Failed because a test in it failed. */
function isConsequence(error) {
	return error?.failureType === "subtestsFailed";
}

function passed(data) {
	if (isSuite(data) && data.skip === undefined) return;
	if (isFile(data) && data.skip === undefined) return;
	const tally = ofFile(data);
	const reason = data.skip ?? data.todo;
	if (reason === undefined) {
		counts.passed++;
		tally.passed++;
		return;
	}
	tally.skipped++;
	skipped.push(`${place(data.file)}: ${data.name}${typeof reason === "string" && reason !== "" ? `: ${reason}` : ""}`);
}

function failed(data) {
	const { error } = data.details;
	if (isConsequence(error)) return "";
	counts.failed++;
	ofFile(data).failed++;
	const cause = error?.cause ?? error;
	const text = cause instanceof Error || typeof cause?.stack === "string" ? cause.stack : String(cause);
	return `\nFAILED ${place(data.file)}:${data.line ?? "?"} ${data.name}\n${text.replaceAll(/^/gm, "    ")}\n\n`;
}

function fileEnded(data) {
	const { passed: good, failed: bad, skipped: left } = ofFile(data);
	const parts = [`${good} passed`, ...(bad > 0 ? [`${bad} failed`] : []), ...(left > 0 ? [`${left} skipped`] : [])];
	const seconds = Math.ceil(data.duration_ms / 1000);
	return `${bad > 0 ? "FAIL" : "ok  "} ${place(data.file)}: ${parts.join(", ")} in ${seconds} s\n`;
}

export default async function* report(source) {
	for await (const { type, data } of source) {
		if (type === "test:pass") passed(data);
		else if (type === "test:fail") yield failed(data);
		else if (type === "test:stderr") yield data.message;
		else if (type === "test:summary" && data.file !== undefined) yield fileEnded(data);
	}
	yield "\n";
	for (const line of skipped) yield `skipped ${line}\n`;
	yield `${counts.passed} passed, ${counts.failed} failed\n`;
}
