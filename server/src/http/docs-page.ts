/** The API's description as a page that one can read: made once out of the same document, without a script. */
import { readFileSync } from "node:fs";
import { openApiDocument } from "@pi-netboot/api";
import type { FastifyInstance } from "fastify";

type Json = ReturnType<typeof openApiDocument>[string];
type JsonObject = { [key: string]: Json };

/** Adds `/api/openapi.json`, `/api/docs` and its style. They say nothing of this installation but the version. */
export function addDocs(server: FastifyInstance, version: string): void {
	const document = openApiDocument(version);
	const html = docsHtml(document);
	const css = readFileSync(new URL("./page/docs.css", import.meta.url));
	server.get("/api/openapi.json", { exposeHeadRoute: true }, (_request, reply) =>
		reply.header("cache-control", "no-cache").send(document),
	);
	server.get("/api/docs", { exposeHeadRoute: true }, (_request, reply) =>
		reply.header("cache-control", "no-cache").type("text/html; charset=utf-8").send(html),
	);
	server.get("/api/docs.css", { exposeHeadRoute: true }, (_request, reply) =>
		reply.header("cache-control", "no-cache").type("text/css; charset=utf-8").send(css),
	);
}

/** @param document as `openApiDocument` makes it. */
export function docsHtml(document: JsonObject): string {
	const info = objectOf(document.info);
	const operations = Object.entries(objectOf(document.paths)).flatMap(([path, methods]) =>
		Object.entries(objectOf(methods)).map(([method, operation]) => ({ path, method, operation: objectOf(operation) })),
	);
	const schemas = Object.entries(objectOf(objectOf(document.components).schemas));
	const title = `${text(info.title)} ${text(info.version)}`;
	return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}: API</title>
<link rel="stylesheet" href="/api/docs.css">
</head>
<body>
<header><h1>${title}</h1><p>${prose(info.description)}</p><p><a href="/api/openapi.json">openapi.json</a></p></header>
<nav aria-label="Operations"><ul>${operations.map(linkOf).join("")}</ul></nav>
<main>
${operations.map(operationHtml).join("\n")}
<h2 id="schemas">Schemas</h2>
${schemas.map(([name, schema]) => `<section id="schema-${text(name)}"><h3>${text(name)}</h3>${schemaHtml(schema)}</section>`).join("\n")}
</main>
</body>
</html>
`;
}

interface Operation {
	readonly path: string;
	readonly method: string;
	readonly operation: JsonObject;
}

function linkOf({ path, method, operation }: Operation): string {
	const name = `<b>${method.toUpperCase()}</b> ${text(path)}`;
	return `<li><a href="#${text(operation.operationId)}">${name}</a></li>`;
}

function operationHtml({ path, method, operation }: Operation): string {
	const { operationId, summary, parameters, requestBody, responses, security } = operation;
	const isOpen = Array.isArray(security) && security.length === 0;
	return `<section id="${text(operationId)}" class="operation">
<h2><span class="method ${method}">${method.toUpperCase()}</span> <code>${text(path)}</code></h2>
<p>${prose(summary)}.${isOpen ? " Answers everybody." : ""}</p>
${parametersHtml(Array.isArray(parameters) ? parameters.map(objectOf) : [])}
${requestBody === undefined ? "" : `<h3>Body</h3>${contentHtml(requestBody)}`}
${Object.entries(objectOf(responses)).map(answerHtml).join("\n")}
</section>`;
}

function parametersHtml(parameters: readonly JsonObject[]): string {
	if (parameters.length === 0) return "";
	const rows = parameters.map(
		({ name, in: place, required, description, schema }) =>
			`<tr><td><code>${text(name)}</code></td><td>${text(place)}${required === true ? ", required" : ""}</td>` +
			`<td><code>${text(shape(schema))}</code></td><td>${prose(description)}</td></tr>`,
	);
	return `<h3>Parameters</h3><div class="wide"><table><thead><tr><th>Name</th><th>Where</th><th>What</th><th>Meaning</th></tr></thead>
<tbody>${rows.join("")}</tbody></table></div>`;
}

function answerHtml([status, answer]: [string, Json]): string {
	const { description } = objectOf(answer);
	const isFailure = Number(status) >= 400;
	return `<h3 class="${isFailure ? "failure" : "success"}">${text(status)}</h3><p>${prose(description)}</p>${isFailure ? "" : contentHtml(answer)}`;
}

function contentHtml(holder: Json): string {
	return Object.entries(objectOf(objectOf(holder).content))
		.map(([type, media]) => `<p><code>${text(type)}</code></p>${schemaHtml(objectOf(media).schema)}`)
		.join("");
}

/** The fields of an object, or in one line what else it is. */
function schemaHtml(schema: Json): string {
	const { properties, required, description } = objectOf(schema);
	const needed = Array.isArray(required) ? required : [];
	const about = description === undefined ? "" : `<p>${prose(description)}</p>`;
	if (properties === undefined) return `${about}<p>${shapeHtml(schema)}</p>`;
	const rows = Object.entries(objectOf(properties)).map(
		([name, field]) =>
			`<tr><td><code>${text(name)}${needed.includes(name) ? "" : "?"}</code></td><td>${shapeHtml(field)}</td>` +
			`<td>${prose(objectOf(field).description)}</td></tr>`,
	);
	return `${about}<div class="wide"><table><tbody>${rows.join("")}</tbody></table></div>`;
}

/** With links to the schemas that have a name. */
function shapeHtml(schema: Json): string {
	const named = text(shape(schema)).replaceAll(/#(\w+)/g, '<a href="#schema-$1">$1</a>');
	return `<code>${named}</code>`;
}

/** `string[]`, `"on" | "off"`, `#Device`. */
function shape(schema: Json): string {
	const { $ref, type, items, enum: values, const: value, anyOf, oneOf, properties } = objectOf(schema);
	if (typeof $ref === "string") return `#${$ref.split("/").at(-1)}`;
	if (value !== undefined) return JSON.stringify(value);
	if (Array.isArray(values)) return values.map((one) => JSON.stringify(one)).join(" | ");
	const choice = anyOf ?? oneOf;
	if (Array.isArray(choice)) return [...new Set(choice.map(shape))].join(" | ");
	if (type === "array") return `(${shape(items)})[]`.replace(/^\((#?\w+)\)/, "$1");
	if (properties !== undefined) {
		const fields = Object.entries(objectOf(properties)).map(([name, field]) => `${name}: ${shape(field)}`);
		return `{ ${fields.join("; ")} }`;
	}
	return typeof type === "string" ? type : "any";
}

function objectOf(value: Json): JsonObject {
	return typeof value === "object" && value !== null && !Array.isArray(value) ? value : {};
}

const escapes: Readonly<Record<string, string>> = {
	"&": "&amp;",
	"<": "&lt;",
	">": "&gt;",
	'"': "&quot;",
	"'": "&#39;",
};

function text(value: Json): string {
	return String(value ?? "").replaceAll(/[&<>"']/g, (sign) => escapes[sign] ?? "");
}

/** The words between backquotes are code; lines stay lines. */
function prose(value: Json): string {
	return text(value)
		.replaceAll(/`([^`]+)`/g, "<code>$1</code>")
		.replaceAll("\n", "<br>");
}
