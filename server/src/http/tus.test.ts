import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { bearer, harness } from "./testing/harness.ts";

const PLACE = "/api/v1/uploads";
const tus = { ...bearer, "tus-resumable": "1.0.0" };
const filename = `filename ${Buffer.from("x.img").toString("base64")}`;
const piece = { ...tus, "content-type": "application/offset+octet-stream" };

async function begin() {
	const { http } = harness();
	const ask = (method: "HEAD" | "POST" | "PATCH" | "DELETE" | "OPTIONS", url: string, headers: object, payload = "") =>
		http.fastify.inject({ method, url, headers: { ...headers }, ...(payload !== "" && { payload }) });
	const made = await ask("POST", PLACE, { ...tus, "upload-length": "6", "upload-metadata": filename });
	return { ask, made, place: String(made.headers.location) };
}

describe("uploads by tus", () => {
	it("are made, asked for, continued and given up", async () => {
		const { ask, made, place } = await begin();
		assert.equal(made.statusCode, 201);
		assert.deepEqual([made.headers["upload-offset"], made.headers["image-id"]], ["0", "x.img"]);
		const first = await ask("PATCH", place, { ...piece, "upload-offset": "0" }, "abc");
		assert.deepEqual([first.statusCode, first.headers["upload-offset"]], [204, "3"]);
		const { statusCode, headers } = await ask("HEAD", place, tus);
		assert.deepEqual(
			[statusCode, headers["upload-offset"], headers["upload-length"], headers["cache-control"]],
			[200, "3", "6", "no-store"],
		);
		assert.equal((await ask("DELETE", place, tus)).statusCode, 204);
		assert.equal((await ask("HEAD", place, tus)).statusCode, 404);
		assert.equal((await ask("DELETE", place, tus)).json().error.code, "upload-not-found");
	});

	it("say what they can do", async () => {
		const { ask } = await begin();
		const { statusCode, headers } = await ask("OPTIONS", PLACE, bearer);
		assert.equal(statusCode, 204);
		assert.equal(headers["tus-version"], "1.0.0");
		assert.equal(headers["tus-extension"], "creation,checksum,termination");
	});

	it("refuse another offset, another type, another version, and a stranger", async () => {
		const { ask, place } = await begin();
		const code = async (...request: Parameters<typeof ask>) => (await ask(...request)).json().error.code;
		assert.equal(await code("PATCH", place, { ...piece, "upload-offset": "5" }, "x"), "upload-offset");
		assert.equal(await code("PATCH", place, { ...piece, "upload-offset": "-1" }, "x"), "invalid-request");
		const text = { ...tus, "content-type": "application/json", "upload-offset": "0" };
		assert.equal(await code("PATCH", place, text, "{}"), "media-type");
		assert.equal(await code("PATCH", place, { ...bearer, "upload-offset": "0" }, "x"), "tus-version");
		const wrongSum = { ...piece, "upload-offset": "0", "upload-checksum": "md5 AAAA" };
		assert.equal(await code("PATCH", place, wrongSum, "x"), "invalid-request");
		assert.equal(await code("DELETE", place, { "tus-resumable": "1.0.0" }), "unauthorized");
		assert.equal(await code("POST", PLACE, { ...tus, "upload-metadata": filename }), "invalid-request");
		assert.equal(await code("POST", PLACE, { ...tus, "upload-length": "3" }), "invalid-request");
		const long = { ...tus, "upload-length": "3", "upload-metadata": `filename ${"A".repeat(5000)}` };
		assert.equal(await code("POST", PLACE, long), "invalid-request");
		const taken = `filename ${Buffer.from("taken.img").toString("base64")}`;
		assert.equal(await code("POST", PLACE, { ...tus, "upload-length": "3", "upload-metadata": taken }), "image-exists");
	});

	it("take a body that is larger than any of the API", async () => {
		const { ask, place } = await begin();
		const answer = await ask("PATCH", place, { ...piece, "upload-offset": "0" }, "x".repeat(200_000));
		assert.deepEqual([answer.statusCode, answer.headers["upload-offset"]], [204, "200000"]);
	});
});
