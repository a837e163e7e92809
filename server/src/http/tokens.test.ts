import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ErrorBody } from "@pi-netboot/api";
import { bearer, type Harness, harness, token } from "./testing/harness.ts";

type Headers = Record<string, string>;
type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

async function ask(h: Harness, method: Method, url: string, payload?: object, headers: Headers = bearer) {
	const response = await h.http.fastify.inject({ method, url, headers, ...(payload && { payload }) });
	const body = response.body === "" ? undefined : response.json();
	const code = response.statusCode < 400 ? undefined : ErrorBody.parse(body).error.code;
	const cookie = response.headers["set-cookie"];
	return { status: response.statusCode, body, code, cookie: cookie === undefined ? undefined : String(cookie) };
}

const ownPage = { "sec-fetch-site": "same-origin" };
const cookieOf = (header: string | undefined) => header?.split(";")[0] ?? "";

describe("a token for a program", () => {
	it("lets in, is told by its name, and is kept as a hash alone", async () => {
		const h = harness();
		const { body } = await ask(h, "POST", "/api/v1/tokens", { name: "Home Assistant" });
		const own = { authorization: `Bearer ${body.token}` };
		assert.match(body.token, /^pnb_[\w-]{32}$/);
		assert.equal((await ask(h, "GET", "/api/v1/session", undefined, own)).body.who, "Home Assistant");
		assert.ok(!JSON.stringify([...h.keeper.kept.values()]).includes(body.token));
		const { tokens } = (await ask(h, "GET", "/api/v1/tokens")).body;
		assert.deepEqual(tokens, [
			{ id: body.id, name: "Home Assistant", createdAt: h.clock.now(), lastUsedAt: h.clock.now() },
		]);
		assert.equal(h.keeper.synced, 1);
	});

	it("holds after a restart, and not any more after it was revoked", async () => {
		const h = harness();
		const { body } = await ask(h, "POST", "/api/v1/tokens", { name: "ci" });
		const own = { authorization: `Bearer ${body.token}` };
		const restarted = harness({}, h.keeper);
		assert.equal((await ask(restarted, "GET", "/api/v1/devices", undefined, own)).status, 200);
		assert.equal((await ask(restarted, "DELETE", `/api/v1/tokens/${body.id}`)).status, 204);
		assert.equal((await ask(restarted, "GET", "/api/v1/devices", undefined, own)).code, "unauthorized");
		assert.equal((await ask(harness({}, h.keeper), "GET", "/api/v1/devices", undefined, own)).code, "unauthorized");
		assert.equal((await ask(restarted, "DELETE", `/api/v1/tokens/${body.id}`)).code, "token-not-found");
	});

	it("has a name of its own, and there are no more than a hundred", async () => {
		const h = harness();
		const make = (name: string) => ask(h, "POST", "/api/v1/tokens", { name });
		for (let count = 0; count < 100; count++) assert.equal((await make(`t${count}`)).status, 200);
		assert.equal((await make("t5")).code, "name-taken");
		for (const name of ["token", "Session", "everybody"]) assert.equal((await make(name)).code, "name-taken", name);
		assert.equal((await make("another")).code, "conflict");
		for (const name of ["", " x", "a\nb", "<b>", "x".repeat(65)]) {
			assert.equal((await make(name)).code, "invalid-request", name);
		}
	});

	it("that could not be stored is none", async () => {
		const h = harness();
		h.keeper.tokens.insert = () => Promise.reject(new Error("the disk is full"));
		assert.equal((await ask(h, "POST", "/api/v1/tokens", { name: "ci" })).code, "internal");
		assert.deepEqual((await ask(h, "GET", "/api/v1/tokens")).body, { tokens: [] });
	});
});

