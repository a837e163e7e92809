import assert from "node:assert/strict";
import { connect } from "node:net";
import { describe, it } from "node:test";
import { bearer, type Harness, harness } from "./testing/harness.ts";

const minute = 60_000;

async function get(h: Harness, url: string, headers: Record<string, string> = {}) {
	const response = await h.http.fastify.inject({ url, headers });
	return { status: response.statusCode, headers: response.headers, body: response.body };
}

/** Logs in with a new code and gives the `Cookie` header. */
async function login(h: Harness): Promise<string> {
	const { headers } = await get(h, `/?code=${h.http.createLoginCode()}`);
	return String(headers["set-cookie"]).split(";")[0] ?? "";
}

describe("who may ask", () => {
	it("the token's bearer", async () => {
		const h = harness();
		assert.equal((await get(h, "/api/v1/devices", bearer)).status, 200);
		assert.equal((await get(h, "/api/v1/devices", { authorization: bearer.authorization.toUpperCase() })).status, 401);
		for (const wrong of ["", "Bearer", "Bearer x", `${bearer.authorization} x`, "Basic YTpi"]) {
			const { status, headers } = await get(h, "/api/v1/devices", { authorization: wrong });
			assert.deepEqual([status, headers["www-authenticate"]], [401, "Bearer"], wrong);
		}
	});

	it("everybody with --auth off, but no page of another site", async () => {
		const h = harness({ auth: "off" });
		assert.equal(h.http.createLoginCode(), undefined);
		assert.equal((await get(h, "/api/v1/devices", { authorization: "Bearer whatever" })).status, 200);
		const change = (headers: Record<string, string>) =>
			h.http.fastify.inject({ method: "PUT", url: "/api/v1/images/default", payload: { id: null }, headers });
		assert.equal((await change({})).statusCode, 200);
		assert.equal((await change({ "sec-fetch-site": "cross-site" })).statusCode, 403);
		assert.equal((await change({ origin: "http://evil.example" })).statusCode, 403);
	});

	it("not by trying tokens: from the 21st in a minute on they are told to wait", async () => {
		const h = harness();
		const wrong = { authorization: "Bearer wrong" };
		for (let count = 0; count < 20; count++) assert.equal((await get(h, "/api/v1/devices", wrong)).status, 401);
		const refused = await get(h, "/api/v1/devices", wrong);
		assert.deepEqual([refused.status, refused.headers["retry-after"]], [429, "60"]);
		assert.equal((await get(h, "/?code=guess")).status, 429);
		h.clock.advance(minute);
		assert.equal((await get(h, "/api/v1/devices", wrong)).status, 401);
	});

	it("who has the right token or code, whoever tries wrong ones from the same address", async () => {
		const h = harness();
		const code = h.http.createLoginCode();
		for (let count = 0; count < 30; count++) await get(h, "/?code=guess", { authorization: "Bearer wrong" });
		assert.equal((await get(h, "/?code=guess")).status, 429);
		assert.equal((await get(h, "/api/v1/devices", bearer)).status, 200);
		assert.equal((await get(h, `/?code=${code}`)).status, 303);
	});
});

