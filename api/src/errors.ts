/**
 * Every way in which a request can fail, in one table. The `code` of an answer is a key of it; scripts may rely on the
 * codes, people read the messages.
 */
import { z } from "zod";

interface ErrorKind {
	/** The HTTP status that the code travels with. */
	readonly status: number;
	/** When it happens, for the reader of the API description. */
	readonly description: string;
}

const kinds = {
	"invalid-request": { status: 400, description: "The path, query or body is not what the route takes." },
	unauthorized: {
		status: 401,
		description: "Neither a valid bearer token nor a session cookie came with the request.",
	},
	"code-refused": { status: 401, description: "The one-time login code is unknown, used up or older than 15 minutes." },
	"password-refused": { status: 401, description: "This is not the password, or none was set." },
	"cross-site": { status: 403, description: "A browser sent a change from another site's page." },
	"not-found": { status: 404, description: "There is nothing at this method and path." },
	"method-not-allowed": {
		status: 405,
		description: "The path takes other methods: the header `Allow` has them.",
	},
	"too-slow": { status: 408, description: "The request did not arrive in time." },
	"image-not-found": { status: 404, description: "No image has this id." },
	"snapshot-not-found": { status: 404, description: "The device has no snapshot of this name." },
	"device-not-found": { status: 404, description: "No device has or had this id." },
	"token-not-found": { status: 404, description: "No token has this id." },
	"image-in-use": { status: 409, description: "A device runs from the image, so it cannot be deleted." },
	"image-exists": {
		status: 409,
		description: "The images folder has a file of this name, or one is arriving, and it was not said that it shall go.",
	},
	"import-name": { status: 400, description: "This is no name that an image may have." },
	"import-path": { status: 400, description: "At this path of the server is no file that it can read." },
	"import-failed": { status: 409, description: "The images folder does not take the file." },
	"import-too-large": { status: 413, description: "It is larger than any disk of a Pi, or than it was said to be." },
	"import-no-space": { status: 507, description: "There is not enough room on the disk of the images." },
	"import-too-many": { status: 429, description: "As many downloads or uploads as are sensible are not finished." },
	"import-cancelled": { status: 409, description: "The connection ended before all was there; what came is kept." },
	"download-address": { status: 400, description: "This is no http or https address." },
	"upload-not-found": { status: 404, description: "No upload has this id; it may be finished, removed or too old." },
	"upload-offset": { status: 409, description: "What was sent does not begin where the upload ends." },
	"upload-checksum": { status: 460, description: "What came has another checksum than it should have." },
	"tus-version": { status: 412, description: "The header `Tus-Resumable: 1.0.0` is missing." },
	"catalog-unavailable": {
		status: 502,
		description: "The server of the list of images cannot be reached, or not now.",
	},
	"catalog-missing": { status: 502, description: "There is no list of images at its address." },
	"catalog-malformed": { status: 502, description: "What is at the address is no list of images." },
	"catalog-not-found": { status: 404, description: "The catalogue has no such entry." },
	"catalog-refused": { status: 409, description: "The entry is nothing that can be booted from the network." },
	"write-not-found": { status: 404, description: "No write has this id." },
	"write-running": { status: 409, description: "The device has a write that is not over." },
	"disk-not-found": { status: 404, description: "The device has no disk at this path." },
	"disk-refused": {
		status: 409,
		description: "The disk must not be written: it is in use, read-only, too small, or another than the one confirmed.",
	},
	"disks-unknown": { status: 409, description: "The device's agent was never heard, so its disks are not known." },
	"image-not-ready": { status: 409, description: "The image cannot be written to a disk, or not now." },
	"agent-away": { status: 409, description: "The device's agent cannot be reached at the moment." },
	"agent-bad-signature": { status: 401, description: "Agents only: who asks does not have the secret of a boot." },
	"agent-replayed": { status: 401, description: "Agents only: the request was made before." },
	"agent-clock": { status: 401, description: "Agents only: the clock is off; the error's `time` is the server's." },
	"agent-foreign-address": {
		status: 403,
		description: "Agents only: the request comes from another machine's address.",
	},
	"name-taken": { status: 409, description: "Another device or token has this name already." },
	conflict: {
		status: 409,
		description: "The change does not go together with what the server or the device is doing.",
	},
	"body-too-large": { status: 413, description: "The body is larger than this route reads." },
	"media-type": { status: 415, description: "The body is not JSON." },
	"host-refused": {
		status: 421,
		description: "The Host header names neither this machine nor a host that was allowed.",
	},
	"head-too-large": { status: 431, description: "The request's head is larger than the 16 KiB that are read." },
	"too-many-attempts": { status: 429, description: "Too many wrong tokens, codes or passwords; wait a minute." },
	internal: { status: 500, description: "A fault of the server; its log says more." },
	unavailable: {
		status: 503,
		description: "The server is stopping, or as many clients as it takes are listening already.",
	},
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof kinds;

export const errorKinds: Readonly<Record<ErrorCode, ErrorKind>> = kinds;

/** Tells whether a word is one of our error codes. */
export function isErrorCode(code: string): code is ErrorCode {
	return Object.hasOwn(errorKinds, code);
}

export const errorCodes: readonly ErrorCode[] = Object.keys(errorKinds).filter(isErrorCode);

const table = errorCodes.map((code) => `- \`${code}\`: ${errorKinds[code].description}`).join("\n");

/** The body of every answer that is not a success. */
export const ErrorBody = z.object({
	error: z.object({
		code: z.enum(errorCodes).describe(`Stable.\n${table}`),
		message: z.string().describe("One sentence for a person."),
		hint: z.string().optional().describe("What to do about it."),
	}),
});
export type ErrorBody = z.infer<typeof ErrorBody>;

/** Failures that any route can answer with, whatever it does. */
export const generalErrors: readonly ErrorCode[] = ["invalid-request", "host-refused", "internal", "unavailable"];

/** Failures of every route that asks who is calling. */
export const authErrors: readonly ErrorCode[] = ["unauthorized", "too-many-attempts"];

/** Failures of every route that changes something. */
export const changeErrors: readonly ErrorCode[] = ["cross-site", "body-too-large", "media-type"];
