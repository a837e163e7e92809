import { NetbootError } from "../base/index.ts";

/** Somebody asked for what cannot be, and is told so in a sentence. The codes are those of the API's table of errors. */
export class DeviceError extends NetbootError {
	constructor(
		code: "device-not-found" | "image-not-found" | "name-taken" | "invalid-request" | "conflict",
		message: string,
		hint?: string,
	) {
		super(code, message, hint === undefined ? undefined : { hint });
	}
}
