/** The HTTP server: guards in front, the routes of the API's table, the page. */
import { allRoutes, type Input, type Route } from "@pi-netboot/api";
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from "fastify";
import {
	type Clock,
	ExternalError,
	errorText,
	type Logger,
	type Startable,
	systemClock,
	systemCode,
	Tally,
} from "../base/index.ts";
import { Access, type Visitor } from "./access.ts";
import type { AccessBook } from "./access-book.ts";
import { AgentPlaces } from "./agent-places.ts";
import { addAgentRoutes } from "./agent-routes.ts";
import type { AllowedHosts } from "./allowed-hosts.ts";
import { answerUnreadable, sendFailure, sendResult } from "./answers.ts";
import { AskedPage } from "./asked-page.ts";
import { Audit, type AuditKeeper } from "./audit.ts";
import { addBootstrap, BootstrapCodes } from "./bootstrap.ts";
import { Connections } from "./connections.ts";
import { addDocs } from "./docs-page.ts";
import { ApiError, toApiError } from "./errors.ts";
import { EventStreams } from "./event-stream.ts";
import { operations, type Visit } from "./operations.ts";
import { checkOrigin } from "./origin.ts";
import { addPages, arrivalOf, callerOf } from "./page-routes.ts";
import { builtPage, securityHeaders } from "./pages.ts";
import { limitArrival } from "./patience.ts";
import { RouteMethods } from "./route-methods.ts";
import type { Services } from "./services.ts";
import { checkForwarded, TrustedProxies } from "./trusted-proxies.ts";
import { addUploads } from "./tus.ts";
import { validate } from "./validate.ts";

export interface HttpOptions {
	/** Address to listen on. */
	readonly host: string;
	/** 0 = any that is free. */
	readonly port: number;
	readonly auth: "token" | "off";
	readonly token: string;
	/** The named tokens and the password. */
	readonly book: AccessBook;
	/** Who changed what is written down there. */
	readonly audit: AuditKeeper;
	readonly hosts: AllowedHosts;
	/** Addresses and subnets of reverse proxies that are believed; none by default. */
	readonly trustedProxies?: readonly string[];
	readonly version: string;
	/** The folder of the page, where it is not the built one of this clone. */
	readonly page?: string;
	readonly services: Services;
	readonly log: Logger;
	readonly clock?: Clock;
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
	readonly #audit: Audit;
	readonly #codes: BootstrapCodes;
	/** Whose request it is, of those that may ask. */
	readonly #visitors = new WeakMap<FastifyRequest, Visitor>();
	readonly #streams: EventStreams;
	readonly #connections: Connections;
	readonly #methods = new RouteMethods();
	readonly #answered = new Tally();