describe("the one-time code", () => {
	it("leads to the page, with a session", async () => {
		const h = harness();
		const answer = await get(h, `/?code=${h.http.createLoginCode()}`);
		assert.deepEqual([answer.status, answer.headers.location], [303, "/"]);
		assert.match(String(answer.headers["set-cookie"]), /; Path=\/; HttpOnly; SameSite=Strict; /);
		const cookie = String(answer.headers["set-cookie"]).split(";")[0] ?? "";
		assert.equal((await get(h, "/api/v1/devices", { cookie: `other=1; ${cookie}` })).status, 200);
		assert.doesNotMatch((await get(h, "/", { cookie })).body, /<form/);
	});

	it("works once", async () => {
		const h = harness();
		const code = h.http.createLoginCode();
		assert.equal((await get(h, `/?code=${code}`)).status, 303);
		const again = await get(h, `/?code=${code}`);
		assert.equal(again.status, 401);
		assert.equal(again.headers["set-cookie"], undefined);
	});

	it("works for 15 minutes", async () => {
		const h = harness();
		const [early, late] = [h.http.createLoginCode(), h.http.createLoginCode()];
		h.clock.advance(15 * minute - 1);
		assert.equal((await get(h, `/?code=${early}`)).status, 303);
		h.clock.advance(1);
		assert.equal((await get(h, `/?code=${late}`)).status, 401);
	});

	it("may be typed in capitals, with a space behind it", async () => {
		const h = harness();
		assert.equal((await get(h, `/?code=${h.http.createLoginCode()?.toUpperCase()}%20`)).status, 303);
	});

	it("that is refused shows a person the form again, with the reason", async () => {
		const { status, headers, body } = await get(harness(), "/?code=guess", { accept: "text/html,*/*" });
		assert.equal(status, 401);
		assert.match(String(headers["content-type"]), /^text\/html/);
		assert.match(body, /older than 15 minutes.*<form/s);
	});

	it("is not asked of those who are in already", async () => {
		const h = harness();
		const url = `/?code=${h.http.createLoginCode()}`;
		assert.deepEqual((await get(h, url, { cookie: await login(h) })).headers.location, "/");
		assert.equal((await get(h, url)).status, 303);
		assert.equal((await get(harness({ auth: "off" }), "/?code=any")).headers.location, "/");
	});

	it("is not used up by HEAD", async () => {
		const h = harness();
		const url = `/?code=${h.http.createLoginCode()}`;
		await h.http.fastify.inject({ method: "HEAD", url });
		assert.equal((await get(h, url)).status, 303);
	});

	it("opened from another site: our own page leads on, since a strict cookie does not follow the redirect", async () => {
		const h = harness();
		const answer = await get(h, `/?code=${h.http.createLoginCode()}`, { "sec-fetch-site": "cross-site" });
		assert.deepEqual([answer.status, answer.headers.refresh], [200, "0; url=/"]);
		assert.ok(answer.headers["set-cookie"]);
	});

	it("leads to the page that the link names, and to nothing but a page of ours", async () => {
		const h = harness();
		const leadsTo = async (to: string) => {
			const url = `/?code=${h.http.createLoginCode()}&to=${encodeURIComponent(to)}`;
			return (await get(h, url)).headers.location;
		};
		for (const page of ["/images", "/devices/7bf18f79"]) assert.equal(await leadsTo(page), page);
		const foreign = [
			"//evil.example",
			"/\\evil.example",
			"https://evil.example",
			"/.//evil.example",
			"evil.example",
			"/%2f/x",
		];
		const none = [
			"/api/v1/devices",
			"/login",
			"/a\r\nb: c",
			`/${"a".repeat(300)}`,
			"/images#x",
			"/images/",
			"/images/../api/v1/logs",
			"",
		];
		for (const to of [...foreign, ...none]) assert.equal(await leadsTo(to), "/", to);
		const cookie = await login(h);
		assert.equal((await get(h, "/?code=any&to=/images", { cookie })).headers.location, "/images");
		assert.equal((await get(h, "/?code=any&to=//evil.example", { cookie })).headers.location, "/");
	});

	it("leads back to the page that a stranger asked for before, once", async () => {
		const h = harness();
		const html = { accept: "text/html" };
		const asked = await get(h, "/devices/7bf18f79?tab=1", html);
		assert.equal(
			asked.headers["set-cookie"],
			"pi-netboot-0-page=/devices/7bf18f79; Path=/; HttpOnly; SameSite=Lax; Max-Age=900",
		);
		const cookie = String(asked.headers["set-cookie"]).split(";")[0] ?? "";
		const { headers } = await get(h, `/?code=${h.http.createLoginCode()}`, { cookie });
		assert.equal(headers.location, "/devices/7bf18f79");
		assert.match(String(headers["set-cookie"]), /^pi-netboot-0=[^,]*,pi-netboot-0-page=; .*Max-Age=0$/);
		const elsewhere = await get(h, `/?code=${h.http.createLoginCode()}&to=/images`, { cookie });
		assert.equal(elsewhere.headers.location, "/images");
		const forged = { cookie: "pi-netboot-0-page=//evil.example" };
		assert.equal((await get(h, `/?code=${h.http.createLoginCode()}`, forged)).headers.location, "/");
		assert.match(String((await get(h, "/", { ...html, cookie })).headers["set-cookie"]), /-page=; .*Max-Age=0$/);
		assert.equal((await get(h, "/", html)).headers["set-cookie"], undefined);
	});

	it("comes with the address by which other machines find the server", async () => {
		for (const [host, server] of [
			["0.0.0.0", "http://192.0.2.1:38434"],
			["::", "http://192.0.2.1:38434"],
			["198.51.100.7", "http://198.51.100.7:38434"],
			["2001:db8::7", "http://[2001:db8::7]:38434"],
			["::1", null],
		] as const) {
			const { http } = harness({ host });
			const made = await http.fastify.inject({ method: "POST", url: "/api/v1/login-codes", headers: bearer });
			assert.equal(made.json().server, server, host);
		}
	});

	it("can be had over the API, by the token's bearer", async () => {
		const h = harness();
		const made = await h.http.fastify.inject({ method: "POST", url: "/api/v1/login-codes", headers: bearer });
		const { code, expiresAt, server } = made.json();
		assert.equal(server, null, "it listens on this machine alone");
		assert.equal(expiresAt, h.clock.now() + 15 * minute);
		assert.equal((await get(h, `/?code=${code}`)).status, 303);
	});

	it("ends when 16 newer ones were made", async () => {
		const h = harness();
		const first = h.http.createLoginCode();
		for (let count = 0; count < 16; count++) h.http.createLoginCode();
		assert.equal((await get(h, `/?code=${first}`)).status, 401);
	});
});

