/**
 * The URLs of the predecessor that a Pi asks: the script that installs the agent, which everybody may read, and the images as
 * files, which take the token, an agent's secret, or a one-time code.
 */
import { Readable } from "node:stream";
import type { InstallCode, LoginCode } from "@pi-netboot/api";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import type { Clock } from "../base/index.ts";
import { parseRange } from "../writes/index.ts";
import type { AgentPlaces } from "./agent-places.ts";
import { requestOf } from "./agent-routes.ts";
import { Attempts } from "./attempts.ts";
import { ApiError } from "./errors.ts";
import { LoginCodes } from "./login-codes.ts";
import type { AgentService, BootstrapService, ImageBytes } from "./services.ts";

const DOWNLOAD = "/api/images/download/";

/** What lets a Pi in that was booted by other means. */
const Introduction = z.strictObject({ code: z.string().min(1).max(100) });

/** One-time codes for one thing each: with none of them can one log in. */
export class BootstrapCodes {
	readonly #codes: LoginCodes;
	readonly #attempts: Attempts;

	constructor(clock: Clock) {
		this.#codes = new LoginCodes(clock);
		this.#attempts = new Attempts(clock);
	}

	/** @param purpose `install`, or `download NAME`. */
	create(purpose: string): LoginCode {
		return this.#codes.create(purpose);
	}

	/** Uses a code up. @throws ApiError code-refused, too-many-attempts. */
	redeem(code: string, purpose: string, address: string): void {
		// The right one is looked at in any case, as with logins.
		if (this.#codes.redeem(code, purpose)) return;
		if (this.#attempts.exhausted(address)) {
			throw new ApiError("too-many-attempts", "Too many wrong codes came from this address.", {
				hint: "Wait a minute.",
			});
		}
		this.#attempts.failed(address);
		throw new ApiError(
			"code-refused",
			"This one-time code is unknown, was used already, or is older than 15 minutes.",
			{
				hint: "`pi-netboot devices install` and `pi-netboot images link NAME` on the server make another one.",
			},
		);
	}
}

export interface BootstrapParts {
	readonly bootstrap: BootstrapService;
	readonly agents: Pick<AgentService, "admit">;
	readonly places: AgentPlaces;
	readonly codes: BootstrapCodes;
	/** @throws ApiError for who has neither the token nor a session. */
	readonly authorise: (request: FastifyRequest) => void;
	/** An agent got its config.json. */
	readonly introduced: (address: string) => Promise<void>;
}

type ByName = FastifyRequest<{ Params: { name: string }; Querystring: { code?: unknown } }>;

export function addBootstrap(server: FastifyInstance, parts: BootstrapParts): void {
	const { bootstrap, codes } = parts;
	server.get("/api/bootstrap/install-script", (request, reply) => {
		const script = bootstrap.installScript(serverFor(request, bootstrap));
		return reply.header("cache-control", "no-store").type("text/x-shellscript; charset=utf-8").send(script);
	});
	server.post("/api/bootstrap/agent", async (request, reply) => {
		const { code } = read(request.body);
		codes.redeem(code, "install", request.ip);
		const config = await bootstrap.introduce(request.ip, serverFor(request, bootstrap));
		await parts.introduced(request.ip);
		return reply.header("cache-control", "no-store").send(config);
	});
	server.route({
		method: ["GET", "HEAD"],
		url: `${DOWNLOAD}:name`,
		handler: async (request: ByName, reply) => {
			await letIn(request, reply, parts);
			const file = await bootstrap.image(request.params.name);
			if (file === undefined) {
				throw new ApiError("image-not-found", "There is no image of this name, or it is no single file.");
			}
			return send(request, reply, file);
		},
	});
}

/**
 * Where an agent is to ask. One signs what it says, and speaks http alone: who came by an https proxy gets the server's own
 * address. Otherwise the one that was asked by, which the guard in front has seen to be ours, of letters that mean nothing to a shell.
 */
function serverFor({ protocol, headers }: FastifyRequest, { url }: BootstrapService): string {
	return protocol === "https" ? url : `http://${headers.host}`;
}

/** The link to an image, for who has no token. */
export function downloadPath(name: string, { code }: LoginCode): string {
	return `${DOWNLOAD}${encodeURIComponent(name)}?code=${code}`;
}

/** What a person runs on the Pi. @param server `http://HOST:PORT`. */
export function installCode(server: string, { code, expiresAt }: LoginCode): InstallCode {
	const command = `curl -fsS ${server}/api/bootstrap/install-script | sudo sh -s -- ${code}`;
	return { code, expiresAt, command };
}

async function letIn(request: ByName, reply: FastifyReply, parts: BootstrapParts): Promise<void> {
	const { agents, places, codes, authorise } = parts;
	const { code } = request.query;
	if (request.headers["x-netboot-agent"] !== undefined) {
		const admission = await agents.admit(requestOf(request));
		if (!admission.isAdmitted) throw new ApiError(admission.code, "This is not signed by an agent of this server.");
		// What it takes is the open file and what is on its way, until all is sent.
		places.enter(admission.caller.device.key, reply.raw)();
	} else if (typeof code === "string") {
		codes.redeem(code, `download ${request.params.name}`, request.ip);
	} else authorise(request);
}

function read(body: unknown): z.infer<typeof Introduction> {
	const checked = Introduction.safeParse(body);
	if (checked.success) return checked.data;
	throw new ApiError("invalid-request", 'Expected {"code": "..."}.');
}

function send(request: FastifyRequest, reply: FastifyReply, file: ImageBytes): FastifyReply {
	const { range: wanted, "if-range": ifRange, "if-none-match": known } = request.headers;
	const { etag, size } = file;
	reply.headers({ etag, "accept-ranges": "bytes", "cache-control": "no-cache" });
	if (known === etag) return withoutBody(reply, file, 304);
	const range = ifRange === undefined || ifRange === etag ? parseRange(wanted, size) : "all";
	if (range === "unsatisfiable") return withoutBody(reply.header("content-range", `bytes */${size}`), file, 416);
	const { start, end } = range === "all" ? { start: 0, end: size } : range;
	if (range !== "all") reply.code(206).header("content-range", `bytes ${start}-${end - 1}/${size}`);
	// RFC 8187 section 3.2.1 lets fewer signs through than an address does.
	const name = encodeURIComponent(file.name).replaceAll(/['()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16)}`);
	reply.type("application/octet-stream").headers({
		"content-length": end - start,
		"content-disposition": `attachment; filename*=UTF-8''${name}`,
	});
	if (request.method === "HEAD" || start === end) {
		file.close();
		return reply.send(request.method === "HEAD" ? undefined : Readable.from([]));
	}
	return reply.send(file.read(start, end));
}

function withoutBody(reply: FastifyReply, file: ImageBytes, status: number): FastifyReply {
	file.close();
	return reply.code(status).send();
}
