import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { after, describe, it } from "node:test";
import { CreatedToken } from "@pi-netboot/api";
import { bearer, type Harness, harness } from "./testing/harness.ts";
import { logLine, sampleDevice } from "./testing/samples.ts";

const started: Harness[] = [];
after(() => Promise.all(started.map((h) => h.http.stop())));

async function listening(): Promise<Harness> {
	const h = harness();
	await h.http.start();
	started.push(h);
	return h;
}

const url = (h: Harness, path: string) => `http://127.0.0.1:${h.http.port}${path}`;

/** Reads the stream until it holds `text`. */
async function readUntil(reader: ReadableStreamDefaultReader<Uint8Array>, text: string): Promise<string> {
	const decoder = new TextDecoder();
	let all = "";
	while (!all.includes(text)) {
		const { value, done } = await reader.read();
		if (done) throw new Error(`the stream ended with: ${all}`);
		all += decoder.decode(value, { stream: true });
	}
	return all;
}

async function openStream(h: Harness, query = "", headers: Record<string, string> = bearer) {
	const response = await fetch(url(h, `/api/v1/events${query}`), { headers });
	assert.equal(response.status, 200);
	assert.ok(response.body !== null);
	const reader = response.body.getReader();
	await readUntil(reader, "retry: 2000\n\n");
	return { response, reader };
}