describe("the session", () => {
	it("lasts 30 days, also over a restart, and ends with the token", async () => {
		const h = harness();
		const cookie = await login(h);
		const restarted = harness();
		assert.equal((await get(restarted, "/api/v1/devices", { cookie })).status, 200);
		assert.equal((await get(harness({ token: "another" }), "/api/v1/devices", { cookie })).status, 401);
		restarted.clock.advance(30 * 24 * 60 * minute);
		assert.equal((await get(restarted, "/api/v1/devices", { cookie })).status, 401);
	});

	it("cannot be made longer or forged", async () => {
		const h = harness();
		const cookie = await login(h);
		const [name, value = ""] = cookie.split("=");
		const [, nonce, mac] = value.split(".");
		for (const forged of ["", ".", "..", `9999999999999.${nonce}.${mac}`, `${value}x`, value.slice(0, -1)]) {
			assert.equal((await get(h, "/api/v1/devices", { cookie: `${name}=${forged}` })).status, 401, forged);
		}
	});

	it("changes things only from our own page", async () => {
		const h = harness();
		const cookie = await login(h);
		const change = async (headers: Record<string, string>) => {
			const request = { method: "PUT" as const, url: "/api/v1/images/default", payload: { id: null } };
			return (await h.http.fastify.inject({ ...request, headers: { cookie, host: "localhost:38434", ...headers } }))
				.statusCode;
		};
		assert.equal(await change({ "sec-fetch-site": "same-origin" }), 200);
		assert.equal(await change({ origin: "http://localhost:38434" }), 200);
		assert.equal(await change({}), 403);
		for (const site of ["cross-site", "same-site", "none"]) assert.equal(await change({ "sec-fetch-site": site }), 403);
		for (const origin of ["null", "http://localhost", "http://localhost:8080", "http://evil.example"]) {
			assert.equal(await change({ origin }), 403, origin);
		}
	});
});

