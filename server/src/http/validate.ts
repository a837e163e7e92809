/** What a request brought, checked against its route, before a handler sees it. */
import type { Route } from "@pi-netboot/api";
import type { z } from "zod";
import { ApiError } from "./errors.ts";

/** The raw parts of a request, as Fastify has them. */
export interface RawInput {
	readonly params: unknown;
	readonly query: unknown;
	readonly body: unknown;
}

/** @throws ApiError invalid-request that lists every value that is wrong. */
export function validate(route: Route, raw: RawInput): RawInput {
	const problems: string[] = [];
	// Passed over silently, it would look as if it had been heeded.
	if (route.query === undefined && !isEmpty(raw.query)) problems.push("query: this takes none");
	if (route.body === undefined && !isEmpty(raw.body)) problems.push("body: this takes none");
	const checked = {
		params: part("path", route.params, raw.params, problems),
		query: part("query", route.query, raw.query, problems),
		body: part("body", route.body, raw.body, problems),
	};
	if (problems.length > 0) throw new ApiError("invalid-request", problems.join("; "));
	return checked;
}

function isEmpty(value: unknown): boolean {
	return value === undefined || value === null || (typeof value === "object" && Object.keys(value).length === 0);
}

function part(place: string, schema: z.ZodType | undefined, value: unknown, problems: string[]): unknown {
	if (schema === undefined) return undefined;
	const result = schema.safeParse(value);
	if (result.success) return result.data;
	if (value === undefined) {
		problems.push(`${place}: is missing, expected JSON`);
		return undefined;
	}
	for (const issue of result.error.issues) problems.push(`${[place, ...issue.path].join(".")}: ${issue.message}`);
	return undefined;
}
