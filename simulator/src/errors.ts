/** What can go wrong in the life of a virtual Pi. */

/** Bytes from the server that are cut off, or that the standard does not allow. */
export class ProtocolError extends Error {
	override readonly name = "ProtocolError";
}

/** The boot ends here. The message is a sentence: what the Pi waited for, and what came instead. */
export class BootError extends Error {
	override readonly name = "BootError";
}

/** The text of whatever was thrown. */
export function errorText(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}

/** The code of an error of the operating system: `EADDRINUSE`. */
export function systemCode(error: unknown): string | undefined {
	return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}
