/** The HTTP server: guards in front, the routes of the API's table, the page. */
import { allRoutes, type Input, openApiDocument, type Route } from "@pi-netboot/api";
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from "fastify";
import {
	type Clock,
	ExternalError,
	errorText,
	type Logger,
	type Startable,
	systemClock,
	systemCode,
} from "../base/index.ts";
import { Access } from "./access.ts";
import { answerUnreadable, sendFailure, sendResult } from "./answers.ts";
import { Connections } from "./connections.ts";
import { ApiError, toApiError } from "./errors.ts";
import { EventStreams } from "./event-stream.ts";
import { checkHost, type Machine, thisMachine } from "./host.ts";
import { operations } from "./operations.ts";
import { checkOrigin } from "./origin.ts";
import { addPages, callerOf } from "./page-routes.ts";
import { securityHeaders } from "./pages.ts";
import { limitArrival } from "./patience.ts";
import type { Services } from "./services.ts";
import { addUploads } from "./tus.ts";
import { validate } from "./validate.ts";

export interface HttpOptions {
	/** Address to listen on. */
	readonly host: string;
	/** 0 = any that is free. */
	readonly port: number;
	readonly auth: "token" | "off";
	readonly token: string;
	/** Host names that the user allows besides the machine's own. */
	readonly allowedHosts: readonly string[];
	readonly version: string;
	readonly services: Services;
	readonly log: Logger;
	readonly clock?: Clock;
	readonly machine?: Machine;
}

/** Bytes; no body of the API comes near it. */
const bodyLimit = 64 * 1024;

/** Requests of one connection; the client opens another one then, and has to be let in again. */
const maxRequestsPerSocket = 1000;

/** Milliseconds for the head of a request; for its body see `limitArrival`. Answers may take as long as they like. */
const headersTimeout = 30_000;

export class HttpServer implements Startable {
	/** The door for requests without a socket (`inject`). */
	readonly fastify: FastifyInstance;
	readonly #options: HttpOptions;
	readonly #access: Access;
	readonly #streams: EventStreams;
	readonly #connections = new Connections();

	constructor(options: HttpOptions) {
		const clock = options.clock ?? systemClock;
		this.#options = options;
		this.#access = new Access({ mode: options.auth, token: options.token, port: options.port, clock });
		this.#streams = new EventStreams(options.services.events, clock);
		this.fastify = fastify({
			bodyLimit,
			requestTimeout: 0,
			maxRequestsPerSocket,
			exposeHeadRoutes: false,
			// Keep-alive connections would hold up the stop.
			forceCloseConnections: true,
			frameworkErrors: (error, _request, reply) => void this.#fail(reply, error),
			clientErrorHandler: (error, socket) => answerUnreadable(error, socket),
		});
		this.fastify.server.headersTimeout = headersTimeout;
		// A form of another site can send plain text without asking first; JSON it cannot.
		this.fastify.removeContentTypeParser("text/plain");
		this.fastify.server.on("connection", (socket) => this.#connections.accept(socket));
		this.#guard();
		this.#route();
	}

	/** A code for `/?code=CODE`; undefined where nobody needs to log in. */
	createLoginCode(): string | undefined {
		return this.#options.auth === "off" ? undefined : this.#access.createCode().code;
	}

	/** The port that it listens on; 0 while it does not. */
	get port(): number {
		const address = this.fastify.server.address();
		return typeof address === "object" ? (address?.port ?? 0) : 0;
	}

	/** @throws ExternalError with the system's code when the port cannot be had. */
	async start(): Promise<void> {
		const { host, port } = this.#options;
		try {
			await this.fastify.listen({ host, port });
		} catch (cause) {
			const message = `http: cannot listen on ${host}:${port}: ${errorText(cause)}`;
			throw new ExternalError(systemCode(cause) ?? "listen", message, { cause });
		}
	}

	async stop(): Promise<void> {
		this.#streams.close();
		await this.fastify.close();
	}

	#guard(): void {
		const { machine = thisMachine, allowedHosts, log } = this.#options;
		this.fastify.addHook("onRequest", async (request, reply) => {
			this.#connections.begin(request.raw.socket);
			limitArrival(request.raw);
			reply.headers(securityHeaders);
			checkHost(request.headers.host, machine, allowedHosts);
		});
		this.fastify.addHook("onResponse", async (request, reply) => {
			this.#connections.end(request.raw.socket);
			log.debug(`${request.method} ${pathOf(request)} ${reply.statusCode} ${request.ip}`);
		});
		this.fastify.setErrorHandler((error, _request, reply) => this.#fail(reply, error));
		this.fastify.setNotFoundHandler((request) => {
			throw new ApiError("not-found", `There is nothing at ${request.method} ${pathOf(request)}.`, {
				hint: "/api/openapi.json lists what there is.",
			});
		});
	}

	#route(): void {
		const answers = operations(this.#options.services, this.#access, this.#streams);
		for (const [id, route] of allRoutes()) {
			// The table's types tie each answer to its own input; over the whole table they are unknown.
			if (id === "streamEvents") this.#addEvents(route);
			else this.#add(route, answers[id] as (input: unknown) => unknown);
		}
		const description = openApiDocument(this.#options.version);
		this.fastify.get("/api/openapi.json", (_request, reply) => reply.send(description));
		addUploads(this.fastify, this.#options.services.uploads, (request) => this.#letIn(request));
		addPages(this.fastify, this.#access);
	}

	#add(route: Route, answer: (input: unknown) => unknown): void {
		this.fastify.route({
			method: route.method,
			url: route.path,
			exposeHeadRoute: route.method === "GET",
			onRequest: async (request) => this.#authorise(route, request),
			handler: async (request, reply) => sendResult(route, reply, await answer(validate(route, request))),
		});
	}

	#addEvents(route: Route): void {
		this.fastify.route({
			method: route.method,
			url: route.path,
			onRequest: async (request) => this.#authorise(route, request),
			handler: (request, reply) => {
				const { query } = validate(route, request) as Input<"streamEvents">;
				this.#streams.admit();
				reply.hijack();
				this.#streams.open(reply.raw, securityHeaders, query.types);
			},
		});
	}

	#authorise(route: Route, request: FastifyRequest): void {
		if (route.auth === "user") this.#letIn(request);
	}

	/** @throws ApiError when it is nobody that we know, or the page of another site. */
	#letIn(request: FastifyRequest): void {
		checkOrigin(request.method, this.#access.check(callerOf(request)), request.headers);
		this.#connections.recognise(request.raw.socket);
	}

	#fail(reply: FastifyReply, error: unknown): FastifyReply {
		const failure = toApiError(error);
		if (failure.code === "internal") this.#options.log.error({ err: failure.cause }, "a request failed");
		return sendFailure(reply, failure);
	}
}

/** Without the query, which may hold a login code. */
function pathOf(request: FastifyRequest): string {
	return request.url.replace(/\?.*$/s, "").slice(0, 200);
}
