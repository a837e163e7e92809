import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { harness } from "./testing/harness.ts";

describe("the page", () => {
	it("asks a stranger to log in", async () => {
		const { http } = harness();
		const response = await http.fastify.inject({ url: "/" });
		assert.equal(response.statusCode, 200);
		assert.match(response.body, /pi-netboot login/);
	});

	it("lets nothing run that is not its own", async () => {
		const { http } = harness({ auth: "off" });
		for (const url of ["/", "/app.js", "/api/v1/devices", "/none"]) {
			const policy = String((await http.fastify.inject({ url })).headers["content-security-policy"]);
			assert.match(policy, /default-src 'none'/);
			assert.ok(!policy.includes("unsafe") && !policy.includes("http:"), url);
		}
	});

	it("holds no inline script or style, which its policy would block", () => {
		for (const name of ["index.html", "login.html"]) {
			const html = readFileSync(new URL(`./page/${name}`, import.meta.url), "utf8");
			assert.doesNotMatch(html, /<style|style=|\son\w+=|<script(?![^>]*\ssrc=)/);
			for (const [, url] of html.matchAll(/(?:src|href)="([^"]+)"/g)) assert.match(url ?? "", /^\/[a-z.]+$/);
		}
	});

	it("never puts what the server says in as markup", () => {
		const script = readFileSync(new URL("./page/app.js", import.meta.url), "utf8");
		assert.doesNotMatch(script, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(/);
	});

	it("is not sent again while it is the same", async () => {
		const { http } = harness();
		const { headers, body } = await http.fastify.inject({ url: "/app.css" });
		assert.match(String(headers["content-type"]), /^text\/css/);
		assert.ok(body.length > 100);
		const again = await http.fastify.inject({ url: "/app.css", headers: { "if-none-match": String(headers.etag) } });
		assert.deepEqual([again.statusCode, again.body], [304, ""]);
	});
});
