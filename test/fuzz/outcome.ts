/** What a run came to: in order, refused in order, or wrong. */
import { FileError, isNetbootError } from "../../server/src/base/index.ts";

/** What makes two messages differ though they say the same: texts and numbers out of the input. */
export function withoutParticulars(message: string): string {
	return message
		.replace(/"(?:[^"\\]|\\.)*"?/g, '""')
		.replace(/0x[0-9a-f]+|[0-9a-f]{8,}|\d+/gi, "#")
		.replace(/[^\x20-\x7e]/g, "?")
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
