/**
 * Routes that do not speak JSON: uploads, whose form is that of tus 1.0.0, and files that a Pi fetches. They are described here;
 * what they read and answer is told by headers.
 */
import { authErrors, type ErrorCode, generalErrors } from "./errors.ts";

export interface PlainRoute {
	readonly operationId: string;
	readonly method: "get" | "head" | "post" | "patch" | "delete";
	/** Parameters as `{name}`. */
	readonly path: string;
	readonly summary: string;
	/** `pi`: the token or a session, an agent's signature, or a one-time code. */
	readonly auth: "open" | "user" | "pi";
	/** What is sent besides the path, each with its meaning; those with a `?` may be missing. */
	readonly headers?: Readonly<Record<string, string>>;
	readonly query?: Readonly<Record<string, string>>;
	readonly body?: string;
	/** Of a success, with what comes then. */
	readonly success: readonly [status: number, what: string, mediaType?: string];
	readonly errors: readonly ErrorCode[];
}

const version = { "Tus-Resumable": "`1.0.0`" };
const place = "The headers `Upload-Offset` (bytes that are there) and `Image-Id` (that the image has or will have).";

export const plainRoutes: readonly PlainRoute[] = [
	{
		operationId: "createUpload",
		method: "post",
		path: "/api/v1/uploads",
		summary: "Begin an upload of an image",
		auth: "user",
		headers: {
			...version,
			"Upload-Length": "Bytes of the whole file.",
			"Upload-Metadata":
				"`filename`, and where they are wanted `sha256`, `replace`, `fingerprint`: each a key, a blank and its value in base64, with commas between.",
		},
		success: [201, `The header \`Location\` has its address. ${place}`],
		errors: ["import-name", "import-too-large", "import-too-many", "import-no-space", "image-exists"],
	},
	{
		operationId: "getUpload",
		method: "head",
		path: "/api/v1/uploads/{id}",
		summary: "How far an upload is: where to go on after a cut",
		auth: "user",
		headers: version,
		success: [200, `${place} \`Upload-Length\` is the whole.`],
		errors: ["upload-not-found"],
	},
	{
		operationId: "appendUpload",
		method: "patch",
		path: "/api/v1/uploads/{id}",
		summary: "Send the next piece; what came before a cut is kept",
		auth: "user",
		headers: {
			...version,
			"Upload-Offset": "The byte that the piece begins at: what is there already.",
			"Upload-Checksum?": "`sha1` or `sha256`, a blank, and the piece's checksum in base64.",
		},
		body: "application/offset+octet-stream",
		success: [204, `What came is on the disk. ${place}`],
		errors: [
			"media-type",
			"upload-not-found",
			"upload-offset",
			"upload-checksum",
			"import-cancelled",
			"import-no-space",
			"import-failed",
		],
	},
	{
		operationId: "deleteUpload",
		method: "delete",
		path: "/api/v1/uploads/{id}",
		summary: "Give an upload up, with what came of it",
		auth: "user",
		headers: version,
		success: [204, "It is gone."],
		errors: ["upload-not-found"],
	},
	{
		operationId: "downloadImage",
		method: "get",
		path: "/api/images/download/{name}",
		summary: "An image as a file, unpacked, whole or a range of it",
		auth: "pi",
		headers: { "Range?": "As RFC 9110 has it." },
		query: { code: "Of a link that `createDownloadLink` made." },
		success: [200, "The image; 206 with a range of it.", "application/octet-stream"],
		errors: ["image-not-found", "code-refused"],
	},
	{
		operationId: "getInstallScript",
		method: "get",
		path: "/api/bootstrap/install-script",
		summary: "The script that installs the agent on a Pi that was booted by other means; it holds no secret",
		auth: "open",
		success: [200, "A shell script.", "text/x-shellscript"],
		errors: [],
	},
	{
		operationId: "introduceAgent",
		method: "post",
		path: "/api/bootstrap/agent",
		summary: "What that script asks: the agent's config.json, for a one-time code",
		auth: "open",
		body: "application/json",
		success: [200, "The agent's config.json.", "application/json"],
		errors: ["code-refused", "too-many-attempts", "conflict", "media-type", "body-too-large"],
	},
];

/** All failures that such a route can answer with. */
export function errorsOfPlain({ auth, headers, method, errors }: PlainRoute): ErrorCode[] {
	const ofKind: ErrorCode[] = [
		...(auth === "open" ? [] : authErrors),
		...(auth === "pi" ? agentErrors : []),
		...(headers !== undefined && "Tus-Resumable" in headers ? (["tus-version"] as const) : []),
		...(auth === "user" && method !== "head" ? (["cross-site"] as const) : []),
	];
	return [...new Set([...errors, ...ofKind, ...generalErrors])];
}

const agentErrors: readonly ErrorCode[] = [
	"agent-bad-signature",
	"agent-replayed",
	"agent-clock",
	"agent-foreign-address",
];
