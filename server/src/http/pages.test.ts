import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { gunzipSync } from "node:zlib";
import { harness } from "./testing/harness.ts";

let page = "";

before(() => {
	page = mkdtempSync(join(tmpdir(), "page-"));
	mkdirSync(join(page, "assets"));
	writeFileSync(join(page, "index.html"), '<meta name="csp-nonce" content="%CSP_NONCE%"><p>the page</p>');
	writeFileSync(join(page, "assets", "index-1a2b.js"), "console.log('the program');\n".repeat(20));
});

after(() => rmSync(page, { recursive: true }));

const html = { accept: "text/html,application/xhtml+xml" };

describe("the page", () => {
	it("asks a stranger to log in, at each of its addresses", async () => {
		const { http } = harness({ page });
		for (const url of ["/", "/devices/7bf18f79", "/images"]) {
			const response = await http.fastify.inject({ url, headers: html });
			assert.equal(response.statusCode, 200);
			assert.match(response.body, /pi-netboot login/);
		}
	});

	it("has addresses of its own for browsers alone", async () => {
		const { http } = harness({ auth: "off", page });
		const ask = (url: string, headers: Record<string, string>) => http.fastify.inject({ url, headers });
		assert.match((await ask("/devices/7bf18f79", html)).body, /the page/);
		assert.equal((await ask("/devices/7bf18f79", {})).statusCode, 404);
		assert.equal((await ask("/api/v1/nothing", html)).statusCode, 404);
		assert.equal((await ask("/assets/none.js", {})).statusCode, 404);
	});

	it("lets nothing run that is not its own", async () => {
		const { http } = harness({ auth: "off", page });
		for (const url of ["/", "/assets/index-1a2b.js", "/api/v1/devices", "/none"]) {
			const policy = String((await http.fastify.inject({ url, headers: html })).headers["content-security-policy"]);
			assert.match(policy, /default-src 'none'; script-src 'self';/);
			assert.ok(!policy.includes("unsafe") && !policy.includes("http:"), url);
		}
	});

	it("gives each document a nonce of its own for its styles", async () => {
		const { http } = harness({ auth: "off", page });
		const nonces = await Promise.all(
			[1, 2].map(async () => {
				const { body, headers } = await http.fastify.inject({ url: "/" });
				const nonce = /content="([^"]{20,})"/.exec(body)?.[1] ?? assert.fail(body);
				assert.ok(String(headers["content-security-policy"]).includes(`style-src 'self' 'nonce-${nonce}';`));
				assert.equal(headers["cache-control"], "no-store");
				return nonce;
			}),
		);
		assert.notEqual(nonces[0], nonces[1]);
	});

	it("holds no inline script or style in the login form, which its policy would block", () => {
		const form = readFileSync(new URL("./page/login.html", import.meta.url), "utf8");
		assert.doesNotMatch(form, /<style|style=|\son\w+=|<script(?![^>]*\ssrc=)/);
		for (const [, url] of form.matchAll(/(?:src|href)="([^"]+)"/g)) assert.match(url ?? "", /^\/[a-z.]+$/);
	});

	it("sends its program packed, to be kept for ever: its name holds its hash", async () => {
		const { http } = harness({ page });
		const url = "/assets/index-1a2b.js";
		const { headers, rawPayload } = await http.fastify.inject({ url, headers: { "accept-encoding": "gzip, br" } });
		assert.match(String(headers["content-type"]), /^text\/javascript/);
		assert.match(String(headers["cache-control"]), /immutable/);
		assert.equal(headers["content-encoding"], "gzip");
		const plain = await http.fastify.inject({ url });
		assert.equal(gunzipSync(rawPayload).toString(), plain.body);
		const again = await http.fastify.inject({ url, headers: { "if-none-match": String(headers.etag) } });
		assert.deepEqual([again.statusCode, again.body], [304, ""]);
	});

	it("says so where it was not built", async () => {
		const { http } = harness({ auth: "off", page: join(page, "none") });
		assert.match((await http.fastify.inject({ url: "/", headers: html })).body, /npm run build/);
	});
});
