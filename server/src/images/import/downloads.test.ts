import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import fs from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import os from "node:os";
import path from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { silentLogger } from "../../base/index.ts";
import type { Arrived } from "../origins.ts";
import { Arrivals } from "./arrivals.ts";
import { Downloads } from "./downloads.ts";

const work = fs.mkdtempSync(path.join(os.tmpdir(), "downloads-"));

/** Gives the length of an image at once, and its bytes when a test says so. */
const held: ServerResponse[] = [];
const server = createServer((request, response) => {
	if (request.url === "/latest") return void response.writeHead(302, { location: "/2026-10-01-lite.img?x=1" }).end();
	if (request.url?.includes(".img") !== true || request.url.includes(".sha256"))
		return void response.writeHead(404).end();
	response.writeHead(200, { "content-length": 5, etag: '"one"' });
	response.flushHeaders();
	held.push(response);
	server.emit("held");
});
let origin = "";
let folder = "";

before(async () => {
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
beforeEach(() => {
	folder = fs.mkdtempSync(path.join(work, "images-"));
	held.length = 0;
});
after(() => {
	server.closeAllConnections();
	server.close();
	fs.rmSync(work, { recursive: true });
});

async function start() {
	const arrivals = new Arrivals(() => 0);
	const reserved = new Set<string>();
	const noted: Arrived[] = [];
	const place = {
		reserveId(file: string) {
			reserved.add(path.basename(file));
			return path.basename(file, ".img");
		},
		releaseId: (file: string) => void reserved.delete(path.basename(file)),
		noteArrival: async (_: unknown, arrived: Arrived) => void noted.push(arrived),
		refresh: async () => undefined,
	};
	const downloads = new Downloads({
		folder,
		arrivals,
		place,
		log: silentLogger,
		now: () => 7,
		limits: { reserveBytes: 0 },
	});
	await downloads.start();
	return { downloads, arrivals, reserved, noted };
}

async function asked(count: number): Promise<void> {
	while (held.length < count) await once(server, "held");
}

test("two run at a time, the others wait for them", async () => {
	const { downloads, arrivals, reserved } = await start();
	for (const name of ["a", "b", "c"]) await downloads.add({ url: `${origin}/${name}.img` });
	await asked(2);
	assert.deepEqual(
		arrivals.list().map(({ id, state }) => `${id} ${state}`),
		["a importing", "b importing", "c importing"],
	);
	for (const response of held) response.end("bytes");
	while (arrivals.list().length > 1) await once(arrivals.events, "ended");
	await asked(3);
	assert.equal(await downloads.cancel("c"), true);
	await downloads.stop();
	assert.deepEqual(fs.readdirSync(folder).sort(), ["a.img", "b.img"]);
	assert.deepEqual([arrivals.list(), [...reserved]], [[], []]);
});

test("the same file is fetched once, also when it is asked for twice at the same moment", async () => {
	const { downloads, arrivals } = await start();
	const url = `${origin}/a.img`;
	const both = await Promise.allSettled([downloads.add({ url }), downloads.add({ url })]);
	assert.deepEqual(
		both.map(({ status }) => status),
		["fulfilled", "rejected"],
	);
	await assert.rejects(downloads.add({ url }), { code: "image-exists" });
	await asked(1);
	const ended = once(arrivals.events, "ended");
	held[0]?.end("bytes");
	await ended;
	await downloads.stop();
	assert.equal(held.length, 1);
	await assert.rejects(downloads.add({ url }), { code: "image-exists" });
});

test("it is remembered how it came, without what lets one in there", async () => {
	const { downloads, arrivals, noted } = await start();
	const entry = { id: "lite", name: "Lite", unpackedBytes: 7 };
	await downloads.add({ url: `${origin.replace("//", "//user:word@")}/a.img?key=secret`, entry });
	assert.equal(arrivals.get("a")?.source, `${origin}/a.img`);
	await asked(1);
	const ended = once(arrivals.events, "ended");
	held[0]?.end("bytes");
	await ended;
	await downloads.stop();
	const sha256 = createHash("sha256").update("bytes").digest("hex");
	const from = { url: `${origin}/a.img`, at: 7, sha256, isChecked: false };
	assert.deepEqual(noted, [{ kind: "catalog", entry, ...from }]);
});

test("an address that names no image is asked where it leads", async () => {
	const { downloads, arrivals } = await start();
	await downloads.add({ url: `${origin}/latest` });
	assert.deepEqual(
		arrivals.list().map(({ name }) => name),
		["2026-10-01-lite.img"],
	);
	await assert.rejects(downloads.add({ url: `${origin}/none` }), { code: "import-name" });
	await downloads.stop();
});

test("not while the same name is being uploaded", async () => {
	const { downloads, arrivals } = await start();
	arrivals.names.claim("a.img", "upload");
	await assert.rejects(downloads.add({ url: `${origin}/a.img`, replace: true }), { code: "image-exists" });
	assert.deepEqual(fs.readdirSync(folder), []);
	arrivals.names.release("a.img");
	const { id } = await downloads.add({ url: `${origin}/a.img` });
	assert.throws(() => arrivals.names.claim("a.img", "upload"), { code: "image-exists" });
	assert.equal(await downloads.cancel(id), true);
	arrivals.names.claim("a.img", "upload");
	assert.deepEqual(fs.readdirSync(folder), []);
	await downloads.stop();
});

test("not more than a hundred wait", async () => {
	const { downloads, reserved } = await start();
	const all = Array.from({ length: 105 }, (_, number) => downloads.add({ url: `${origin}/${number}.img` }));
	const refused = (await Promise.allSettled(all)).filter(({ status }) => status === "rejected");
	assert.equal(refused.length, 5);
	assert.equal(reserved.size, 100);
	await downloads.stop();
});

test("what a stop interrupts goes on at the next start", async () => {
	const first = await start();
	await first.downloads.add({ url: `${origin}/a.img` });
	await asked(1);
	await first.downloads.stop();
	assert.deepEqual(fs.readdirSync(folder).sort(), [".a.img.part", ".a.img.part.json"]);
	const { downloads, arrivals } = await start();
	assert.equal(arrivals.get("a")?.remark?.code, "import-resumed");
	await asked(2);
	const ended = once(arrivals.events, "ended");
	held[1]?.end("bytes");
	await ended;
	await downloads.stop();
	assert.equal(fs.readFileSync(path.join(folder, "a.img"), "utf8"), "bytes");
});
