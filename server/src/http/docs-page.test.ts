import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { allRoutes, errorsOf, openApiDocument } from "@pi-netboot/api";
import { docsHtml } from "./docs-page.ts";
import { harness } from "./testing/harness.ts";

const html = docsHtml(openApiDocument("0.1.0"));

describe("the page of the API", () => {
	it("has every operation with its address, and every code of failure that one can answer with", () => {
		for (const [id, { path }] of allRoutes()) {
			assert.ok(html.includes(`<section id="${id}"`), id);
			assert.ok(html.includes(`<code>${path.replaceAll(/:(\w+)/g, "{$1}")}</code>`), path);
		}
		for (const code of allRoutes().flatMap(([, route]) => errorsOf(route)))
			assert.ok(html.includes(`<code>${code}</code>`), code);
	});

	it("has no script, nothing inline, nothing from elsewhere", () => {
		assert.doesNotMatch(html, /<script|<style|style=|\son\w+=|src=/);
		for (const [, url] of html.matchAll(/href="([^"]+)"/g)) assert.match(url ?? "", /^(#[\w-]+|\/api\/[a-z.]+)$/);
	});

	it("leads with each of its links to something", () => {
		const places = new Set([...html.matchAll(/id="([^"]+)"/g)].map((match) => match[1]));
		for (const [, place] of html.matchAll(/href="#([^"]+)"/g)) assert.ok(places.has(place ?? ""), String(place));
	});

	it("shows markup in a description as text", () => {
		const hostile = docsHtml({ info: { title: "<script>alert(1)</script>", description: "a <b> & `c<d`" } });
		assert.doesNotMatch(hostile, /<script|<b> &/);
		assert.match(hostile, /<code>c&lt;d<\/code>/);
	});

	it("is served with its style", async () => {
		const { http } = harness();
		for (const [url, type] of [
			["/api/docs", "text/html"],
			["/api/docs.css", "text/css"],
			["/api/openapi.json", "application/json"],
		] as const) {
			const { statusCode, headers } = await http.fastify.inject({ url });
			assert.deepEqual([statusCode, String(headers["content-type"]).split(";")[0]], [200, type]);
		}
	});
});
