/**
 * The server as an agent sees it, with the real packs and signatures behind it and faults in front: for tests of the agent.
 * It gives out one piece of work at a time and keeps what it is told.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { zstdDecompressSync } from "node:zlib";
import { AgentEvent, AgentHello, AgentNext, type AgentWork } from "@pi-netboot/api";
import {
	type PackFile,
	type PackShelf,
	parseRange,
	RequestChecker,
	signAnswer,
} from "../../server/src/writes/index.ts";

export const SECRET = "the secret of this boot";

const PREFIX = "/api/v1/agent";

interface Reply {
	readonly status: number;
	readonly body: Buffer;
	readonly headers?: Readonly<Record<string, string>>;
}

const json = (status: number, body: unknown): Reply => ({ status, body: Buffer.from(JSON.stringify(body)) });

const refuse = (status: number, code: string, more: object = {}): Reply =>
	json(status, { error: { code, message: `Refused: ${code}.`, ...more } });

export class AgentServer {
	readonly #shelf: PackShelf;
	readonly #checker: RequestChecker;
	readonly #clockOffset: number;
	#server: Server | undefined;
	#port = 0;
	/** Given out to `next` until it is replaced. */
	work: AgentWork | null = null;
	readonly hellos: AgentHello[] = [];
	readonly events: AgentEvent[] = [];
	/** The newest bitmap of durable chunks. */
	durable: string | null = null;
	cancel = false;
	/** Requests of chunks; those of the pack by their first byte. */
	readonly fetched: number[] = [];
	rawFetched = 0;
	wireBytes = 0;
	/** Looks at a chunk before it is sent; may change it, or be slow. */
	spoil: (bytes: Buffer, start: number) => Buffer | Promise<Buffer> = (bytes) => bytes;
	/** Plain files below /files/. */
	readonly files = new Map<string, (response: ServerResponse) => void>();

	/** @param clockOffset milliseconds that its clock is ahead of the agent's. */
	constructor(shelf: PackShelf, clockOffset = 0, secret = SECRET) {
		this.#shelf = shelf;
		this.#clockOffset = clockOffset;
		this.#checker = new RequestChecker(secret, () => this.#now());
		this.#secret = secret;
	}

	readonly #secret: string;

	#now(): number {
		return Date.now() + this.#clockOffset;
	}

	get url(): string {
		return `http://127.0.0.1:${this.#port}`;
	}

	/** Starts, a second time on the same port. */
	async start(): Promise<void> {
		const server = createServer((request, response) => {
			this.#answer(request, response).catch((error: unknown) =>
				response.destroy(error instanceof Error ? error : undefined),
			);
		});
		await new Promise<void>((resolve) => server.listen(this.#port, "127.0.0.1", resolve));
		this.#port = (server.address() as AddressInfo).port;
		this.#server = server;
	}

	async stop(): Promise<void> {
		const server = this.#server;
		if (server === undefined) return;
		this.#server = undefined;
		server.closeAllConnections();
		await new Promise((resolve) => server.close(resolve));
	}

	/** The last event's stage once the job is over. */
	outcome(job: string): AgentEvent | undefined {
		const last = this.events.filter((event) => event.job === job).at(-1);
		return last !== undefined && ["complete", "failed", "cancelled"].includes(last.stage) ? last : undefined;
	}

	async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
		const path = request.url ?? "";
		if (path.startsWith("/files/")) {
			const file = this.files.get(path.slice(7));
			if (file === undefined) response.writeHead(404).end();
			else file(response);
			return;
		}
		const body = await buffer(request);
		const nonce = String(request.headers["x-netboot-nonce"]);
		const reply = this.#refusal(request, path, body, nonce) ?? (await this.#route(request, path, body));
		const signature = signAnswer(this.#secret, nonce, reply.status, reply.body);
		response.writeHead(reply.status, {
			...reply.headers,
			"x-netboot-signature": signature,
			"content-length": reply.body.length,
		});
		response.end(reply.body);
	}

	#refusal(request: IncomingMessage, path: string, body: Buffer, nonce: string): Reply | undefined {
		const time = String(request.headers["x-netboot-time"]);
		const parts = { method: request.method ?? "", path, body, time, nonce };
		const refusal = this.#checker.check(parts, String(request.headers["x-netboot-signature"]));
		if (refusal === undefined) return undefined;
		return refuse(401, `agent-${refusal}`, refusal === "clock" ? { time: this.#now() } : {});
	}

	async #route(request: IncomingMessage, path: string, body: Buffer): Promise<Reply> {
		const [verb, name = "", number = ""] = path.slice(PREFIX.length + 1).split("/");
		if (verb === "hello") {
			this.hellos.push(AgentHello.parse(JSON.parse(body.toString())));
			return json(200, {});
		}
		if (verb === "next") return this.#next(AgentNext.parse(JSON.parse(body.toString())));
		if (verb === "events") return this.#event(AgentEvent.parse(JSON.parse(body.toString())));
		if (verb === "map") return this.#whole(await this.#shelf.map(name));
		if (verb === "pack") return this.#range(await this.#shelf.pack(name), request.headers.range);
		if (verb === "raw") return this.#raw(name, Number(number));
		return refuse(404, "not-found");
	}

	async #next(_: AgentNext): Promise<Reply> {
		const work = this.work;
		this.work = null;
		if (work === null) await new Promise((resolve) => setTimeout(resolve, 100));
		return json(200, { work });
	}

	#event(event: AgentEvent): Reply {
		this.events.push(event);
		if (event.durable !== null) this.durable = event.durable;
		return json(200, { cancel: this.cancel });
	}

	async #whole(file: PackFile | undefined): Promise<Reply> {
		if (file === undefined) return refuse(404, "not-found");
		return { status: 200, body: await buffer(file.read(0, file.size)) };
	}

	async #range(file: PackFile | undefined, header: string | undefined): Promise<Reply> {
		const range = file === undefined ? undefined : parseRange(header, file.size);
		if (file === undefined || typeof range !== "object") return refuse(404, "not-found");
		this.fetched.push(range.start);
		const body = await this.spoil(await buffer(file.read(range.start, range.end)), range.start);
		this.wireBytes += body.length;
		return { status: 206, body, headers: { "content-range": `bytes ${range.start}-${range.end - 1}/${file.size}` } };
	}

	async #raw(name: string, number: number): Promise<Reply> {
		const map = await this.#shelf.map(name);
		if (map === undefined) return refuse(404, "not-found");
		const { chunks, pack } = JSON.parse((await buffer(map.read(0, map.size))).toString());
		const [, at, length, codec] = chunks.find(([n]: [number]) => n === number);
		const file = await this.#shelf.pack(pack.sha256);
		if (file === undefined) return refuse(404, "not-found");
		this.rawFetched++;
		const bytes = await buffer(file.read(at, at + length));
		return { status: 200, body: codec === 1 ? zstdDecompressSync(bytes) : bytes };
	}
}
