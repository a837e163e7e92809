import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CreatedToken, ErrorBody, errorKinds, errorsOf, openApiDocument } from "@pi-netboot/api";
import { bearer, harness } from "./testing/harness.ts";
import { walkRoutes } from "./testing/walk.ts";

const all = walkRoutes();

/** Those that answer everybody, and why: each is in the design. */
const OPEN = ["getHealth", "getLogin", "login"];

const json = { "content-type": "application/json" };
type Headers = Record<string, string>;

/** Asks each route in turn, and gives its status and error code. */
async function walk(
	routes: typeof all,
	headers: Headers,
	more: { url?: (url: string) => string; payload?: string } = {},
) {
	const h = harness();
	const answers = new Map<string, string>();
	for (const { id, method, url } of routes) {
		const place = more.url?.(url) ?? url;
		const payload = method === "GET" ? {} : { payload: more.payload ?? "{}" };
		const response = await h.http.fastify.inject({ method, url: place, headers: { ...json, ...headers }, ...payload });
		const code = response.statusCode < 400 ? "" : ErrorBody.parse(response.json()).error.code;
		answers.set(id, `${response.statusCode} ${code}`.trim());
	}
	return { h, answers };
}

/** What all of these have in common. */
function assertAll(answers: Map<string, string>, expected: RegExp): void {
	for (const [id, answer] of answers) assert.match(answer, expected, id);
}

const closed = all.filter(({ id }) => !OPEN.includes(id));
const withParams = closed.filter(({ route }) => route.params !== undefined);
const changes = closed.filter(({ method }) => method !== "GET");

describe("every route of the table", () => {
	it("is open because the design says so, or wants a token or session", async () => {
		assert.deepEqual(
			all.filter(({ route }) => route.auth === "open").map(({ id }) => id),
			OPEN,
		);
		const { h, answers } = await walk(closed, {});
		assertAll(answers, /^401 unauthorized$/);
		assert.deepEqual([h.services.calls, h.audit.entries], [[], []]);
	});

	it("refuses a wrong token, a forged cookie, and a token in the address", async () => {
		const some = closed.slice(0, 15);
		assertAll((await walk(some, { authorization: "Bearer wrong" })).answers, /^401 unauthorized$/);
		assertAll((await walk(closed, { cookie: "pi-netboot-0=9999999999999.x.y" })).answers, /^401 unauthorized$/);
		const inUrl = (url: string) => `${url}?token=${bearer.authorization.slice(7)}`;
		assertAll((await walk(closed, {}, { url: inUrl })).answers, /^401 unauthorized$/);
	});

	it("refuses a token that was revoked", async () => {
		const h = harness();
		const made = await h.http.fastify.inject({
			method: "POST",
			url: "/api/v1/tokens",
			headers: bearer,
			payload: { name: "ci" },
		});
		const { id, token } = CreatedToken.parse(made.json());
		await h.http.fastify.inject({ method: "DELETE", url: `/api/v1/tokens/${id}`, headers: bearer });
		for (const { id, method, url } of closed.filter((one) => one.id !== "streamEvents").slice(0, 15)) {
			const headers = { authorization: `Bearer ${token}` };
			assert.equal((await h.http.fastify.inject({ method, url, headers })).statusCode, 401, id);
		}
	});

	it("refuses a Host that is not ours, before it looks at anything else", async () => {
		for (const host of ["evil.example", "192.0.2.77", "localhost.evil.example"]) {
			const { h, answers } = await walk(all, { ...bearer, host });
			assertAll(answers, /^421 host-refused$/);
			assert.deepEqual(h.services.calls, []);
		}
	});

	it("that changes something refuses the page of another site, also where nobody has to log in", async () => {
		const h = harness({ auth: "off" });
		for (const headers of [{ "sec-fetch-site": "cross-site" }, { origin: "http://evil.example" }, { origin: "null" }]) {
			for (const { id, method, url } of all.filter(({ method }) => method !== "GET")) {
				const response = await h.http.fastify.inject({ method, url, headers: { ...json, ...headers }, payload: "{}" });
				assert.equal(ErrorBody.parse(response.json()).error.code, "cross-site", id);
			}
		}
		assert.deepEqual(h.services.calls, []);
	});

	it("that changes something reads JSON alone, and not too much of it", async () => {
		const reading = changes.filter(({ route }) => route.body !== undefined);
		for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]) {
			assertAll((await walk(reading, { ...bearer, "content-type": type })).answers, /^415 media-type$/);
		}
		assertAll((await walk(reading, bearer, { payload: "{" })).answers, /^400 invalid-request$/);
		assertAll((await walk(reading, bearer, { payload: "[]" })).answers, /^400 invalid-request$/);
		assertAll((await walk(reading, bearer, { payload: '{"nobody":1}' })).answers, /^400 invalid-request$/);
		const large = JSON.stringify({ name: "x".repeat(70_000) });
		assertAll((await walk(reading, bearer, { payload: large })).answers, /^413 body-too-large$/);
	});

	it("with a name in its address refuses names that are none", async () => {
		const hostile = ["..%2f..%2fetc%2fpasswd", "%00", "a'%20or%201=1", "%3Cscript%3E", "x".repeat(300), "__proto__"];
		for (const name of hostile) {
			const replaced = withParams.map((one) => ({ ...one, url: one.route.path.replaceAll(/:\w+/g, name) }));
			assertAll((await walk(replaced, bearer)).answers, /^(400 invalid-request|404 [a-z-]+)$/);
		}
	});

	it("answers with no failure that it does not promise", async () => {
		for (const headers of [{}, bearer]) {
			const { answers } = await walk(
				all.filter(({ id }) => id !== "streamEvents"),
				headers,
			);
			for (const { id, route } of all) {
				const [status, code] = (answers.get(id) ?? "200").split(" ");
				if (code === undefined) continue;
				assert.ok(
					errorsOf(route).some((one) => one === code && errorKinds[one].status === Number(status)),
					`${id} ${code}`,
				);
			}
		}
	});

	it("sends the headers that keep other sites, frames and caches out", async () => {
		const h = harness();
		for (const { id, method, url } of all.filter(({ id }) => id !== "streamEvents")) {
			const { headers } = await h.http.fastify.inject({ method, url, headers: bearer });
			assert.match(String(headers["content-security-policy"]), /default-src 'none'.*frame-ancestors 'none'/, id);
			assert.equal(headers["x-content-type-options"], "nosniff", id);
			assert.equal(headers["referrer-policy"], "no-referrer", id);
			assert.equal(headers["cross-origin-resource-policy"], "same-origin", id);
			assert.equal(headers["x-frame-options"], "DENY", id);
			assert.equal(headers["cache-control"], "no-store", id);
			assert.equal(headers["access-control-allow-origin"], undefined, id);
		}
	});

	it("that changes something and does it is written down", async () => {
		const { h, answers } = await walk(changes, bearer);
		const done = [...answers].filter(([, answer]) => answer.startsWith("2")).map(([id]) => id);
		assert.deepEqual(
			h.audit.entries.map(({ action }) => action),
			done,
		);
		assert.ok(done.length >= 8, done.join(" "));
	});
});

