/**
 * Unpacks a file into a sparse one, in the thread that calls it: it belongs into a worker. The result appears under its name
 * when it is whole and on the disk; until then it is `NAME.part`, which grows from its front and may be read as far as it goes.
 */
import { createHash, type Hash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { MalformedError, syncPathNow, systemCode, UnsupportedError } from "../../base/index.ts";
import {
	FileSource,
	PACKING_HEAD_BYTES,
	type PackedFile,
	type Packing,
	recognisePacking,
	unpack,
	unpackedSize,
	type XzWay,
} from "../../disk/index.ts";
import { ImportError } from "./import-error.ts";
import { LimitGuard, noSpace, type UnpackLimits } from "./limits.ts";
import { SparseWriter } from "./sparse-writer.ts";

/** What to unpack, and where to. A plain value: it goes to a worker. */
export interface UnpackRequest {
	readonly source: string;
	readonly target: string;
	/** The source as it was seen: another one is refused. Decimal, as `FileStamp` has it. */
	readonly expected?: { readonly size: number; readonly mtimeNs: string; readonly ino: string };
	readonly limits?: UnpackLimits;
	/** Whether to compute the SHA-256 of what comes out; of what goes in. */
	readonly hashUnpacked?: boolean;
	readonly hashPacked?: boolean;
	readonly xz?: XzWay;
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
	readonly sha256?: string;
	readonly packedSha256?: string;
}

/** The name of a result that is not whole yet. */
export const PART = ".part";

const READ_BYTES = 1 << 18;

/**
 * See the head of this file.
 *
 * @throws ImportError; then nothing is left behind. @throws the reason of `signal`.
 */
export async function unpackFile(
	request: UnpackRequest,
	onProgress: (progress: UnpackProgress) => void,
	signal?: AbortSignal,
): Promise<UnpackResult> {
	const part = request.target + PART;
	try {
		const result = await unpackTo(part, request, onProgress, signal);
		fs.renameSync(part, request.target);
		syncPathNow(path.dirname(request.target));
		return result;
	} catch (error) {
		fs.rmSync(part, { force: true });
		signal?.throwIfAborted();
		throw asImportError(error, request);
	}
}

async function unpackTo(
	part: string,
	request: UnpackRequest,
	onProgress: (progress: UnpackProgress) => void,
	signal: AbortSignal | undefined,
): Promise<UnpackResult> {
	const source = FileSource.open(request.source);
	try {
		checkUnchanged(request);
		const packing = packingOf(source);
		const expectedBytes = unpackedSize(source, packing);
		const guard = new LimitGuard(path.dirname(part), request.limits);
		guard.begin(source.size, expectedBytes);
		const packed = new CountedFile(request.source, source, request.hashPacked === true);
		fs.rmSync(part, { force: true });
		const fd = fs.openSync(part, "wx+", 0o600);
		try {
			const writer = new SparseWriter(fd);
			const hash = request.hashUnpacked === true ? createHash("sha256") : undefined;
			const options = { xz: request.xz ?? "auto", ...(signal && { signal }) };
			for await (const chunk of unpack(packed, packing, options)) {
				writer.write(chunk);
				hash?.update(chunk);
				guard.check(writer.size, writer.written, source.size);
				onProgress({ ...packed.progress, bytes: writer.flushed, expectedBytes });
			}
			writer.finish();
			signal?.throwIfAborted();
			checkUnchanged(request);
			const sums = { sha256: hash?.digest("hex"), packedSha256: packed.sha256 };
			return { packing, bytes: writer.size, writtenBytes: writer.written, ...defined(sums) };
		} finally {
			fs.closeSync(fd);
		}
	} finally {
		source.close();
	}
}

function packingOf(source: FileSource): Packing {
	const head = Buffer.alloc(Math.min(PACKING_HEAD_BYTES, source.size));
	source.read(0, head);
	const packing = recognisePacking(head);
	if (packing === undefined) throw new UnsupportedError("packing", "It is packed in no way that is known here.");
	return packing;
}

function checkUnchanged({ source, expected }: UnpackRequest): void {
	if (expected === undefined) return;
	const { size, mtimeNs, ino } = fs.statSync(source, { bigint: true });
	if (Number(size) === expected.size && String(mtimeNs) === expected.mtimeNs && String(ino) === expected.ino) return;
	throw new ImportError("import-changed", "The file was changed while it was unpacked.", { retry: true });
}

/** The file, counting what was read of it. */
class CountedFile implements PackedFile {
	readonly source: FileSource;
	readonly #path: string;
	readonly #hash: Hash | undefined;
	#read = 0;

	constructor(path: string, source: FileSource, isHashed: boolean) {
		this.#path = path;
		this.source = source;
		this.#hash = isHashed ? createHash("sha256") : undefined;
	}

	get progress() {
		return { packedBytes: this.#read, packedTotal: this.source.size };
	}

	/** Of what was read: of the whole file, unless only a part of it was asked for. */
	get sha256(): string | undefined {
		return this.#hash?.digest("hex");
	}

	async *stream(start: number, length: number): AsyncGenerator<Uint8Array> {
		if (length === 0) return;
		const options = { start, end: start + length - 1, highWaterMark: READ_BYTES };
		for await (const chunk of fs.createReadStream(this.#path, options) as AsyncIterable<Buffer>) {
			this.#read += chunk.length;
			this.#hash?.update(chunk);
			yield chunk;
		}
	}
}

function defined(sums: { readonly sha256: string | undefined; readonly packedSha256: string | undefined }) {
	const { sha256, packedSha256 } = sums;
	return { ...(sha256 !== undefined && { sha256 }), ...(packedSha256 !== undefined && { packedSha256 }) };
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
		return new ImportError("import-unsupported", `${name} cannot be unpacked here: ${error.message}`, { cause: error });
	}
	const code = systemCode(error);
	if (code === "ENOSPC" || code === "EDQUOT") return noSpace(path.dirname(target));
	if (code === undefined || code === "bug") return error;
	const message = `${name} cannot be unpacked: ${error instanceof Error ? error.message : code}`;
	return new ImportError("import-failed", message, { cause: error, retry: true });
}
