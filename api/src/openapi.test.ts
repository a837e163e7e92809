import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { openApiText } from "../scripts/openapi-text.ts";
import { allRoutes, errorCodes, openApiDocument } from "./index.ts";

const document = JSON.stringify(openApiDocument("0.0.0"));

describe("the API description", () => {
	it("is committed as the route table says (npm run openapi)", () => {
		assert.equal(readFileSync(new URL("../openapi.json", import.meta.url), "utf8"), openApiText());
	});

	it("describes every route", () => {
		const { paths } = JSON.parse(document);
		for (const [id, route] of allRoutes()) {
			const path = route.path.replaceAll(/:(\w+)/g, "{$1}");
			assert.equal(paths[path][route.method.toLowerCase()].operationId, id);
		}
	});

	it("explains every error code", () => {
		for (const code of errorCodes) assert.ok(document.includes(`- \`${code}\`: `), code);
	});

	it("refers only to schemas that it holds", () => {
		const { schemas } = JSON.parse(document).components;
		const references = [...document.matchAll(/"\$ref":"([^"]+)"/g)].map((match) => match[1] ?? "");
		assert.ok(references.length > 20);
		for (const reference of references) {
			const name = reference.replace("#/components/schemas/", "");
			assert.ok(Object.hasOwn(schemas, name), reference);
		}
	});

	it("names every parameter of a path", () => {
		const { paths } = JSON.parse(document);
		for (const [path, methods] of Object.entries<Record<string, { parameters: { in: string; name: string }[] }>>(
			paths,
		)) {
			const named = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
			for (const operation of Object.values(methods)) {
				const described = operation.parameters.filter((parameter) => parameter.in === "path");
				assert.deepEqual(
					described.map((parameter) => parameter.name),
					named,
				);
			}
		}
	});
});
