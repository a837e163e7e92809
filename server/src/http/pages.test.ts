import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { gunzipSync } from "node:zlib";
import { bearer, harness } from "./testing/harness.ts";

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

	it("takes the password of a stranger, by a form without a script, where one was set", async () => {
		const h = harness({ page });
		const { http } = h;
		const type = { "content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin" };
		const send = (payload: string, headers: Record<string, string> = {}) =>
			http.fastify.inject({ method: "POST", url: "/login", payload, headers: { ...type, ...html, ...headers } });
		const form = async () => (await http.fastify.inject({ url: "/", headers: html })).body;
		assert.doesNotMatch(await form(), /type="password"/);
		const options = { method: "PUT", url: "/api/v1/password", headers: bearer } as const;
		await http.fastify.inject({ ...options, payload: { password: "correct horse & battery" } });
		assert.match(await form(), /type="password".*npx pi-netboot login/s);
		const wrong = await send("password=wrong");
		assert.deepEqual([wrong.statusCode, wrong.headers["set-cookie"]], [401, undefined]);
		assert.match(wrong.body, /This is not the password.*type="password"/s);
		const right = "password=correct+horse+%26+battery";
		const { statusCode, headers } = await send(right);
		assert.deepEqual([statusCode, headers.location], [303, "/"]);
		assert.equal((await send(right, { cookie: "pi-netboot-0-page=/images" })).headers.location, "/images");
		const cookie = String(headers["set-cookie"]).split(";")[0] ?? "";
		assert.match((await http.fastify.inject({ url: "/", headers: { ...html, cookie } })).body, /the page/);
		assert.equal((await send(right, { "sec-fetch-site": "cross-site" })).statusCode, 403);
		assert.equal((await send("password=")).statusCode, 400);
		assert.equal((await send(`password=${"x".repeat(70_000)}`)).statusCode, 413);
		assert.equal((await send("{}", { "content-type": "text/plain" })).statusCode, 415);
		assert.deepEqual(
			h.audit.entries.map(({ who, action }) => `${who} ${action}`),
			["token setPassword", "password login", "password login"],
		);
	});

	it("answers HEAD as GET", async () => {
		const { http } = harness({ auth: "off", page });
		for (const url of ["/", "/images", "/icon.svg", "/assets/index-1a2b.js", "/api/docs", "/api/openapi.json"]) {
			const { statusCode, body } = await http.fastify.inject({ method: "HEAD", url, headers: html });
			assert.deepEqual([statusCode, body], [200, ""], url);
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
