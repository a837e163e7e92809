/**
 * What agents ask, see `docs/agent-protocol.md`: requests and answers are signed, packs alone are not, since the map proves
 * them. Not in the table of routes: these are for our own program, whose schemas are in `api/src/agent.ts`.
 */
import { AgentEvent, AgentHello, AgentNext, type AgentWork, type ErrorCode, errorKinds } from "@pi-netboot/api";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { z } from "zod";
import { ClosedError } from "../base/index.ts";
import { agentProgram } from "../boot/index.ts";
import { type Admission, type AgentCaller, type PackFile, parseRange } from "../writes/index.ts";
import type { AgentPlaces } from "./agent-places.ts";
import { type ApiError, ApiError as Refusal, toApiError } from "./errors.ts";
import type { AgentService } from "./services.ts";

const PREFIX = "/api/v1/agent";

/** Maps and packs are named by their content. */
const IMMUTABLE = "public, max-age=31536000, immutable";

const NAME = /^[0-9a-f]{64}$/;

type Refused = Extract<Admission, { isAdmitted: false }>;

const REASONS: Readonly<Record<Refused["code"], string>> = {
	"agent-bad-signature": "Nobody of this name has signed this. A Pi gets its secret with each boot.",
	"agent-replayed": "This request was made before.",
	"agent-clock": "The clock is off: sign it with the time that comes with this.",
	"agent-foreign-address": "The request comes from an address that is not this Pi's.",
};

export interface AgentRouteParts {
	readonly agents: AgentService;
	readonly places: AgentPlaces;
	/** It has shown who it is. */
	readonly recognise: (request: FastifyRequest) => void;
	/** A fault of ours. */
	readonly report: (error: ApiError) => void;
}

export function addAgentRoutes(server: FastifyInstance, parts: AgentRouteParts): void {
	server.register(async (scope) => {
		const door = new AgentDoor(parts);
		const { agents } = parts;
		// What is signed are the bytes as they came.
		scope.removeAllContentTypeParsers();
		scope.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
		scope.post(`${PREFIX}/hello`, (request, reply) =>
			door.answer(request, reply, async (caller) => {
				await agents.hello(caller, read(AgentHello, request));
				return {};
			}),
		);
		scope.post(`${PREFIX}/next`, (request, reply) =>
			door.answer(request, reply, async (caller) => {
				const question = read(AgentNext, request);
				return { work: await agents.next(caller, question, goneSignal(reply)) } satisfies { work: AgentWork | null };
			}),
		);
		scope.post(`${PREFIX}/events`, (request, reply) =>
			door.answer(request, reply, async (caller) => ({
				cancel: await agents.report(caller, read(AgentEvent, request)),
			})),
		);
		// For agents that were installed; those of a netbooted root have this version anyway.
		const program = agentProgram.toString();
		scope.get(`${PREFIX}/program`, (request, reply) => door.answer(request, reply, async () => ({ program })));
		scope.get<{ Params: { name: string } }>(`${PREFIX}/map/:name`, (request, reply) =>
			door.bytes(request, reply, async () => {
				const file = (await agents.map(checkedName(request.params.name))) ?? missingFile();
				reply.header("etag", `"${file.name}"`);
				return Buffer.concat(await file.read(0, file.size).toArray());
			}),
		);
		scope.get<{ Params: { name: string } }>(`${PREFIX}/pack/:name`, (request, reply) =>
			door.pack(request, reply, () => agents.pack(checkedName(request.params.name))),
		);
		scope.get<{ Params: { map: string; number: string } }>(`${PREFIX}/raw/:map/:number`, (request, reply) =>
			door.bytes(request, reply, async () => {
				const { map, number } = request.params;
				if (!/^\d{1,9}$/.test(number)) throw missing();
				return (await agents.raw(checkedName(map), Number(number))) ?? missingFile();
			}),
		);
	});
}

/** Lets agents in, and signs what they are answered. */
class AgentDoor {
	readonly #parts: AgentRouteParts;

	constructor(parts: AgentRouteParts) {
		this.#parts = parts;
	}

