/** Asks a running server over its API. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ErrorBody, type Input, type OperationId, type Output, type Route, routes } from "@pi-netboot/api";
import type { z } from "zod";
import { errorText, systemCode } from "../base/index.ts";
import { CommandError, exitCodes } from "./command-error.ts";

export interface ClientOptions {
	/** Where the server is: `http://127.0.0.1:38434`. */
	readonly url: string;
	/** Missing where there is no token to be had; servers with `--auth off` need none. */
	readonly token: string | undefined;
}

/** What an operation is asked with. */
type Request<K extends OperationId> = Partial<Input<K>> & {
	/** Milliseconds; default 10,000: most answers come from memory. */
	readonly patience?: number;
};

/** @throws CommandError wrong usage, not reachable, or with what the server says. */
export async function call<K extends OperationId>(
	client: ClientOptions,
	operation: K,
	request: Request<K> = {},
): Promise<Output<K>> {
	const route: Route = routes[operation];
	check(route.params, request.params);
	check(route.query, request.query ?? {});
	check(route.body, request.body);
	const response = await send(client, route, request);
	await checkAnswer(client, response);
	if (route.response === undefined) return undefined as Output<K>;
	const body = await bodyOf(response);
	const checked = route.response.safeParse(body);
	if (!checked.success) throw notOurs(client);
	return checked.data as Output<K>;
}

/** @throws CommandError with what the server says when it refuses. */
export async function checkAnswer(client: ClientOptions, response: Response): Promise<void> {
	if (!response.ok) throw refusal(client, response.status, await bodyOf(response));
}

/** Says what is wrong where it was typed. */
function check(schema: z.ZodType | undefined, value: unknown): void {
	const issue = schema?.safeParse(value).error?.issues[0];
	if (issue === undefined) return;
	throw new CommandError(exitCodes.usage, `${issue.path.join(".")}: ${issue.message}`);
}

async function send(client: ClientOptions, route: Route, request: Request<OperationId>): Promise<Response> {
	const { method } = route;
	const headers = authorization(client);
	if (request.body !== undefined) headers["content-type"] = "application/json";
	const body = request.body === undefined ? {} : { body: JSON.stringify(request.body) };
	const target = new URL(pathOf(route, request.params), client.url);
	for (const [key, value] of Object.entries(request.query ?? {})) target.searchParams.set(key, String(value));
	return ask(client, target, { method, headers, ...body }, request.patience);
}

/** What shows that the server knows us. */
export function authorization({ token }: ClientOptions): Record<string, string> {
	return token === undefined ? {} : { authorization: `Bearer ${token}` };
}

/** @throws CommandError not reachable. */
export async function ask(
	{ url }: ClientOptions,
	target: URL,
	request: RequestInit,
	patience = 10_000,
): Promise<Response> {
	try {
		return await fetch(target, { ...request, signal: AbortSignal.timeout(patience) });
	} catch (error) {
		throw new CommandError(exitCodes.notReachable, `no server answers at ${url} (${reasonOf(error)})`, {
			hint: "Start it with `npm start`, or say where it is with --url.",
			cause: error,
		});
	}
}

function pathOf({ path }: Route, params: Readonly<Record<string, string>> = {}): string {
	return path.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(params[name] ?? ""));
}

/** `fetch failed` says nothing; its cause does. */
function reasonOf(error: unknown): string {
	const cause = error instanceof Error ? error.cause : undefined;
	return systemCode(cause) ?? errorText(cause ?? error);
}

async function bodyOf(response: Response): Promise<unknown> {
	const text = await response.text();
	try {
		return JSON.parse(text);
	} catch {
		return text;
	}
}

function refusal({ url, token }: ClientOptions, status: number, body: unknown): CommandError {
	const told = ErrorBody.safeParse(body);
	if (!told.success) return notOurs({ url, token });
	const { code, message, hint } = told.data.error;
	if (code === "unauthorized" && token === undefined) {
		return new CommandError(exitCodes.failed, "the server wants its token, and there is none in the data folder", {
			hint: "Run this where the server runs, with the same --data; or set PI_NETBOOT_TOKEN.",
		});
	}
	const text = `the server refuses (${status}): ${message}`;
	return new CommandError(exitCodes.failed, text, hint === undefined ? {} : { hint });
}

function notOurs({ url }: ClientOptions): CommandError {
	return new CommandError(exitCodes.failed, `what answers at ${url} is no pi-netboot of this version`);
}

/** The token that the server keeps in its data folder. @returns undefined when there is none. @throws CommandError */
export function readToken(dataDir: string): string | undefined {
	const path = join(dataDir, "token");
	try {
		return readFileSync(path, "utf8").trim();
	} catch (error) {
		if (systemCode(error) === "ENOENT") return undefined;
		throw new CommandError(exitCodes.failed, `${path} cannot be read: ${errorText(error)}`, {
			hint: "Only the user who runs the server may read the token.",
			cause: error,
		});
	}
}
