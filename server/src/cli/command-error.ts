/** How a command ends. */
import { NetbootError } from "../base/index.ts";

export const exitCodes = { ok: 0, failed: 1, usage: 2, notReachable: 3 } as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** A command could not do what it was asked; the message says why, the hint what to do. */
export class CommandError extends NetbootError {
	readonly exitCode: ExitCode;

	constructor(exitCode: ExitCode, message: string, options?: { hint?: string; cause?: unknown }) {
		super("command", message, options);
		this.exitCode = exitCode;
	}
}