describe("the password", () => {
	const password = "correct horse battery";
	const set = (h: Harness, word: string | null = password, headers: Headers = bearer) =>
		ask(h, "PUT", "/api/v1/password", { password: word }, headers);
	const logIn = (h: Harness, word = password, headers: Headers = ownPage) =>
		ask(h, "POST", "/api/v1/login", { password: word }, headers);

	it("logs in where one was set, and is kept as what scrypt makes of it", async () => {
		const h = harness();
		assert.deepEqual((await ask(h, "GET", "/api/v1/login", undefined, {})).body, { needed: true, password: false });
		assert.equal((await logIn(h)).code, "password-refused");
		assert.equal((await set(h)).status, 204);
		assert.deepEqual((await ask(h, "GET", "/api/v1/login", undefined, {})).body, { needed: true, password: true });
		const { status, cookie } = await logIn(h);
		assert.equal(status, 204);
		assert.match(cookie ?? "", /; HttpOnly; SameSite=Strict; Max-Age=\d+$/);
		const session = await ask(h, "GET", "/api/v1/session", undefined, { cookie: cookieOf(cookie) });
		assert.deepEqual(session.body, { who: "session", passwordSet: true });
		assert.match(h.keeper.settings.get("passwordHash") ?? "", /^scrypt\$32768\$8\$1\$/);
		assert.equal((await logIn(h, `${password} `)).code, "password-refused");
		assert.equal((await logIn(harness({}, h.keeper))).status, 204);
	});

	it("is tried twenty times a minute, and then not looked at, even when it is right", async () => {
		const h = harness();
		await set(h, "a password");
		for (let count = 0; count < 20; count++) assert.equal((await logIn(h, "guess")).code, "password-refused");
		assert.equal((await logIn(h, "a password")).code, "too-many-attempts");
		h.clock.advance(60_000);
		assert.equal((await logIn(h, "a password")).status, 204);
	});

	it("is looked at one at a time: of many guesses at once most are refused unseen", async () => {
		const h = harness();
		await set(h);
		const codes = (await Promise.all(Array.from({ length: 12 }, () => logIn(h, "guess")))).map(({ code }) => code);
		assert.deepEqual(
			codes.toSorted(),
			[...Array(8).fill("password-refused"), ...Array(4).fill("too-many-attempts")].toSorted(),
		);
	});

	it("is not taken from the page of another site", async () => {
		const h = harness();
		await set(h);
		assert.equal((await logIn(h, password, { "sec-fetch-site": "cross-site" })).code, "cross-site");
		assert.equal((await logIn(h, password, { origin: "http://evil.example" })).code, "cross-site");
	});

	it("that changes ends every session but the asking one", async () => {
		const h = harness();
		await set(h);
		const [here, there] = [(await logIn(h)).cookie, (await logIn(h)).cookie];
		const changed = await set(h, "another password", { ...ownPage, cookie: cookieOf(here) });
		const status = async (cookie: string | undefined) =>
			(await ask(h, "GET", "/api/v1/devices", undefined, { cookie: cookieOf(cookie) })).status;
		assert.deepEqual([await status(here), await status(there), await status(changed.cookie)], [401, 401, 200]);
		assert.equal((await set(h, null)).status, 204);
		assert.deepEqual(
			[await status(changed.cookie), (await logIn(h, "another password")).code],
			[401, "password-refused"],
		);
	});

	it("is no word of less than eight letters", async () => {
		assert.equal((await set(harness(), "short")).code, "invalid-request");
	});
});

describe("sessions", () => {
	async function logIn(h: Harness): Promise<string> {
		const login = await h.http.fastify.inject({ url: `/?code=${h.http.createLoginCode()}` });
		return cookieOf(String(login.headers["set-cookie"]));
	}

	it("end with the logout, also where the cookie was copied to, after a restart too; others go on", async () => {
		const h = harness();
		const [cookie, other] = [await logIn(h), await logIn(h)];
		const out = await ask(h, "POST", "/api/v1/logout", undefined, { ...ownPage, cookie });
		assert.match(out.cookie ?? "", /^pi-netboot-\d+=; .*Max-Age=0$/);
		assert.equal(h.keeper.synced, 1);
		for (const server of [h, harness({}, h.keeper)]) {
			assert.equal((await ask(server, "GET", "/api/v1/devices", undefined, { cookie })).status, 401);
			assert.equal((await ask(server, "GET", "/api/v1/devices", undefined, { cookie: other })).status, 200);
		}
	});

	it("that somebody logged out of are kept until their time is over, and not without end", async () => {
		const h = harness();
		for (let count = 0; count < 510; count++) {
			await ask(h, "POST", "/api/v1/logout", undefined, { ...ownPage, cookie: await logIn(h) });
		}
		assert.equal(h.keeper.settings.get("endedSessions")?.split(" ").length, 500);
		h.clock.advance(31 * 24 * 3_600_000);
		await ask(h, "POST", "/api/v1/logout", undefined, { ...ownPage, cookie: await logIn(h) });
		assert.equal(h.keeper.settings.get("endedSessions")?.split(" ").length, 1);
	});

	it("end all at once, but for that of who asks", async () => {
		const h = harness();
		const cookie = await logIn(h);
		const ended = await ask(h, "DELETE", "/api/v1/sessions", undefined, { ...ownPage, cookie });
		const again = { cookie: cookieOf(ended.cookie) };
		assert.equal((await ask(h, "GET", "/api/v1/devices", undefined, { cookie })).status, 401);
		assert.equal((await ask(h, "GET", "/api/v1/devices", undefined, again)).status, 200);
		assert.equal((await ask(h, "DELETE", "/api/v1/sessions")).cookie, undefined);
	});
});

