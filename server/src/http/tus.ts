/**
 * Uploads in chunks that can be resumed: tus 1.0.0 (https://tus.io/protocols/resumable-upload), its core with the extensions
 * creation, checksum and termination.
 */
import type { Readable } from "node:stream";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { ApiError } from "./errors.ts";
import type { UploadService, UploadState } from "./services.ts";

const VERSION = "1.0.0";
const PLACE = "/api/v1/uploads";
const MEDIA_TYPE = "application/offset+octet-stream";

/** Of the header with name and checksum. */
const MOST_METADATA = 4096;

type Authorise = (request: FastifyRequest) => void;

type ById = FastifyRequest<{ Params: { id: string } }>;

/** Adds the routes. @param authorise throws for who may not. */
export function addUploads(server: FastifyInstance, uploads: UploadService, authorise: Authorise): void {
	server.register(async (scope) => {
		// The body is not read before the handler has looked at the headers.
		scope.addContentTypeParser(MEDIA_TYPE, (_request, payload, done) => done(null, payload));
		scope.addHook("onRequest", async (request, reply) => {
			reply.headers({ "tus-resumable": VERSION, "cache-control": "no-store" });
			authorise(request);
			if (request.method !== "OPTIONS") checkVersion(request, reply);
		});
		scope.options(PLACE, (_request, reply) => sendAbilities(reply));
		scope.post(PLACE, operation("createUpload"), async (request, reply) => {
			const upload = await uploads.create(wishOf(request));
			return reply
				.code(201)
				.headers({ location: `${PLACE}/${upload.id}`, ...stateHeaders(upload) })
				.send();
		});
		scope.head(`${PLACE}/:id`, (request: ById, reply) => {
			const upload = uploads.get(request.params.id) ?? noUpload(request.params.id);
			return reply.headers({ ...stateHeaders(upload), "upload-length": String(upload.size) }).send();
		});
		scope.patch(`${PLACE}/:id`, operation("appendUpload"), async (request: ById, reply) => {
			const body = bodyOf(request);
			const checksum = checksumOf(request.headers["upload-checksum"]);
			const upload = await uploads.append(request.params.id, offsetOf(request), body, checksum);
			return reply.code(204).headers(stateHeaders(upload)).send();
		});
		scope.delete(`${PLACE}/:id`, operation("deleteUpload"), async (request: ById, reply) => {
			if (!(await uploads.remove(request.params.id))) noUpload(request.params.id);
			return reply.code(204).send();
		});
	});
}

/** What it is called in the API's description, and in the record of changes. */
function operation(name: string) {
	return { config: { operation: name } };
}

/** "The Client MUST include the Tus-Resumable header in every request", and the server answers 412 to another version. */
function checkVersion(request: FastifyRequest, reply: FastifyReply): void {
	if (request.headers["tus-resumable"] === VERSION) return;
	reply.header("tus-version", VERSION);
	throw new ApiError("tus-version", "Uploads speak tus 1.0.0.", { hint: "Send the header `Tus-Resumable: 1.0.0`." });
}

function sendAbilities(reply: FastifyReply): FastifyReply {
	const headers = {
		"tus-version": VERSION,
		"tus-extension": "creation,checksum,termination",
		"tus-checksum-algorithm": "sha1,sha256",
	};
	return reply.code(204).headers(headers).send();
}

/** `Upload-Offset`, and the id that the image has or will have. */
function stateHeaders({ offset, imageId }: UploadState): Record<string, string> {
	return { "upload-offset": String(offset), "image-id": imageId };
}

function wishOf({ headers }: FastifyRequest) {
	const size = numberIn(headers["upload-length"]);
	if (size === undefined) throw invalid("Upload-Length", "the bytes of the whole file");
	const { filename, name = filename, sha256, replace, fingerprint } = metadataOf(headers["upload-metadata"]);
	if (name === undefined) throw invalid("Upload-Metadata", "`filename` and its value in base64");
	if (sha256 !== undefined && !/^[0-9a-f]{64}$/i.test(sha256)) throw invalid("Upload-Metadata", "sha256 in 64 digits");
	return { name, size, sha256, replace: replace !== undefined && replace !== "false", fingerprint };
}

/** `filename cmFzcGlvcy5pbWc=,replace`: keys, each with a value in base64 or none. */
function metadataOf(header: string | string[] | undefined): Record<string, string | undefined> {
	if (header === undefined) return {};
	if (typeof header !== "string" || header.length > MOST_METADATA)
		throw invalid("Upload-Metadata", "4096 bytes at most");
	const pairs = header.split(",").map((pair) => {
		const [key = "", value = ""] = pair.trim().split(" ");
		return [key, Buffer.from(value, "base64").toString("utf8")] as const;
	});
	return Object.fromEntries(pairs);
}

function offsetOf({ headers }: FastifyRequest): number {
	const offset = numberIn(headers["upload-offset"]);
	if (offset === undefined) throw invalid("Upload-Offset", "the byte that the body begins at");
	return offset;
}

function bodyOf({ headers, body }: FastifyRequest): Readable {
	if (headers["content-type"] === MEDIA_TYPE && isStream(body)) return body;
	throw new ApiError("media-type", `The body of an upload is ${MEDIA_TYPE}.`);
}

function isStream(body: unknown): body is Readable {
	return typeof body === "object" && body !== null && Symbol.asyncIterator in body;
}

/** `sha1 VALUE`, the value in base64. */
function checksumOf(header: string | string[] | undefined) {
	if (header === undefined) return undefined;
	const [, algorithm, value = ""] = /^(sha1|sha256) ([A-Za-z0-9+/]+=*)$/.exec(String(header)) ?? [];
	if (algorithm === "sha1" || algorithm === "sha256")
		return { algorithm, digest: Buffer.from(value, "base64") } as const;
	throw invalid("Upload-Checksum", "sha1 or sha256, a blank, and the checksum in base64");
}

function numberIn(header: string | string[] | undefined): number | undefined {
	return typeof header === "string" && /^\d{1,15}$/.test(header) ? Number(header) : undefined;
}

function invalid(header: string, expected: string): ApiError {
	return new ApiError("invalid-request", `The header ${header} is missing or wrong: expected ${expected}.`);
}

function noUpload(id: string): never {
	throw new ApiError("upload-not-found", `There is no upload "${id}".`, { hint: "Begin it anew." });
}
