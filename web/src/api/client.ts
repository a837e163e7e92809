/** Asks the server, typed by the API's own table of routes. */

import routes from "virtual:api-routes";
import type { ErrorBody, ErrorCode, OperationId, Output, Routes } from "@pi-netboot/api";
import type { z } from "zod";

type Sent<R, K extends string> = R extends { readonly [P in K]: infer S extends z.ZodType }
	? { readonly [P in K]: z.input<S> }
	: { readonly [P in K]?: undefined };

/** What a question brings. */
type Question<K extends OperationId> = Sent<Routes[K], "params"> &
	Partial<Sent<Routes[K], "query">> &
	Sent<Routes[K], "body">;

/** What the server refused, in its own words. */
export class Refusal extends Error {
	override readonly name = "Refusal";
	readonly status: number;
	readonly code: ErrorCode | "unknown";
	readonly hint: string | undefined;

	constructor(
		status: number,
		{ code, message, hint }: { code: ErrorCode | "unknown"; message: string; hint?: string | undefined },
	) {
		super(message);
		this.status = status;
		this.code = code;
		this.hint = hint;
	}
}

/** The server did not answer at all. */
export class Away extends Error {
	override readonly name = "Away";
}

/** @throws Refusal with the server's words, Away when it does not answer. */
export async function ask<K extends OperationId>(
	operation: K,
	question: Question<K>,
	signal?: AbortSignal,
): Promise<Output<K>> {
	const [method, path] = routes[operation];
	const { params, query, body } = question as { params?: Words; query?: Words; body?: unknown };
	const init: RequestInit = { method, ...(signal && { signal }) };
	if (body !== undefined) {
		init.headers = { "content-type": "application/json" };
		init.body = JSON.stringify(body);
	}
	const response = await send(fill(path, params) + queryText(query), init);
	if (!response.ok) throw await refusalOf(response);
	return (response.status === 204 ? undefined : await response.json()) as Output<K>;
}

type Words = Readonly<Record<string, string | number | undefined>>;

/** The address of an operation, for what the browser fetches by itself. */
export function addressOf(operation: OperationId): string {
	return routes[operation][1];
}

async function send(address: string, init: RequestInit): Promise<Response> {
	try {
		return await fetch(address, init);
	} catch (error) {
		if (init.signal?.aborted && !isTimeout(error)) throw error;
		throw new Away("The server does not answer.", { cause: error });
	}
}

function isTimeout(error: unknown): boolean {
	return error instanceof DOMException && error.name === "TimeoutError";
}

function fill(path: string, params: Words = {}): string {
	return path.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(String(params[name] ?? "")));
}

function queryText(query: Words = {}): string {
	const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
	return given.length === 0 ? "" : `?${new URLSearchParams(given.map(([key, value]) => [key, String(value)]))}`;
}

async function refusalOf(response: Response): Promise<Refusal> {
	const text = await response.text();
	return refusal(response.status, text);
}

/** What an answer's body says. @param text not always ours: a proxy in between has pages of its own. */
export function refusal(status: number, text: string): Refusal {
	const told = readError(text);
	return new Refusal(status, told ?? { code: "unknown", message: `The server answered with status ${status}.` });
}

function readError(text: string): ErrorBody["error"] | undefined {
	try {
		const body: unknown = JSON.parse(text);
		const isOurs = typeof body === "object" && body !== null && "error" in body;
		return isOurs ? (body as ErrorBody).error : undefined;
	} catch {
		return undefined;
	}
}
