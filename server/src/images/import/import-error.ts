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
	/** It is no name that an image in the folder may have. */
	| "import-name"
	/** What is named is not there, or no file. */
	| "import-path"
	/** More is running than is sensible. */
	| "import-too-many"
	/** The folder has a file of that name already. */
	| "image-exists"
	/** No upload has this id; it may have been finished, removed or forgotten. */
	| "upload-not-found"
	/** What was sent does not begin where the file ends. */
	| "upload-offset"
	/** What was sent is not what its checksum says. */
	| "upload-checksum"
	| "download-address"
	| "download-refused"
	| "download-not-found"
	| "download-unreachable"
	/** Its certificate proves nothing. */
	| "download-untrusted"
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
