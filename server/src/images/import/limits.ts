/** What bounds an image that is being unpacked: an archive of a few kilobytes can say that it is a disk of an exabyte. */
import fs from "node:fs";
import { errorText, isNetbootError, systemCode } from "../../base/index.ts";
import { ImportError } from "./import-error.ts";

export interface UnpackLimits {
	/** Bytes that an image may have, holes included; default 1 TiB: there are no larger cards. */
	readonly mostBytes?: number;
	/** Bytes of the disk that stay free; default 256 MiB. */
	readonly reserveBytes?: number;
	/** How many times as large as its archive an image may be, once it has 16 GiB; default 20,000: zeros shrink 7,000-fold. */
	readonly mostRatio?: number;
}

const MIB = 2 ** 20;
const GIB = 2 ** 30;

/** Between two looks at the free space. */
const LOOK_EVERY = 64 * MIB;

/** A small image may well be all zeros. */
const RATIO_FROM = 16 * GIB;

export class LimitGuard {
	readonly #folder: string;
	readonly #most: number;
	readonly #reserve: number;
	readonly #ratio: number;
	#nextLook = 0;
	#expected = Number.POSITIVE_INFINITY;

	/** @param folder on the disk that the image is written to. */
	constructor(
		folder: string,
		{ mostBytes = 2 ** 40, reserveBytes = 256 * MIB, mostRatio = 20_000 }: UnpackLimits = {},
	) {
		this.#folder = folder;
		this.#most = mostBytes;
		this.#reserve = reserveBytes;
		this.#ratio = mostRatio;
	}

	/**
	 * Before the first byte: an image is not smaller than its archive, its holes aside, so that much must be free.
	 *
	 * @param expected bytes when unpacked, where the format tells. @throws ImportError.
	 */
	begin(packedBytes: number, expected: number | undefined): void {
		if (expected !== undefined) this.#checkSize(expected);
		this.#expected = expected ?? Number.POSITIVE_INFINITY;
		this.#checkSpace(Math.min(packedBytes, expected ?? packedBytes));
	}

	/** On the way. @param written bytes that are no holes. @throws ImportError. */
	check(size: number, written: number, packedBytes: number): void {
		this.#checkSize(size);
		if (size > RATIO_FROM && size > packedBytes * this.#ratio) {
			const message = `It becomes more than ${this.#ratio} times as large as the file, which no real image does.`;
			throw new ImportError("import-too-large", message);
		}
		if (written < this.#nextLook) return;
		this.#nextLook = written + LOOK_EVERY;
		this.#checkSpace(Math.min(LOOK_EVERY, Math.max(0, this.#expected - size)));
	}

	#checkSize(size: number): void {
		if (size <= this.#most) return;
		const message = `Unpacked it has more than ${readable(this.#most)}, larger than any disk that it could be for.`;
		throw new ImportError("import-too-large", message);
	}

	#checkSpace(needed: number): void {
		const { bavail, bsize } = fs.statfsSync(this.#folder);
		if (bavail * bsize >= this.#reserve + needed) return;
		throw noSpace(this.#folder, bavail * bsize);
	}
}

/** Waiting helps: somebody may make room. */
export function noSpace(folder: string, free?: number): ImportError {
	const left = free === undefined ? "" : `: ${readable(free)} free`;
	return new ImportError("import-no-space", `There is not enough room on the disk of ${folder}${left}.`, {
		hint: "Make room there. What is unpacked is then tried again by itself, an upload goes on; a download is to be begun again.",
		retry: true,
	});
}

/** What the operating system says of the images folder, as a sentence; anything else as it is. */
export function asFolderError(folder: string, error: unknown): unknown {
	const code = systemCode(error) ?? "";
	if (isNetbootError(error)) return error;
	if (/^(ENOSPC|EDQUOT)$/.test(code)) return noSpace(folder);
	if (!/^(EACCES|EPERM|EROFS)$/.test(code)) return error;
	return new ImportError("import-failed", `The images folder ${folder} cannot be changed: ${errorText(error)}.`, {
		hint: "Let the user who runs the server write there, or choose another folder with --images.",
		cause: error,
	});
}

/** Bytes for a person. */
export function readable(bytes: number): string {
	const units = ["bytes", "kB", "MB", "GB", "TB"];
	const step = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), units.length - 1);
	return `${(bytes / 1000 ** step).toFixed(step === 0 ? 0 : 1)} ${units[step]}`;
}
