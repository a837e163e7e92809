/** The API description (OpenAPI 3.1, whose schemas are JSON Schema 2020-12) out of the route table. */
import { z } from "zod";
import { ErrorBody, type ErrorCode, errorKinds } from "./errors.ts";
import { errorsOfPlain, type PlainRoute, plainRoutes } from "./plain-routes.ts";
import type { Route } from "./route.ts";
import { allRoutes, errorsOf, type OperationId } from "./routes.ts";

type Json = string | number | boolean | null | undefined | Json[] | { [key: string]: Json };
type JsonObject = { [key: string]: Json };

const schemaPrefix = "#/components/schemas/";

/** Schemas that have a name of their own (`meta({ id })`) are collected here and referred to. */
class Components {
	readonly schemas: JsonObject = {};

	/** @param io whether what the client sends or what it receives is described. */
	refer(schema: z.ZodType, io: "input" | "output"): JsonObject {
		const {
			$defs,
			$schema: _,
			id,
			...own
		} = plain(z.toJSONSchema(schema, { target: "draft-2020-12", io, unrepresentable: "throw" }));
		for (const [name, definition] of Object.entries(asObject($defs))) this.#add(name, definition);
		if (typeof id !== "string") return relocate(own);
		this.#add(id, own);
		return { $ref: schemaPrefix + id };
	}

	#add(name: string, definition: Json): void {
		const { id: _, ...own } = asObject(definition);
		this.schemas[name] = relocate(own);
	}
}

/** zod's own class instances as plain JSON. */
function plain(value: unknown): JsonObject {
	return JSON.parse(JSON.stringify(value));
}

function asObject(value: Json): JsonObject {
	return typeof value === "object" && value !== null && !Array.isArray(value) ? value : {};
}

/** zod refers to `#/$defs/X`; in the document the definitions lie elsewhere. */
function relocate(schema: JsonObject): JsonObject {
	return JSON.parse(JSON.stringify(schema).replaceAll('"#/$defs/', `"${schemaPrefix}`));
}

function parameters(components: Components, place: "path" | "query", schema: z.ZodObject | undefined): JsonObject[] {
	if (schema === undefined) return [];
	const { properties, required } = components.refer(schema, "input");
	const needed = Array.isArray(required) ? required : [];
	return Object.entries(asObject(properties)).map(([name, property]) => {
		const { description, ...own } = asObject(property);
		return { name, in: place, required: needed.includes(name), description, schema: own };
	});
}

function content(mediaType: string, schema: JsonObject): JsonObject {
	return { [mediaType]: { schema } };
}

function success(components: Components, route: Route): JsonObject {
	if (route.response === undefined) return { "204": { description: "Done." } };
	const schema = components.refer(route.response, "output");
	return {
		[String(route.status ?? 200)]: {
			description: route.summary,
			content: content(route.mediaType ?? "application/json", schema),
		},
	};
}

/** One entry per status; its description lists the codes that travel with it. */
function failures(all: readonly ErrorCode[], body: JsonObject): JsonObject {
	const byStatus = new Map<number, ErrorCode[]>();
	for (const code of all) {
		const { status } = errorKinds[code];
		byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
	}
	const sorted = [...byStatus].sort(([a], [b]) => a - b);
	return Object.fromEntries(sorted.map(([status, codes]) => [String(status), failure(codes, body)]));
}

function failure(codes: ErrorCode[], body: JsonObject): JsonObject {
	const description = codes.map((code) => `\`${code}\`: ${errorKinds[code].description}`).join("\n");
	return { description, content: content("application/json", body) };
}

function operation(components: Components, operationId: OperationId, route: Route, error: JsonObject): JsonObject {
	const described: JsonObject = {
		operationId,
		summary: route.summary,
		security: route.auth === "open" ? [] : [{ token: [] }, { session: [] }],
		parameters: [...parameters(components, "path", route.params), ...parameters(components, "query", route.query)],
		responses: { ...success(components, route), ...failures(errorsOf(route), error) },
	};
	if (route.body !== undefined) {
		described.requestBody = {
			required: true,
			content: content("application/json", components.refer(route.body, "input")),
		};
	}
	return described;
}

/** Of a route that does not speak JSON. */
function plainOperation(route: PlainRoute, error: JsonObject): JsonObject {
	const { operationId, summary, auth, path, headers = {}, query = {}, body, success: done } = route;
	const [status, what, mediaType] = done;
	const text = { type: "string" };
	const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
		name: name ?? "",
		in: "path",
		required: true,
		schema: text,
	}));
	const inHeaders = Object.entries(headers).map(([name, description]) => ({
		name: name.replace("?", ""),
		in: "header",
		required: !name.endsWith("?"),
		description,
		schema: text,
	}));
	const inQuery = Object.entries(query).map(([name, description]) => ({
		name,
		in: "query",
		required: false,
		description,
		schema: text,
	}));
	return {
		operationId,
		summary,
		security: auth === "open" ? [] : [{ token: [] }, { session: [] }, ...(auth === "pi" ? [{}] : [])],
		parameters: [...inPath, ...inQuery, ...inHeaders],
		responses: {
			[String(status)]: { description: what, ...(mediaType !== undefined && { content: content(mediaType, {}) }) },
			...failures(errorsOfPlain(route), error),
		},
		...(body !== undefined && { requestBody: { required: true, content: content(body, {}) } }),
	};
}

/** The whole document. @param version of the server. */
export function openApiDocument(version: string): JsonObject {
	const components = new Components();
	const error = components.refer(ErrorBody.meta({ id: "Error" }), "output");
	const paths: Record<string, JsonObject> = {};
	for (const [id, route] of allRoutes()) {
		const path = route.path.replaceAll(/:(\w+)/g, "{$1}");
		paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(components, id, route, error) };
	}
	for (const route of plainRoutes) {
		paths[route.path] = { ...paths[route.path], [route.method]: plainOperation(route, error) };
	}
	return {
		openapi: "3.1.0",
		info: {
			title: "pi-netboot-server",
			version,
			description:
				"Network boot for Raspberry Pi. Every failure answers `{ error: { code, message, hint? } }`. Uploads of images speak tus 1.0.0, which https://tus.io describes. A browser that holds a session changes things from our own page alone. What agents ask at `/api/v1/agent/` is described in docs/agent-protocol.md.",
			license: { name: "Apache-2.0", identifier: "Apache-2.0" },
		},
		servers: [{ url: "/" }],
		paths,
		components: {
			schemas: Object.fromEntries(Object.entries(components.schemas).sort(([a], [b]) => (a < b ? -1 : 1))),
			securitySchemes: {
				token: { type: "http", scheme: "bearer", description: "The content of `DATA_DIR/token`." },
				session: {
					type: "apiKey",
					in: "cookie",
					name: "pi-netboot-38434",
					description: "Set by opening `/?code=CODE`; named after the port.",
				},
			},
		},
	};
}