describe("what is in no table", () => {
	it("answers nobody but with the login form and what belongs to it", async () => {
		const h = harness();
		const open = ["/", "/login.css", "/icon.svg", "/api/openapi.json", "/api/docs", "/api/docs.css"];
		for (const url of open) assert.equal((await h.http.fastify.inject({ url })).statusCode, 200, url);
		for (const url of ["/token", "/data/token", "/../data/token", "/%2e%2e/token", "/assets/..%2f..%2fpackage.json"]) {
			assert.equal((await h.http.fastify.inject({ url })).statusCode, 404, url);
		}
		for (const url of ["/api/v1/uploads", "/api/v1/uploads/u1"]) {
			for (const method of ["POST", "HEAD", "PATCH", "DELETE"] as const) {
				const { statusCode } = await h.http.fastify.inject({ method, url, headers: { "tus-resumable": "1.0.0" } });
				assert.ok([401, 404, 405].includes(statusCode), `${method} ${url} ${statusCode}`);
			}
		}
	});

	it("has no method that nobody wrote", async () => {
		const h = harness();
		for (const method of ["OPTIONS", "TRACE", "PUT"] as const) {
			const { statusCode } = await h.http.fastify.inject({ method, url: "/api/v1/devices", headers: bearer });
			assert.equal(statusCode, 405, method);
		}
	});
});

/** `GET /api/v1/devices/{id}` for everything that the server was told to answer. */
async function registered(): Promise<string[]> {
	const { fastify } = harness().http;
	await fastify.ready();
	const parents: string[] = [];
	return fastify
		.printRoutes({ commonPrefix: false })
		.split("\n")
		.flatMap((line) => {
			const [, depth = "", part = "", methods = ""] = /^(.*)[├└]── (\S+)(?: \(([A-Z, ]+)\))?$/.exec(line) ?? [];
			const path = `${parents[depth.length / 4 - 1] ?? ""}${part}`;
			parents[depth.length / 4] = path;
			const url = `/${path}`.replace(/^\/\//, "/").replaceAll(/:(\w+)/g, "{$1}");
			return methods === "" ? [] : methods.split(", ").map((method) => `${method} ${url}`);
		});
}

describe("the description of the API", () => {
	/** The page with its login, the description itself, and what our own program alone asks (`docs/agent-protocol.md`). */
	const OTHERS =
		/^(GET|HEAD) \/(|\*|assets\/\{name\}|login\.css|icon\.svg|api\/(openapi\.json|docs|docs\.css))$|^POST \/login$|^OPTIONS \/api\/v1\/uploads$|^(GET|POST) \/api\/v1\/agent\//;

	it("has every route that is answered, and no other", async () => {
		const { paths } = JSON.parse(JSON.stringify(openApiDocument("0.0.0")));
		const described = Object.entries<object>(paths).flatMap(([path, methods]) =>
			Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
		);
		const answered = (await registered()).filter((place) => !OTHERS.test(place));
		// HEAD comes with GET.
		const told = answered.filter((place) => !place.startsWith("HEAD") || !answered.includes(`GET${place.slice(4)}`));
		assert.deepEqual(told.toSorted(), described.toSorted());
		assert.ok(told.length > 60, String(told.length));
	});
});
