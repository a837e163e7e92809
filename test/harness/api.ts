/** The API of a server, asked with `curl` as a program on another computer asks it. */
import { ErrorBody, type ErrorCode } from "@pi-netboot/api";
import { must } from "./command.ts";

interface Answer {
	readonly status: number;
	readonly text: string;
}

/** What a server says when it does not do what it was asked for. */
export class Refusal extends Error {
	readonly status: number;
	readonly code: ErrorCode;
	/** The server's sentence. */
	readonly sentence: string;

	/** @param asked method and path. */
	constructor(asked: string, status: number, { error }: ErrorBody) {
		super(`${asked}: ${status} ${error.code}: ${error.message} ${error.hint ?? ""}`);
		this.name = "Refusal";
		this.status = status;
		this.code = error.code;
		this.sentence = error.message;
	}
}

export class Api {
	readonly #curl: readonly string[];
	readonly #site: string;

	/** @param on makes of a command one that runs on a host. @param site scheme, host and port. */
	constructor(on: (command: readonly string[]) => string[], site: string, token: string) {
		this.#curl = on(["curl", "-sS", "-m", "20", "-w", "\n%{http_code}", "-H", `authorization: Bearer ${token}`]);
		this.#site = site;
	}

	/** Asks for what the server must not refuse, and gives the JSON of its answer. @throws Refusal */
	async ask<T>(method: string, path: string, body?: unknown): Promise<T> {
		const { status, text } = await this.#answer(method, path, body);
		if (status >= 400) throw refusalOf(`${method} ${path}`, status, text);
		return (text === "" ? undefined : JSON.parse(text)) as T;
	}

	/** Asks for what the server must refuse. @throws Error with its answer when it does it. */
	async refusal(method: string, path: string, body?: unknown): Promise<Refusal> {
		const { status, text } = await this.#answer(method, path, body);
		if (status < 400) throw new Error(`${method} ${path} was not refused: ${status} ${text}`);
		return refusalOf(`${method} ${path}`, status, text);
	}

	/** What is there; undefined when there is no such thing, or none yet. @throws Refusal for another reason. */
	async find<T>(path: string): Promise<T | undefined> {
		const { status, text } = await this.#answer("GET", path);
		if (status === 404) return undefined;
		if (status >= 400) throw refusalOf(`GET ${path}`, status, text);
		return JSON.parse(text) as T;
	}

	async #answer(method: string, path: string, body?: unknown): Promise<Answer> {
		const data = body === undefined ? [] : ["-H", "content-type: application/json", "-d", JSON.stringify(body)];
		const output = await must([...this.#curl, "-X", method, ...data, this.#site + path]);
		const end = output.lastIndexOf("\n");
		return { status: Number(output.slice(end + 1)), text: output.slice(0, end) };
	}
}

/** An answer that is not ours fails, too, with what it is. */
function refusalOf(asked: string, status: number, text: string): Refusal {
	try {
		return new Refusal(asked, status, ErrorBody.parse(JSON.parse(text)));
	} catch (cause) {
		throw new Error(`${asked}: ${status} ${text}`, { cause });
	}
}
