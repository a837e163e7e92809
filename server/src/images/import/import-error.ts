/** Why an image could not be brought in: a sentence for the person, and a code for the program. */
import { NetbootError } from "../../base/index.ts";

export type ImportErrorCode =
	/** What came is not what its format demands. */
	| "import-damaged"
	/** Packed in a way, or with a feature, that this version cannot read. */
	| "import-unsupported"
	| "import-no-space"
	/** It would become larger than any disk of a Pi. */
	| "import-too-large"
	/** The file was written to meanwhile. */
	| "import-changed"
	/** The disk, or the system, failed. */
	| "import-failed"
	| "import-cancelled"
	| "download-address"
	| "download-refused"
	| "download-not-found"
	| "download-unreachable"
	| "download-stalled"
	| "download-redirects"
	| "download-checksum";

export class ImportError extends NetbootError {
	override readonly code: ImportErrorCode;
	/** Whether it may go better later, without anybody doing anything to the image. */
	readonly retry: boolean;

	constructor(
		code: ImportErrorCode,
		message: string,
		options: { hint?: string; cause?: unknown; retry?: boolean } = {},
	) {
		super(code, message, options);
		this.code = code;
		this.retry = options.retry ?? false;
	}
}
