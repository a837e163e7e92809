/** `nfsstat3` (RFC 1813 section 2.6) and how failures become one. */
import {
	ExternalError,
	errorText,
	FileError,
	type FileErrorCode,
	type Logger,
	MalformedError,
	NetbootError,
	UnsupportedError,
} from "../../base/index.ts";

export const NFS3_OK = 0;
export const NFS3ERR_IO = 5;
export const NFS3ERR_BADHANDLE = 10001;
export const NFS3ERR_NOT_SYNC = 10002;
export const NFS3ERR_BAD_COOKIE = 10003;
export const NFS3ERR_TOOSMALL = 10005;
export const NFS3ERR_SERVERFAULT = 10006;
export const NFS3ERR_BADTYPE = 10007;

const statusOfCode: Readonly<Record<FileErrorCode, number>> = {
	EPERM: 1,
	ENOENT: 2,
	EIO: NFS3ERR_IO,
	EACCES: 13,
	EEXIST: 17,
	EXDEV: 18,
	ENODEV: 19,
	ENOTDIR: 20,
	EISDIR: 21,
	EINVAL: 22,
	EFBIG: 27,
	ENOSPC: 28,
	EROFS: 30,
	EMLINK: 31,
	ENAMETOOLONG: 63,
	ENOTEMPTY: 66,
	EDQUOT: 69,
	ESTALE: 70,
	ENOTSUP: 10004,
	// NFS3ERR_JUKEBOX: the client waits and asks again, for as long as it takes.
	EAGAIN: 10008,
};

/** A failure that only NFS has a word for. */
export class Nfs3Failure extends NetbootError {
	readonly status: number;

	constructor(status: number, message: string) {
		super("nfs3", message);
		this.status = status;
	}
}

/** How many different places of broken images are logged before we stop telling, and how many faults of our own. */
const maxReported = 1000;

/** Turns what a tree threw into an `nfsstat3`, and logs what a person must know, each place once. */
export class FailureReporter {
	readonly #logger: Logger;
	readonly #reported = { images: new Set<string>(), faults: new Set<string>() };

	constructor(logger: Logger) {
		this.#logger = logger;
	}

	status(error: unknown): number {
		if (error instanceof FileError) return statusOfCode[error.code];
		if (error instanceof Nfs3Failure) return error.status;
		const known =
			error instanceof MalformedError || error instanceof UnsupportedError || error instanceof ExternalError;
		this.#report(error, known);
		return known ? NFS3ERR_IO : NFS3ERR_SERVERFAULT;
	}

	#report(error: unknown, known: boolean): void {
		const text = errorText(error);
		const reported = this.#reported[known ? "images" : "faults"];
		if (reported.has(text) || reported.size >= maxReported) return;
		reported.add(text);
		if (known) this.#logger.warn(`a client gets an input/output error: ${text}`);
		else this.#logger.error({ err: error }, `a call failed for a reason of our own: ${text}`);
	}
}
