/** What can go wrong when the server is asked. */
import type { ErrorBody, ErrorCode } from "@pi-netboot/api";

/** What the server refused, in its own words. */
export class Refusal extends Error {
	override readonly name = "Refusal";
	readonly status: number;
	readonly code: ErrorCode | "unknown";
	readonly hint: string | undefined;

	constructor(
		status: number,
		{ code, message, hint }: { code: ErrorCode | "unknown"; message: string; hint?: string | undefined },
	) {
		super(message);
		this.status = status;
		this.code = code;
		this.hint = hint;
	}
}

/** The server did not answer at all. */
export class Away extends Error {
	override readonly name = "Away";
}

/** Whether to log in again is what helps. */
export function isLoginOver(error: unknown): boolean {
	return error instanceof Refusal && error.status === 401;
}

/** What an answer's body says. @param text not always ours: a proxy in between has pages of its own. */
export function refusal(status: number, text: string): Refusal {
	const told = readError(text);
	return new Refusal(status, told ?? { code: "unknown", message: `The server answered with status ${status}.` });
}

function readError(text: string): ErrorBody["error"] | undefined {
	try {
		const { error } = (JSON.parse(text) ?? {}) as Partial<ErrorBody>;
		return typeof error?.message === "string" ? error : undefined;
	} catch {
		return undefined;
	}
}
