import { NetbootError } from "../../base/index.ts";

export type PackErrorCode = "pack-cancelled" | "pack-no-space" | "pack-image-changed" | "pack-failed";

/** Why an image could not be prepared for writing, in a sentence for the person, with what to do as the hint. */
export class PackError extends NetbootError {
	declare readonly code: PackErrorCode;

	constructor(code: PackErrorCode, message: string, hint?: string) {
		super(code, message, hint === undefined ? undefined : { hint });
	}
}