describe("behind a reverse proxy", () => {
	const proxy = "192.0.2.80";
	const ask = (h: Harness, from: string, said: Record<string, string>, url = "/api/v1/devices") =>
		h.http.fastify.inject({ url, remoteAddress: from, headers: { authorization: "Bearer wrong", ...said } });
	const guess = async (h: Harness, from: string, client: string) =>
		(await ask(h, from, { "x-forwarded-for": client })).statusCode;

	it("that is believed, each client counts by its own address", async () => {
		const h = harness({ trustedProxies: ["192.0.2.0/24", "2001:db8::1"] });
		for (let count = 0; count < 20; count++) await guess(h, proxy, "203.0.113.5");
		assert.equal(await guess(h, proxy, "203.0.113.5"), 429);
		assert.equal(await guess(h, "2001:db8::1", "203.0.113.5"), 429);
		assert.equal(await guess(h, "::ffff:192.0.2.81", "203.0.113.5"), 429);
		// What the client itself wrote stands in front of what the proxy did.
		assert.equal(await guess(h, proxy, "203.0.113.6, 203.0.113.5"), 429);
		assert.equal(await guess(h, proxy, "203.0.113.6"), 401);
	});

	it("that is not, whatever it says counts for nothing", async () => {
		for (const trustedProxies of [[], ["198.51.100.1", "192.0.2.0/28"]]) {
			const h = harness({ trustedProxies });
			for (let count = 0; count < 20; count++) await guess(h, proxy, `203.0.113.${count}`);
			assert.equal(await guess(h, proxy, "203.0.113.99"), 429);
			const said = { "x-forwarded-for": "203.0.113.5", "x-forwarded-proto": "https" };
			const cookie = (await ask(h, "198.51.100.2", said, `/?code=${h.http.createLoginCode()}`)).headers["set-cookie"];
			assert.match(String(cookie), /^pi-netboot-0=/);
			assert.doesNotMatch(String(cookie), /Secure/);
		}
	});

	it("that says no address is told so", async () => {
		const h = harness({ trustedProxies: [proxy] });
		for (const client of ["unknown", "203.0.113.5:4711", '"><b>']) {
			const answer = await ask(h, proxy, { "x-forwarded-for": client });
			assert.deepEqual([answer.statusCode, answer.json().error.code], [400, "invalid-request"], client);
		}
	});

	it("a session that began by https has a cookie that goes by https alone, and ends with the log-out", async () => {
		const h = harness({ trustedProxies: [proxy] });
		const https = { "x-forwarded-for": "203.0.113.5", "x-forwarded-proto": "https" };
		const from = { remoteAddress: proxy, headers: https };
		const opened = await h.http.fastify.inject({ url: `/?code=${h.http.createLoginCode()}`, ...from });
		const set = String(opened.headers["set-cookie"]);
		assert.match(set, /^__Host-pi-netboot-0=[^;]+; Path=\/; HttpOnly; Secure; SameSite=Strict; Max-Age=2592000$/);
		const cookie = set.split(";")[0] ?? "";
		assert.equal((await get(h, "/api/v1/devices", { cookie })).status, 200);
		const headers = { ...https, cookie, "sec-fetch-site": "same-origin" };
		const left = await h.http.fastify.inject({ method: "POST", url: "/api/v1/logout", remoteAddress: proxy, headers });
		assert.deepEqual(
			[left.headers["set-cookie"]].flat().map((header) => String(header).split("=")[0]),
			["__Host-pi-netboot-0", "pi-netboot-0"],
		);
		assert.equal((await get(h, "/api/v1/devices", { cookie })).status, 401);
		// Agents speak http, with the server itself.
		const script = await h.http.fastify.inject({ url: "/api/bootstrap/install-script", ...from });
		assert.match(script.body, /http:\/\/192\.0\.2\.1:38434/);
	});
});