describe("who changed what", () => {
	it("is written down with the change, without what is secret", async () => {
		const h = harness();
		const hash = `$6$abcdefgh$${"x".repeat(86)}`;
		await ask(h, "PATCH", "/api/v1/devices/7bf18f79", { name: "bench", customisation: { passwordHash: hash } });
		await ask(h, "PATCH", "/api/v1/devices/7bf18f79", { customisation: { password: "hunter2" } });
		await ask(h, "PUT", "/api/v1/password", { password: "correct horse battery" });
		await ask(h, "POST", "/api/v1/images", { url: "https://user:s3cret@example.org/x.img" });
		await ask(h, "PATCH", "/api/v1/devices/7bf18f79", { name: "taken" });
		await ask(h, "GET", "/api/v1/devices");
		const { entries, next } = (await ask(h, "GET", "/api/v1/audit")).body;
		const short = entries.map((entry: Record<string, string>) => [
			entry.who,
			entry.action,
			entry.target,
			entry.details,
		]);
		assert.deepEqual(short, [
			["token", "addImage", null, "url"],
			["token", "setPassword", null, "password"],
			["token", "changeDevice", "7bf18f79", "customisation=(password)"],
			["token", "changeDevice", "7bf18f79", "name=bench, customisation=(passwordHash)"],
		]);
		assert.equal(next, null);
		const all = JSON.stringify(entries);
		for (const secret of [hash, "hunter2", "correct horse", "s3cret", token]) assert.ok(!all.includes(secret));
	});

	it("names who it was, logins too, and comes by pages", async () => {
		const h = harness();
		const { body } = await ask(h, "POST", "/api/v1/tokens", { name: "ci" });
		await ask(h, "PUT", "/api/v1/images/default", { id: null }, { authorization: `Bearer ${body.token}` });
		const login = await h.http.fastify.inject({ url: `/?code=${h.http.createLoginCode()}` });
		const cookie = cookieOf(String(login.headers["set-cookie"]));
		await ask(h, "PUT", "/api/v1/images/default", { id: null }, { ...ownPage, cookie });
		const pages = [];
		let before: number | null = 1e9;
		while (before !== null) {
			const page: { entries: Record<string, string>[]; next: number | null } = (
				await ask(h, "GET", `/api/v1/audit?limit=2&before=${before}`)
			).body;
			pages.push(page.entries.map(({ who, action }: Record<string, string>) => `${who} ${action}`));
			before = page.next;
		}
		assert.deepEqual(pages, [
			["session setDefaultImage", "link login"],
			["ci setDefaultImage", "token createToken"],
		]);
	});

	it("has uploads by the image that they make, not their pieces, and agents that were installed", async () => {
		const h = harness();
		const tus = { ...bearer, "tus-resumable": "1.0.0" };
		const metadata = `filename ${Buffer.from("new.img").toString("base64")}`;
		const begin = { ...tus, "upload-length": "3", "upload-metadata": metadata };
		const { headers } = await h.http.fastify.inject({ method: "POST", url: "/api/v1/uploads", headers: begin });
		const url = String(headers.location);
		const piece = { ...tus, "upload-offset": "0", "content-type": "application/offset+octet-stream" };
		await h.http.fastify.inject({ method: "PATCH", url, headers: piece, payload: Buffer.from("abc") });
		await h.http.fastify.inject({ method: "DELETE", url, headers: tus });
		const { code } = (await ask(h, "POST", "/api/v1/install-codes")).body;
		await ask(h, "POST", "/api/bootstrap/agent", { code }, {});
		assert.deepEqual(
			h.audit.entries.map(({ who, action, target }) => [who, action, target]),
			[
				["token", "createUpload", "new.img"],
				["token", "deleteUpload", "u1"],
				["token", "createInstallCode", null],
				["code", "introduceAgent", null],
			],
		);
		assert.ok(!JSON.stringify(h.audit.entries).includes(code));
	});

	it("that cannot be written does not undo the change", async () => {
		const h = harness();
		h.audit.insert = () => Promise.reject(new Error("the disk is full"));
		assert.equal((await ask(h, "PUT", "/api/v1/images/default", { id: null })).status, 200);
	});
});
