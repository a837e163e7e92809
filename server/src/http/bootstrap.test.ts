import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { describe, it } from "node:test";
import type { DownloadLink, InstallCode } from "@pi-netboot/api";
import { bearer, type Harness, harness } from "./testing/harness.ts";

const MINUTE = 60_000;
const IMAGE = Buffer.from("the image");

/** A server with one image, `raspios-trixie`; counts those that were given back. */
function withImage(): Harness & { readonly closed: () => number } {
	let closed = 0;
	const h = harness();
	const image = async (name: string) =>
		name !== "raspios-trixie"
			? undefined
			: {
					name: "raspios trixie.img",
					size: IMAGE.length,
					etag: '"1"',
					read: (start: number, end: number) => Readable.from([IMAGE.subarray(start, end)]),
					close: () => void closed++,
				};
	Object.assign(h.services.bootstrap, { image });
	return { ...h, closed: () => closed };
}

async function ask(h: Harness, url: string, headers: Record<string, string> = {}, method: "GET" | "HEAD" = "GET") {
	const answer = await h.http.fastify.inject({ method, url, headers });
	return { status: answer.statusCode, headers: answer.headers, body: answer.body };
}

async function order<T>(h: Harness, url: string, payload: object = {}): Promise<T> {
	const answer = await h.http.fastify.inject({ method: "POST", url, headers: bearer, payload });
	assert.equal(answer.statusCode, 200, answer.body);
	return answer.json() as T;
}

const DOWNLOAD = "/api/images/download/raspios-trixie";

describe("the install script", () => {
	it("answers everybody, with the address that they asked and no secret", async () => {
		const answer = await ask(harness(), "/api/bootstrap/install-script", { host: "192.0.2.2:38434" });
		assert.deepEqual([answer.status, answer.body], [200, "#!/bin/sh\n# http://192.0.2.2:38434\n"]);
		const { status } = await ask(harness(), "/api/bootstrap/install-script", { host: "$(reboot)" });
		assert.notEqual(status, 200);
	});

	it("gets a config.json for a code, once", async () => {
		const h = harness();
		const { code, command } = await order<InstallCode>(h, "/api/v1/install-codes");
		assert.equal(command, `curl -fsS http://192.0.2.1:38434/api/bootstrap/install-script | sudo sh -s -- ${code}`);
		const introduce = (body: object) =>
			h.http.fastify.inject({ method: "POST", url: "/api/bootstrap/agent", payload: body });
		const first = await introduce({ code: code.toUpperCase() });
		assert.deepEqual([first.statusCode, first.json()], [200, { agent_id: "0123456789abcdef" }]);
		assert.deepEqual(h.services.calls, [["127.0.0.1", "http://localhost:80"]]);
		assert.equal((await introduce({ code })).json().error.code, "code-refused");
		assert.equal((await introduce({})).json().error.code, "invalid-request");
		const late = await order<InstallCode>(h, "/api/v1/install-codes");
		h.clock.advance(16 * MINUTE);
		assert.equal((await introduce({ code: late.code })).json().error.code, "code-refused");
	});

	it("is not let in by a code for something else, nor by trying", async () => {
		const h = withImage();
		const introduce = (code: string | undefined) =>
			h.http.fastify.inject({ method: "POST", url: "/api/bootstrap/agent", payload: { code } });
		const login = h.http.createLoginCode();
		assert.equal((await introduce(login)).json().error.code, "code-refused");
		const { code } = await order<InstallCode>(h, "/api/v1/install-codes");
		assert.equal((await ask(h, `/?code=${code}`)).status, 401);
		assert.equal((await ask(h, `${DOWNLOAD}?code=${code}`)).status, 401);
		for (let count = 0; count < 20; count++) await introduce("guess");
		assert.equal((await introduce("guess")).statusCode, 429);
		assert.equal((await introduce(code)).statusCode, 200);
	});
});

describe("an image as a file", () => {
	it("wants the token, an agent's signature, or a code", async () => {
		const h = withImage();
		assert.equal((await ask(h, DOWNLOAD)).status, 401);
		assert.equal((await ask(h, DOWNLOAD, { "x-netboot-agent": "0123456789abcdef" })).status, 401);
		const answer = await ask(h, DOWNLOAD, bearer);
		assert.deepEqual([answer.status, answer.body], [200, "the image"]);
		assert.equal(answer.headers["content-disposition"], "attachment; filename*=UTF-8''raspios%20trixie.img");
		const { path } = await order<DownloadLink>(h, "/api/v1/images/raspios-trixie/links");
		assert.equal((await ask(h, path)).body, "the image");
		assert.equal((await ask(h, path)).status, 401);
		const other = await order<DownloadLink>(h, "/api/v1/images/raspios-trixie/links");
		assert.equal((await ask(h, other.path.replace("raspios-trixie", "other"))).status, 401);
	});

	it("is there whole, in part, as a head, and not again for who has it", async () => {
		const h = withImage();
		const part = await ask(h, DOWNLOAD, { ...bearer, range: "bytes=4-6" });
		assert.deepEqual([part.status, part.body, part.headers["content-range"]], [206, "ima", "bytes 4-6/9"]);
		const head = await ask(h, DOWNLOAD, bearer, "HEAD");
		assert.deepEqual([head.status, head.body, head.headers["content-length"]], [200, "", "9"]);
		assert.equal((await ask(h, DOWNLOAD, { ...bearer, "if-none-match": '"1"' })).status, 304);
		const changed = await ask(h, DOWNLOAD, { ...bearer, range: "bytes=4-6", "if-range": '"0"' });
		assert.deepEqual([changed.status, changed.body], [200, "the image"]);
		assert.equal((await ask(h, DOWNLOAD, { ...bearer, range: "bytes=9-" })).status, 416);
		assert.equal(h.closed(), 3);
	});

	it("is not there for a name that is none", async () => {
		for (const name of ["nothing", "..%2f..%2fetc%2fpasswd", "a%00b"]) {
			const { status, body } = await ask(withImage(), `/api/images/download/${name}`, bearer);
			assert.deepEqual([status, JSON.parse(body).error.code], [404, "image-not-found"], name);
		}
	});
});
