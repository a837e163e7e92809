/**
 * The errors of the whole server. Every error that we throw is one of these classes, carries a stable code, and its
 * message says what was got, what was expected and where.
 */

/** Common base: a stable machine-readable code, and optionally a hint that tells the person what to do. */
export class NetbootError extends Error {
	readonly code: string;
	readonly hint: string | undefined;

	constructor(code: string, message: string, options?: { hint?: string; cause?: unknown }) {
		super(message, options?.cause === undefined ? undefined : { cause: options.cause });
		this.name = new.target.name;
		this.code = code;
		this.hint = options?.hint;
	}
}

/** An invariant of our own code broke, or a caller misused a function: a bug on our side. */
export class BugError extends NetbootError {
	constructor(message: string, options?: { cause?: unknown }) {
		super("bug", message, options);
	}
}

/** Bytes from the network or out of an image are not what the format demands. `code` names the format: `dhcp`, `ext4`. */
export class MalformedError extends NetbootError {
	constructor(format: string, message: string, options?: { cause?: unknown }) {
		super(`malformed-${format}`, message, options);
	}
}

/** The format is understood, but uses a feature that we cannot read; the message names the feature. */
export class UnsupportedError extends NetbootError {
	constructor(format: string, message: string, options?: { hint?: string; cause?: unknown }) {
		super(`unsupported-${format}`, message, options);
	}
}

/** Something outside of us failed: a socket, a disk, another program. Made from operating-system errors by `fromSystem`. */
export class ExternalError extends NetbootError {}

/** The work was given up because its owner was stopped or closed. */
export class ClosedError extends NetbootError {
	constructor(message: string) {
		super("closed", message);
	}
}

/** Tells whether something thrown is one of ours. */
export function isNetbootError(error: unknown): error is NetbootError {
	return error instanceof NetbootError;
}

/** The code (`EADDRINUSE`, ...) of an operating-system error, or undefined for anything else. */
export function systemCode(error: unknown): string | undefined {
	if (!(error instanceof Error) || !("code" in error)) return undefined;
	return typeof error.code === "string" ? error.code : undefined;
}

/** One sentence for a person out of anything that can be thrown. */
export function errorText(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}