	/** Answers JSON. */
	answer(request: FastifyRequest, reply: FastifyReply, act: (caller: AgentCaller) => Promise<object>) {
		return this.#admitted(request, reply, async (caller) => {
			const body = Buffer.from(JSON.stringify(await act(caller)));
			reply.header("cache-control", "no-store").type("application/json; charset=utf-8");
			return this.#send(reply, caller.sign, 200, body);
		});
	}

	/** Answers what never changes, signed. */
	bytes(request: FastifyRequest, reply: FastifyReply, load: () => Promise<Buffer>) {
		return this.#admitted(request, reply, async (caller) => {
			const body = await load();
			reply.header("cache-control", IMMUTABLE).type("application/octet-stream");
			return this.#send(reply, caller.sign, 200, body);
		});
	}

	/** Answers a pack, or a range of it. */
	pack(request: FastifyRequest, reply: FastifyReply, find: () => Promise<PackFile | undefined>) {
		return this.#admitted(request, reply, async () => this.#sendPack(request, reply, (await find()) ?? missingFile()));
	}

	#sendPack(request: FastifyRequest, reply: FastifyReply, file: PackFile): FastifyReply {
		const { range: wanted, "if-range": ifRange, "if-none-match": known } = request.headers;
		const etag = `"${file.name}"`;
		reply.headers({ etag, "accept-ranges": "bytes", "cache-control": IMMUTABLE });
		if (known === etag) return reply.code(304).send();
		const range = ifRange === undefined || ifRange === etag ? parseRange(wanted, file.size) : "all";
		if (range === "unsatisfiable") {
			return reply.code(416).header("content-range", `bytes */${file.size}`).send();
		}
		reply.type("application/octet-stream");
		const { start, end } = range === "all" ? { start: 0, end: file.size } : range;
		if (range !== "all") reply.code(206).header("content-range", `bytes ${start}-${end - 1}/${file.size}`);
		reply.header("content-length", end - start);
		void this.#sendPart(reply.hijack(), file, start, end);
		return reply;
	}

	/** Past the framework, whose streams take new memory for each piece. */
	async #sendPart(reply: FastifyReply, file: PackFile, start: number, end: number): Promise<void> {
		const { raw } = reply;
		raw.statusCode = reply.statusCode;
		for (const [name, value] of Object.entries(reply.getHeaders())) if (value !== undefined) raw.setHeader(name, value);
		try {
			await file.send(start, end, raw);
			raw.end();
		} catch (error) {
			// The status is out: who asked sees a short answer.
			raw.destroy();
			if (!(error instanceof ClosedError)) this.#parts.report(toApiError(error));
		}
	}

	async #admitted(
		request: FastifyRequest,
		reply: FastifyReply,
		act: (caller: AgentCaller) => Promise<FastifyReply>,
	): Promise<FastifyReply> {
		const admission = await this.#parts.agents.admit(requestOf(request));
		if (!admission.isAdmitted) return this.#refuse(reply, admission);
		const { caller } = admission;
		this.#parts.recognise(request);
		try {
			const done = this.#parts.places.enter(caller.device.key, reply.raw);
			return await act(caller).finally(done);
		} catch (error) {
			const failure = toApiError(error);
			if (failure.code === "internal") this.#parts.report(failure);
			return this.#send(reply, caller.sign, failure.status, jsonOf(failure.body()));
		}
	}

	#refuse(reply: FastifyReply, { code, sign, time }: Refused): FastifyReply {
		const body = jsonOf({ error: { code, message: REASONS[code], ...(time !== undefined && { time }) } });
		return this.#send(reply, sign, errorKinds[code].status, body);
	}

	#send(reply: FastifyReply, sign: AgentCaller["sign"] | undefined, status: number, body: Buffer): FastifyReply {
		if (status >= 400) reply.header("cache-control", "no-store").type("application/json; charset=utf-8");
		if (sign !== undefined) reply.header("x-netboot-signature", sign(status, body));
		return reply.code(status).send(body);
	}
}

/** What of a request says that an agent made it. */
export function requestOf(request: FastifyRequest) {
	const { headers, method, ip: address, body } = request;
	const text = (name: string) => String(headers[name] ?? "");
	return {
		agentId: text("x-netboot-agent"),
		method,
		path: request.raw.url ?? "",
		body: Buffer.isBuffer(body) ? body : Buffer.alloc(0),
		time: text("x-netboot-time"),
		nonce: text("x-netboot-nonce"),
		signature: text("x-netboot-signature"),
		address,
	};
}

function jsonOf(value: unknown): Buffer {
	return Buffer.from(JSON.stringify(value));
}

/** @throws ApiError invalid-request. */
function read<T extends z.ZodType>(schema: T, { body }: FastifyRequest): z.output<T> {
	const checked = schema.safeParse(jsonIn(body));
	if (checked.success) return checked.data;
	const problems = checked.error.issues.map(({ path, message }) => [...path, message].join(": "));
	throw new Refusal("invalid-request", problems.join("; ").slice(0, 1000));
}

function jsonIn(body: unknown): unknown {
	try {
		return JSON.parse(String(body));
	} catch (error) {
		if (error instanceof SyntaxError) throw new Refusal("invalid-request", "The body is no JSON.");
		throw error;
	}
}

/** Aborted when nobody waits for the answer any more. */
function goneSignal({ raw }: FastifyReply): AbortSignal {
	const gone = new AbortController();
	raw.once("close", () => gone.abort());
	return gone.signal;
}

function missing(): Refusal {
	const code: ErrorCode = "not-found";
	return new Refusal(code, "There is no such map, pack or chunk, or no longer.");
}

function missingFile(): never {
	throw missing();
}

function checkedName(name: string): string {
	if (!NAME.test(name)) throw missing();
	return name;
}
