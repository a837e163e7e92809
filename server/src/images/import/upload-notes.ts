/** What is written down of an upload. */
import { isImportableName } from "./image-name.ts";

/** The files of one: its bytes, and with `.json` what is written here. */
export const UPLOAD_FILE = /^\.([0-9a-f]{24})\.upload(?:\.json)?$/;

export interface UploadNotes {
	/** The name that the file will have. */
	readonly name: string;
	/** Bytes of the whole. */
	readonly size: number;
	readonly sha256?: string;
	readonly replace: boolean;
	/** Milliseconds since 1970. */
	readonly createdAt: number;
	/** What the client knows the file by. */
	readonly fingerprint?: string;
}

/** Undefined for what cannot be believed. */
export function parseUpload(text: string): UploadNotes | undefined {
	const value = parseJson(text);
	if (typeof value !== "object" || value === null || !("name" in value && "size" in value)) return undefined;
	const { name, size } = value;
	if (
		typeof name !== "string" ||
		!isImportableName(name) ||
		typeof size !== "number" ||
		!Number.isSafeInteger(size) ||
		size < 0
	)
		return undefined;
	const createdAt = "createdAt" in value && typeof value.createdAt === "number" ? value.createdAt : 0;
	const replace = "replace" in value && value.replace === true;
	const sha256 = "sha256" in value && typeof value.sha256 === "string" ? { sha256: value.sha256 } : {};
	const isMarked = "fingerprint" in value && typeof value.fingerprint === "string";
	return { name, size, replace, createdAt, ...sha256, ...(isMarked && { fingerprint: String(value.fingerprint) }) };
}

function parseJson(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
}