	constructor(options: HttpOptions) {
		const clock = options.clock ?? systemClock;
		const proxies = new TrustedProxies(options.trustedProxies ?? []);
		this.#options = options;
		this.#connections = new Connections((address) => proxies.has(address));
		const { auth: mode, token, port, book, log } = options;
		this.#audit = new Audit(options.audit, clock, log);
		const loggedIn = (who: string, address: string) =>
			void this.#audit.note({ who, address, action: "login", target: null, body: undefined });
		this.#access = new Access({ mode, token, port, clock, book, log, loggedIn });
		this.#codes = new BootstrapCodes(clock);
		this.#streams = new EventStreams(options.services.events, clock);
		this.fastify = fastify({
			bodyLimit,
			requestTimeout: 0,
			maxRequestsPerSocket,
			exposeHeadRoutes: false,
			trustProxy: (address) => proxies.has(address),
			// Ours says so as everything else is said.
			http: { requireHostHeader: false },
			// Longer ones are refused by what they are to be; the page would take them for addresses of its own.
			routerOptions: { maxParamLength: 2000 },
			// Keep-alive connections would hold up the stop.
			forceCloseConnections: true,
			frameworkErrors: (error, _request, reply) => void this.#fail(reply, error),
			clientErrorHandler: (error, socket) => answerUnreadable(error, socket),
		});
		this.fastify.server.headersTimeout = headersTimeout;
		// A form of another site can send plain text without asking first; JSON it cannot.
		this.fastify.removeContentTypeParser("text/plain");
		this.fastify.server.on("connection", (socket) => this.#connections.accept(socket));
		// What a client expects of us before it sends its body is nothing that we refuse it for.
		this.fastify.server.on("checkExpectation", (request, response) =>
			this.fastify.server.emit("request", request, response),
		);
		this.fastify.addHook("onRoute", (route) => this.#methods.add(route));
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
		const { hosts, log } = this.#options;
		this.fastify.addHook("onRequest", async (request, reply) => {
			this.#connections.begin(request.raw.socket);
			limitArrival(request.raw);
			reply.headers(securityHeaders);
			hosts.check(request.raw);
			checkForwarded(request);
		});
		this.fastify.addHook("onSend", async (request, reply) => this.#note(request, reply));
		this.fastify.addHook("onResponse", async (request, reply) => {
			this.#connections.end(request.raw.socket);
			this.#answered.add({ method: request.method, status: String(reply.statusCode) });
			log.debug(`${request.method} ${pathOf(request)} ${reply.statusCode} ${request.ip}`);
		});
		this.fastify.setErrorHandler((error, _request, reply) => this.#fail(reply, error));
		this.fastify.setNotFoundHandler((request, reply) => this.#miss(request, reply));
	}

	#route(): void {
		const answers = operations({
			services: this.#options.services,
			access: this.#access,
			hosts: this.#options.hosts,
			audit: this.#audit,
			streams: this.#streams,
			codes: this.#codes,
			listensOn: this.#options.host,
			answered: this.#answered,
		});
		for (const [id, route] of allRoutes()) {
			// The table's types tie each answer to its own input; over the whole table they are unknown.
			if (id === "streamEvents") this.#addEvents(route);
			else this.#add(id, route, answers[id] as (input: unknown, visit: Visit) => unknown);
		}
		addDocs(this.fastify, this.#options.version);
		addUploads(this.fastify, this.#options.services.uploads, (request) => this.#letIn(request));
		const places = new AgentPlaces(this.#options.clock ?? systemClock);
		addAgentRoutes(this.fastify, {
			agents: this.#options.services.agents,
			places,
			recognise: (request) => this.#connections.recognise(request.raw.socket),
			report: ({ cause }) => this.#options.log.error({ err: cause }, "an agent's request failed"),
		});
		const { agents, bootstrap } = this.#options.services;
		const authorise = (request: FastifyRequest) => this.#letIn(request);
		const introduced = (address: string) =>
			this.#audit.note({ who: "code", address, action: "introduceAgent", target: null, body: undefined });
		addBootstrap(this.fastify, { agents, places, bootstrap, codes: this.#codes, authorise, introduced });
		const { page = builtPage, port } = this.#options;
		addPages(this.fastify, this.#access, page, new AskedPage(port));
	}

	#add(operation: string, route: Route, answer: (input: unknown, visit: Visit) => unknown): void {
		this.fastify.route({
			method: route.method,
			url: route.path,
			exposeHeadRoute: route.method === "GET",
			config: { operation },
			onRequest: async (request) => this.#authorise(route, request),
			handler: async (request, reply) =>
				sendResult(route, reply, await answer(validate(route, request), this.#visit(request, reply))),
		});
	}

	#addEvents(route: Route): void {
		this.fastify.route({
			method: route.method,
			url: route.path,
			onRequest: async (request) => this.#authorise(route, request),
			handler: (request, reply) => {
				const { query } = validate(route, request) as Input<"streamEvents">;
				const lastId = request.headers["last-event-id"] ?? query.after;
				this.#streams.admit();
				reply.hijack();
				const caller = callerOf(request);
				const mayListen = () => this.#access.stillHolds(caller);
				this.#streams.open(reply.raw, securityHeaders, query.types, lastId?.toString(), mayListen);
			},
		});
	}

	#authorise(route: Route, request: FastifyRequest): void {
		if (route.auth === "user") this.#letIn(request);
		// What sets a cookie is no business of other sites either.
		else checkOrigin(request.method, "none-needed", request.headers);
	}

	/** @throws ApiError when it is nobody that we know, or the page of another site. */
	#letIn(request: FastifyRequest): void {
		const visitor = this.#access.check(callerOf(request));
		checkOrigin(request.method, visitor.proof, request.headers);
		this.#visitors.set(request, visitor);
		this.#connections.recognise(request.raw.socket);
	}

	#visit(request: FastifyRequest, reply: FastifyReply): Visit {
		return {
			...arrivalOf(request),
			host: request.headers.host ?? "",
			cookie: request.headers.cookie,
			visitor: this.#visitors.get(request),
			setCookie: (header) => void reply.header("set-cookie", header),
		};
	}

	/** A change is written down before whoever made it is told that it is done. The pieces of an upload are no changes. */
	async #note(request: FastifyRequest, reply: FastifyReply): Promise<void> {
		const visitor = this.#visitors.get(request);
		const { method, body, ip: address } = request;
		const { operation: action } = request.routeOptions.config as { operation?: string };
		const isChange = method !== "GET" && method !== "HEAD" && action !== undefined && action !== "appendUpload";
		if (visitor === undefined || !isChange || reply.statusCode >= 400) return;
		const target = targetOf(request.params) ?? reply.getHeader("image-id")?.toString() ?? null;
		await this.#audit.note({ who: visitor.who, address, action, target, body });
	}

	#miss(request: FastifyRequest, reply: FastifyReply): never {
		const hint = "/api/openapi.json lists what there is.";
		const methods = this.#methods.of(pathOf(request));
		if (methods.length === 0 || methods.includes(request.method)) {
			throw new ApiError("not-found", `There is nothing at ${request.method} ${pathOf(request)}.`, { hint });
		}
		reply.header("allow", methods.join(", "));
		throw new ApiError("method-not-allowed", `This takes ${methods.join(", ")}, and not ${request.method}.`, { hint });
	}

	#fail(reply: FastifyReply, error: unknown): FastifyReply {
		const failure = toApiError(error);
		if (failure.code === "internal") this.#options.log.error({ err: failure.cause }, "a request failed");
		return sendFailure(reply, failure);
	}
}

/** `7bf18f79`, and `7bf18f79/clean` where two parameters name one thing. */
function targetOf(params: unknown): string | null {
	if (typeof params !== "object" || params === null) return null;
	const parts = Object.values(params).map(String);
	return parts.length === 0 ? null : parts.join("/").slice(0, 200);
}

/** Without the query, which may hold a login code. */
function pathOf(request: FastifyRequest): string {
	return request.url.replace(/\?.*$/s, "").slice(0, 200);
}
