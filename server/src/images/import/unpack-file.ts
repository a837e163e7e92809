/**
 * Unpacks a file into a sparse one. The result appears under its name when it is whole and on the disk; until then it is
 * `NAME.part`, which grows from its front and may be read as far as it goes.
 */
import fs from "node:fs";
import path from "node:path";
import { MalformedError, syncPath, systemCode, UnsupportedError } from "../../base/index.ts";
import { FileSource, PACKING_HEAD_BYTES, type Packing, recognisePacking, unpackedSize } from "../../disk/index.ts";
import { sumOfFile } from "./file-sum.ts";
import { ImportError } from "./import-error.ts";
import { LimitGuard, noSpace, type UnpackLimits } from "./limits.ts";

/** What to unpack, and where to. A plain value: it goes to a worker. */
export interface UnpackRequest {
	readonly source: string;
	readonly target: string;
	/** The source as it was seen: another one is refused. Decimal, as `FileStamp` has it. */
	readonly expected?: { readonly size: number; readonly mtimeNs: string; readonly ino: string };
	readonly limits?: UnpackLimits;
	/** What has to come out, where somebody said it. */
	readonly promised?: Promised | undefined;
}

export interface Promised {
	readonly bytes?: number | undefined;
	/** 64 lower-case hex digits. */
	readonly sha256?: string | undefined;
}

export interface UnpackProgress {
	readonly packedBytes: number;
	readonly packedTotal: number;
	/** Bytes of `NAME.part` that are there. */
	readonly bytes: number;
	/** As far as the format tells. */
	readonly expectedBytes: number | undefined;
}

export interface UnpackResult {
	readonly packing: Packing;
	readonly bytes: number;
	/** Bytes that are no holes. */
	readonly writtenBytes: number;
}

/** What a way of unpacking works with: both files are open, and closed by others. */
export interface UnpackWork {
	readonly path: string;
	readonly source: FileSource;
	readonly packing: Packing;
	readonly part: fs.promises.FileHandle;
	readonly guard: LimitGuard;
	readonly onProgress: (packedBytes: number, bytes: number) => void;
	readonly signal: AbortSignal;
}

/** Brings all bytes into the part, in order. @throws what `unpackFile` makes an ImportError of. */
export type UnpackWay = (work: UnpackWork) => Promise<{ readonly bytes: number; readonly writtenBytes: number }>;

/** The name of a result that is not whole yet. */
export const PART = ".part";

/**
 * See the head of this file.
 *
 * @throws ImportError, `import-cancelled` when the signal asked for it; then nothing is left behind.
 */
export async function unpackFile(
	request: UnpackRequest,
	way: UnpackWay,
	onProgress: (progress: UnpackProgress) => void,
	signal: AbortSignal,
): Promise<UnpackResult> {
	const part = request.target + PART;
	try {
		const result = await unpackTo(part, request, way, onProgress, signal);
		await fs.promises.rename(part, request.target);
		await syncPath(path.dirname(request.target));
		return result;
	} catch (error) {
		await fs.promises.rm(part, { force: true });
		if (signal.aborted) throw new ImportError("import-cancelled", "The import was cancelled.");
		throw asImportError(error, request);
	}
}

async function unpackTo(
	place: string,
	request: UnpackRequest,
	way: UnpackWay,
	onProgress: (progress: UnpackProgress) => void,
	signal: AbortSignal,
): Promise<UnpackResult> {
	const source = FileSource.open(request.source);
	try {
		await checkUnchanged(request);
		const packing = packingOf(source);
		const expectedBytes = unpackedSize(source, packing);
		const guard = new LimitGuard(path.dirname(place), request.limits);
		guard.begin(source.size, expectedBytes);
		await fs.promises.rm(place, { force: true });
		const part = await fs.promises.open(place, "wx+", 0o600);
		try {
			const result = await way({
				path: request.source,
				source,
				packing,
				part,
				guard,
				onProgress: (packedBytes, bytes) => onProgress({ packedBytes, packedTotal: source.size, bytes, expectedBytes }),
				signal,
			});
			await part.sync();
			signal.throwIfAborted();
			await checkPromised(place, result.bytes, request, signal);
			await checkUnchanged(request);
			return { packing, ...result };
		} finally {
			await part.close();
		}
	} finally {
		source.close();
	}
}

async function checkPromised(place: string, bytes: number, { source, promised }: UnpackRequest, signal: AbortSignal) {
	const { bytes: size = bytes, sha256 } = promised ?? {};
	if (size !== bytes) throw notAsPromised(source, `${bytes} bytes`, `${size}`);
	if (sha256 === undefined) return;
	const sum = await sumOfFile(place, signal);
	if (sum !== sha256) throw notAsPromised(source, `the checksum ${sum}`, sha256);
}

function notAsPromised(source: string, got: string, expected: string): ImportError {
	const message = `What is in ${path.basename(source)} has ${got}, and should have ${expected}: that is what its list says.`;
	return new ImportError("import-damaged", message, { hint: "Download it again, or another one." });
}

function packingOf(source: FileSource): Packing {
	const head = Buffer.alloc(Math.min(PACKING_HEAD_BYTES, source.size));
	source.read(0, head);
	const packing = recognisePacking(head);
	if (packing === undefined) throw new UnsupportedError("packing", "It is packed in no way that is known here.");
	return packing;
}

async function checkUnchanged({ source, expected }: UnpackRequest): Promise<void> {
	if (expected === undefined) return;
	const { size, mtimeNs, ino } = await fs.promises.stat(source, { bigint: true });
	if (Number(size) === expected.size && String(mtimeNs) === expected.mtimeNs && String(ino) === expected.ino) return;
	throw new ImportError("import-changed", "The file was changed while it was unpacked.", { retry: true });
}

function asImportError(error: unknown, { source, target }: UnpackRequest): unknown {
	if (error instanceof ImportError) return error;
	const name = path.basename(source);
	if (error instanceof MalformedError) {
		return new ImportError("import-damaged", `${name} is damaged or incomplete: ${error.message}.`, {
			hint: "Copy or download it again.",
			cause: error,
		});
	}
	if (error instanceof UnsupportedError) {
		return new ImportError("import-unsupported", `${name} cannot be unpacked here: ${error.message}.`, {
			hint: "Unpack it yourself, and put the image that shall be used into the folder.",
			cause: error,
		});
	}
	const code = systemCode(error);
	if (code === "ENOSPC" || code === "EDQUOT") return noSpace(path.dirname(target));
	if (code === undefined || code === "bug") return error;
	const message = `${name} cannot be unpacked: ${error instanceof Error ? error.message : code}`;
	return new ImportError("import-failed", message, { cause: error, retry: true });
}
