/** What a run came to: in order, refused in order, or wrong. */
import { FileError, isNetbootError } from "../../server/src/base/index.ts";

/** A message without what makes two of them differ though they say the same: texts, names and numbers out of the input. */
export function withoutParticulars(message: string): string {
	const words = message.replace(/"(?:[^"\\]|\\.)*"?/g, "#").split(/\s+/);
	const plain = words.map((word) => (/^\(?[A-Za-z_']{1,16}\)?[,.:;]?$/.test(word) ? word : "#"));
	return plain
		.join(" ")
		.replace(/#( #)+/g, "#")
		.slice(0, 160);
}

/** Errors with which a decoder may refuse an input. A `BugError` is none: it says that code of ours is wrong. */
export function isRefusal(error: unknown): error is Error {
	return (isNetbootError(error) && /^(malformed|unsupported)-/.test(error.code)) || error instanceof FileError;
}

/** A line for an error that is a refusal. @throws every other error. */
export function refusal(error: unknown): string {
	if (!isRefusal(error)) throw error;
	return withoutParticulars(`${error.name}: ${error.message}`);
}

/** Runs a step whose refusal is an outcome like any other; gives what it gave, and adds what it said to `seen`. */
export function attempt<T>(seen: Set<string>, step: () => T): T | undefined {
	try {
		return step();
	} catch (error) {
		seen.add(refusal(error));
		return undefined;
	}
}