describe("live events", () => {
	it("arrive as server-sent events, each under its type", async () => {
		const h = await listening();
		const { response, reader } = await openStream(h);
		assert.match(response.headers.get("content-type") ?? "", /^text\/event-stream/);
		assert.equal(response.headers.get("x-content-type-options"), "nosniff");
		h.services.events.publish({
			type: "device",
			data: { id: "7bf18f79", formerId: "88a29e114ecc", device: sampleDevice },
		});
		h.services.events.publish({ type: "log", data: logLine("two\nlines") });
		const text = await readUntil(reader, "lines");
		const [device, log] = text.split("\n\n");
		assert.equal(device?.split("\n")[0], "event: device");
		assert.deepEqual(JSON.parse(/^data: (.*)$/m.exec(device ?? "")?.[1] ?? "").device, sampleDevice);
		assert.match(log ?? "", /^event: log\ndata: \{.*"message":"two\\nlines"/);
		await reader.cancel();
	});

	it("come only of the types that were asked for", async () => {
		const h = await listening();
		const { reader } = await openStream(h, "?types=image,log");
		h.services.events.publish({ type: "device", data: { id: "7bf18f79" } });
		h.services.events.publish({ type: "image", data: { id: "old" } });
		assert.match(await readUntil(reader, "old"), /^event: image\ndata: \{"id":"old"\}\nid: [0-9a-f]{8}-2\n\n$/);
		await reader.cancel();
	});

	it("that were missed are sent to who comes back, and to nobody twice", async () => {
		const h = await listening();
		const { events } = h.services;
		const first = await openStream(h);
		events.publish({ type: "image", data: { id: "seen" } });
		const seen = /^id: (\S+)$/m.exec(await readUntil(first.reader, "\n\n"))?.[1] ?? "";
		await first.reader.cancel();
		events.publish({ type: "image", data: { id: "missed" } });
		events.publish({ type: "log", data: logLine("missed too") });
		const response = await fetch(url(h, "/api/v1/events"), { headers: { ...bearer, "last-event-id": seen } });
		const reader = response.body?.getReader();
		assert.ok(reader);
		const missed = readUntil(reader, `id: ${events.lastId}\n\n`);
		assert.deepEqual(
			[...(await missed).matchAll(/^event: (\w+)$/gm)].map((match) => match[1]),
			["image", "log"],
		);
		assert.doesNotMatch(await missed, /seen/);
		await reader.cancel();
	});

	it("begin with reset for who missed more than is remembered, or knew another run of the server", async () => {
		const h = await listening();
		const { lastId } = h.services.events;
		for (const id of ["00000000-5", "nonsense", `${lastId}9`, "-", "a".repeat(64), `${lastId}-\nevent: device`]) {
			const after = encodeURIComponent(id);
			const response = await fetch(url(h, `/api/v1/events?types=image&after=${after}`), { headers: bearer });
			const reader = response.body?.getReader();
			assert.ok(reader);
			assert.match(await readUntil(reader, "{}\n\n"), /^id: \S+\nretry: 2000\n\nevent: reset\ndata: \{\}\n\n$/);
			await reader.cancel();
		}
	});

	it("carry a sign of life when nothing happens", async () => {
		const h = await listening();
		const { reader } = await openStream(h);
		h.clock.advance(40_000);
		const { lastId } = h.services.events;
		const sign = `: still here\nid: ${lastId}\n\n`;
		assert.equal(await readUntil(reader, sign + sign), sign + sign);
		await reader.cancel();
	});

	it("end with the token that they were asked with, and no others do", async () => {
		const h = await listening();
		const made = await fetch(url(h, "/api/v1/tokens"), {
			method: "POST",
			headers: { ...bearer, "content-type": "application/json" },
			body: JSON.stringify({ name: "screen" }),
		});
		const { id, token } = CreatedToken.parse(await made.json());
		const named = await openStream(h, "", { authorization: `Bearer ${token}` });
		const other = await openStream(h);
		await fetch(url(h, `/api/v1/tokens/${id}`), { method: "DELETE", headers: bearer });
		h.clock.advance(1000);
		assert.equal((await named.reader.read()).done, true);
		h.services.events.publish({ type: "image", data: { id: "later" } });
		await readUntil(other.reader, "later");
		await other.reader.cancel();
	});

	it("end with all sessions, and with one whose time is over", async () => {
		const h = await listening();
		const logIn = async (days = 0) => {
			const login = await fetch(url(h, `/?code=${h.http.createLoginCode()}`), { redirect: "manual" });
			h.clock.advance(days * 24 * 3_600_000);
			return openStream(h, "", { cookie: login.headers.get("set-cookie")?.split(";")[0] ?? "" });
		};
		const first = await logIn();
		await fetch(url(h, "/api/v1/sessions"), { method: "DELETE", headers: bearer });
		h.clock.advance(1000);
		assert.equal((await first.reader.read()).done, true);
		const second = await logIn(29.9999);
		h.clock.advance(20_000);
		assert.equal((await second.reader.read()).done, true);
	});

	it("end when the server stops, which does not wait for them", async () => {
		const h = await listening();
		const { reader } = await openStream(h);
		await h.http.stop();
		assert.equal((await reader.read()).done, true);
	});

	it("cut off a reader that does not read, and nobody else", async () => {
		const h = await listening();
		const { reader } = await openStream(h, "?types=image");
		const slow = connect(h.http.port, "127.0.0.1");
		slow.write(`GET /api/v1/events HTTP/1.1\r\nhost: localhost\r\nauthorization: ${bearer.authorization}\r\n\r\n`);
		await once(slow, "readable");
		const closed = once(slow, "close");
		const line = logLine("x".repeat(64 * 1024));
		// Far more than the kernel's socket buffers and ours together.
		for (let count = 0; count < 400; count++) h.services.events.publish({ type: "log", data: line });
		slow.on("error", () => slow.destroy());
		slow.resume();
		await closed;
		h.services.events.publish({ type: "image", data: { id: "old" } });
		await readUntil(reader, "old");
		await reader.cancel();
	});

	it("have a limit of 64 listeners", async () => {
		const h = await listening();
		const streams = await Promise.all(Array.from({ length: 64 }, () => openStream(h)));
		const refused = await fetch(url(h, "/api/v1/events"), { headers: bearer });
		assert.equal(refused.status, 503);
		assert.match(await refused.text(), /"unavailable"/);
		await Promise.all(streams.map(({ reader }) => reader.cancel()));
	});
});

describe("a real socket", () => {
	it("logs in, keeps the cookie and reads a list", async () => {
		const h = await listening();
		const login = await fetch(url(h, `/?code=${h.http.createLoginCode()}`), { redirect: "manual" });
		assert.equal(login.status, 303);
		const cookie = login.headers.get("set-cookie")?.split(";")[0] ?? "";
		const devices = await fetch(url(h, "/api/v1/devices"), { headers: { cookie } });
		assert.deepEqual(await devices.json(), { devices: [sampleDevice], next: null });
	});

	it("answers what is no HTTP in the one form of errors", async () => {
		const h = await listening();
		const socket = connect(h.http.port, "127.0.0.1");
		socket.end("\x16\x03\x01 this is TLS\r\n\r\n");
		const chunks = await socket.toArray();
		const [head, body] = Buffer.concat(chunks).toString().split("\r\n\r\n");
		assert.match(head ?? "", /^HTTP\/1\.1 400 /);
		assert.equal(JSON.parse(body ?? "").error.code, "invalid-request");
	});

	it("that is taken gives an error with the system's code", async () => {
		const h = await listening();
		const second = harness({ port: h.http.port });
		await assert.rejects(second.http.start(), { name: "ExternalError", code: "EADDRINUSE" });
		await second.http.stop();
	});
});
