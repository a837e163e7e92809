import { NetbootError } from "../base/index.ts";

/** Somebody asked for a write that cannot be, and is told so in a sentence. The codes are those of the API's table of errors. */
export class WriteError extends NetbootError {
	constructor(
		code:
			| "write-not-found"
			| "write-running"
			| "disk-not-found"
			| "disk-refused"
			| "disks-unknown"
			| "device-not-found"
			| "image-not-found"
			| "image-not-ready"
			| "agent-away"
			| "conflict"
			| "unavailable",
		message: string,
		hint?: string,
	) {
		super(code, message, hint === undefined ? undefined : { hint });
	}
}
