/** How answers go out: successes as their route says, failures in the one form. */
import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { type ErrorCode, errorKinds, type Route } from "@pi-netboot/api";
import type { FastifyReply } from "fastify";
import { BugError } from "../base/index.ts";
import { ApiError } from "./errors.ts";

/** RFC 9110 sections 11.6.1 and 10.2.3. */
const extraHeaders: Readonly<Partial<Record<ErrorCode, Record<string, string>>>> = {
	// Who guesses shall not do so thousands of times over one connection.
	unauthorized: { "www-authenticate": "Bearer", connection: "close" },
	"too-many-attempts": { "retry-after": "60", connection: "close" },
	// What is left of the body is not waited for.
	"body-too-large": { connection: "close" },
};

/** Sends what an operation gave. Properties that the route does not promise stay behind. */
export function sendResult(route: Route, reply: FastifyReply, result: unknown): FastifyReply {
	reply.header("cache-control", "no-store");
	if (route.response === undefined) return reply.code(204).send();
	if (route.mediaType === "text/plain") return reply.type("text/plain; version=0.0.4; charset=utf-8").send(result);
	const checked = route.response.safeParse(result);
	if (checked.success) return reply.code(route.status ?? 200).send(checked.data);
	throw new BugError(`http: ${route.method} ${route.path} would answer what it must not: ${checked.error.message}`);
}

export function sendFailure(reply: FastifyReply, failure: ApiError): FastifyReply {
	reply.code(failure.status).header("cache-control", "no-store");
	return reply.headers(extraHeaders[failure.code] ?? {}).send(failure.body());
}

/** What Node says of requests that it does not hand on. */
const UNREADABLE: Readonly<Record<string, readonly [ErrorCode, string]>> = {
	HPE_HEADER_OVERFLOW: ["head-too-large", "The head of this request is larger than 16 KiB."],
	ERR_HTTP_REQUEST_TIMEOUT: ["too-slow", "The head of this request did not arrive within 30 seconds."],
};

/** Answers bytes that are no HTTP request, on the bare socket. */
export function answerUnreadable(error: Error & { code?: string }, socket: Socket): void {
	if (error.code === "ECONNRESET" || !socket.writable) {
		socket.destroy(error);
		return;
	}
	const [code, message] = UNREADABLE[error.code ?? ""] ?? [
		"invalid-request" as const,
		"This is no HTTP request that can be read.",
	];
	const { status } = errorKinds[code];
	const body = JSON.stringify(new ApiError(code, message).body());
	const head = [
		`HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
		"content-type: application/json; charset=utf-8",
		`content-length: ${Buffer.byteLength(body)}`,
		"connection: close",
	];
	socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
}
