/** Asks the server, typed by the API's own table of routes. */

import routes from "virtual:api-routes";
import type { OperationId, Output, Routes } from "@pi-netboot/api";
import type { z } from "zod";
import { Away, refusal } from "./failures.ts";

type Sent<R, K extends string> = R extends { readonly [P in K]: infer S extends z.ZodType }
	? { readonly [P in K]: z.input<S> }
	: { readonly [P in K]?: undefined };

/** What a question brings. */
type Question<K extends OperationId> = Sent<Routes[K], "params"> &
	Partial<Sent<Routes[K], "query">> &
	Sent<Routes[K], "body">;

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
	const { ok, status, text } = await send(fill(path, params) + queryText(query), init);
	if (!ok) throw refusal(status, text);
	return (status === 204 ? undefined : JSON.parse(text)) as Output<K>;
}

type Words = Readonly<Record<string, string | number | undefined>>;

/** The address of an operation, for what the browser fetches by itself. */
export function addressOf(operation: OperationId): string {
	return routes[operation][1];
}

interface Answer extends Pick<Response, "ok" | "status"> {
	readonly text: string;
}

/** A server that goes away in the midst of its answer has not answered. */
async function send(address: string, init: RequestInit): Promise<Answer> {
	try {
		const response = await fetch(address, init);
		return { ok: response.ok, status: response.status, text: await response.text() };
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