describe("the Host header", () => {
	const status = async (host: string) =>
		(await get(harness({ given: ["Boot.Lan"] }), "/api/v1/health", { host })).status;

	it("may be this machine's", async () => {
		for (const host of [
			"localhost",
			"localhost:38434",
			"LOCALHOST",
			"127.0.0.1:1",
			"127.9.9.9",
			"[::1]:80",
			"192.0.2.2:38434",
			"[fe80::1]",
			"bench",
			"bench.local:38434",
			"bench.",
			"boot.lan",
		]) {
			assert.equal(await status(host), 200, host);
		}
	});

	it("may not be another's", async () => {
		for (const host of [
			"evil.example",
			"evil.example:38434",
			"192.0.2.3",
			"127.0.0.1.evil.example",
			"localhost.evil.example",
			"bench.evil.example",
			"evil@localhost",
			"localhost/",
			"[::2]",
			"2130706433",
		]) {
			assert.equal(await status(host), 421, host);
		}
		assert.match((await get(harness(), "/", { host: "evil.example" })).body, /"code":"host-refused"/);
	});

	it("may not be missing, come twice, or differ from the target's", async () => {
		const h = harness();
		await h.http.start();
		const answer = async (head: string) => {
			const socket = connect(h.http.port, "127.0.0.1").setEncoding("latin1");
			socket.write(`${head}\r\nConnection: close\r\n\r\n`);
			return (await socket.toArray()).join("").split("\r\n")[0];
		};
		const refused = "HTTP/1.1 421 Misdirected Request";
		assert.equal(await answer("GET /api/v1/health HTTP/1.1"), refused);
		assert.equal(await answer("GET /api/v1/health HTTP/1.1\r\nHost:"), refused);
		assert.equal(await answer("GET /api/v1/health HTTP/1.1\r\nHost: bench\r\nHost: evil.example"), refused);
		assert.equal(await answer("GET http://evil.example/api/v1/health HTTP/1.1\r\nHost: bench"), refused);
		assert.equal(await answer("GET http://bench/api/v1/health HTTP/1.1\r\nHost: bench"), "HTTP/1.1 200 OK");
		assert.equal(await answer("GET /api/v1/health HTTP/1.1\r\nHost: bench\r\nExpect: tea"), "HTTP/1.1 200 OK");
		await h.http.stop();
	});

	it("is looked at before anything else", async () => {
		const h = harness();
		const code = h.http.createLoginCode();
		for (const url of ["/", `/?code=${code}`, "/login.css", "/api/v1/devices", "/none"]) {
			assert.equal((await get(h, url, { ...bearer, host: "evil.example" })).status, 421, url);
		}
		assert.equal((await get(h, `/?code=${code}`)).status, 303);
	});
});

describe("names that are allowed", () => {
	const url = "/api/v1/allowed-hosts";
	const set = (h: Harness, hosts: string[], host = "bench") =>
		h.http.fastify.inject({ method: "PUT", url, payload: { hosts }, headers: { ...bearer, host } });

	it("hold at once and after a restart, besides those of the start", async () => {
		const h = harness({ given: ["boot.lan"] });
		const answer = await set(h, ["Pi.Example.org", "pi.example.org", "192.0.2.77"]);
		assert.deepEqual(answer.json(), {
			hosts: ["pi.example.org", "192.0.2.77"],
			given: ["boot.lan"],
			own: ["bench", "bench.local"],
		});
		assert.equal(h.keeper.synced, 1);
		for (const one of [h, harness({}, h.keeper)]) {
			for (const host of ["pi.example.org:38434", "192.0.2.77"]) {
				assert.equal((await get(one, url, { ...bearer, host })).status, 200, host);
			}
		}
		assert.equal((await set(h, [])).statusCode, 200);
		assert.equal((await get(h, url, { ...bearer, host: "pi.example.org" })).status, 421);
		assert.equal((await get(h, url, { ...bearer, host: "boot.lan" })).status, 200);
	});

	it("keep the one that is asked by", async () => {
		const h = harness();
		await set(h, ["pi.example.org", "b.lan"]);
		assert.equal((await set(h, ["b.lan"], "pi.example.org:38434")).json().error.code, "conflict");
		assert.equal((await set(h, ["pi.example.org"], "pi.example.org:38434")).statusCode, 200);
		assert.deepEqual(JSON.parse((await get(h, url, bearer)).body).hosts, ["pi.example.org"]);
	});

	it("are names, and not too many", async () => {
		for (const name of ["", "*", "a b", "a/b", "evil@x", "http://x", "x:80", "-x", ".", "é", "x".repeat(254), "a\n"]) {
			assert.equal((await set(harness(), [name])).json().error.code, "invalid-request", name);
		}
		const many = Array.from({ length: 33 }, (_, index) => `n${index}`);
		assert.equal((await set(harness(), many)).json().error.code, "invalid-request");
	});
});
