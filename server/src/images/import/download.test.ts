import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fs from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import os from "node:os";
import path from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";
import { ClosedError } from "../../base/index.ts";
import { type DownloadOptions, download } from "./download.ts";
import { ImportError } from "./import-error.ts";
import { findInterrupted } from "./partial-file.ts";
import { nextAddress } from "./request.ts";

const CONTENT = createHash("shake256", { outputLength: 3_000_000 }).digest();
const SHA256 = createHash("sha256").update(CONTENT).digest("hex");

const dir = fs.mkdtempSync(path.join(os.tmpdir(), "download-"));
let folder = "";
let made = 0;

/** What the server was asked for, and how it answers: by path. */
const asked: string[] = [];
type Handler = (request: IncomingMessage, response: ServerResponse) => void;
let routes: Record<string, Handler> = {};
const server = createServer((request, response) => {
	const { range } = request.headers;
	asked.push(`${request.url}${range === undefined ? "" : ` ${range} if ${request.headers["if-range"]}`}`);
	const route = routes[request.url ?? ""];
	if (route !== undefined) route(request, response);
	else response.writeHead(404).end("<html>no such file</html>");
});
let origin = "";

before(async () => {
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
beforeEach(() => {
	folder = path.join(dir, `images-${made++}`);
	fs.mkdirSync(folder);
	asked.length = 0;
	routes = {};
});
after(() => {
	server.closeAllConnections();
	server.close();
	fs.rmSync(dir, { recursive: true });
});

/** Serves the file; `cutAt` ends each answer after so many bytes of it. */
function file(options: { etag?: string; cutAt?: number; bytes?: Buffer; noRange?: boolean } = {}): Handler {
	const { etag = '"one"', cutAt = Number.POSITIVE_INFINITY, bytes = CONTENT, noRange = false } = options;
	return (request, response) => {
		const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
		const isPart = start > 0 && !noRange && request.headers["if-range"] === etag;
		const from = isPart ? start : 0;
		const part = bytes.subarray(from);
		const range = isPart ? { "content-range": `bytes ${from}-${bytes.length - 1}/${bytes.length}` } : {};
		response.writeHead(isPart ? 206 : 200, { etag, "content-length": part.length, ...range });
		if (part.length <= cutAt) response.end(part);
		else response.write(part.subarray(0, cutAt), () => response.destroy());
	};
}

const get = (name: string, more: Partial<DownloadOptions> = {}) =>
	download({ url: `${origin}/${name}`, folder, backoffMs: 1, attempts: 3, ...more });

async function fails(promise: Promise<unknown>, code: string, message: RegExp, left: readonly string[] = []) {
	await assert.rejects(promise, (error) => {
		assert.ok(error instanceof ImportError, String(error));
		assert.deepEqual([error.code, fs.readdirSync(folder).sort()], [code, left]);
		assert.match(error.message, message);
		return true;
	});
}

describe("a download", () => {
	test("arrives under its name, over redirects, with the checksum that lies beside it", async () => {
		routes["/old/pi.img.xz"] = (_request, response) => response.writeHead(302, { location: "../new" }).end();
		routes["/new"] = (_request, response) => response.writeHead(307, { location: `${origin}/real/pi.img.xz` }).end();
		routes["/real/pi.img.xz"] = file();
		routes["/old/pi.img.xz.sha256"] = (_request, response) => response.end(`${SHA256}  pi.img.xz\n`);
		const seen: number[] = [];
		const result = await get("old/pi.img.xz", { onProgress: ({ bytes, total }) => seen.push(bytes / (total ?? 0)) });
		const expected = path.join(folder, "pi.img.xz");
		assert.deepEqual(result, { path: expected, bytes: CONTENT.length, sha256: SHA256, isChecked: true });
		assert.ok(fs.readFileSync(expected).equals(CONTENT));
		assert.deepEqual(fs.readdirSync(folder), ["pi.img.xz"]);
		assert.equal(seen.at(-1), 1);
	});

	test("goes on behind each cut, and fetches no byte twice", async () => {
		routes["/pi.img"] = file({ cutAt: 1_000_000 });
		const { isChecked } = await get("pi.img", { sha256: SHA256.toUpperCase() });
		assert.equal(isChecked, true);
		const ranges = asked.map((line) => Number(/bytes=(\d+)-/.exec(line)?.[1] ?? 0));
		assert.deepEqual(
			ranges,
			[...ranges].sort((a, b) => a - b),
		);
		assert.ok(asked.length >= 3 && asked.slice(1).every((line) => line.endsWith('if "one"')), asked.join());
	});

	test("begins anew when the server's file is another one now, or it cannot give parts", async () => {
		let count = 0;
		routes["/pi.img"] = (request, response) =>
			(count++ === 0 ? file({ etag: '"other"', bytes: Buffer.alloc(2_000_000, 1), cutAt: 500_000 }) : file())(
				request,
				response,
			);
		assert.equal((await get("pi.img", { sha256: SHA256 })).bytes, CONTENT.length);
		routes["/whole.img"] = (request, response) =>
			file({ noRange: true, cutAt: count++ < 4 ? 100_000 : 2 ** 30 })(request, response);
		assert.equal((await get("whole.img", { sha256: SHA256, attempts: 9 })).bytes, CONTENT.length);
	});

	test("begins anew where a server gives a part of whatever the file is now", async () => {
		let etag = '"other"';
		routes["/pi.img"] = (request, response) => {
			const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
			const range = from > 0 ? { "content-range": `bytes ${from}-${CONTENT.length - 1}/${CONTENT.length}` } : {};
			response.writeHead(from > 0 ? 206 : 200, { etag, "content-length": CONTENT.length - from, ...range });
			if (etag === '"one"') response.end(CONTENT.subarray(from));
			else response.write(Buffer.alloc(500_000, 1), () => response.destroy());
			etag = '"one"';
		};
		assert.equal((await get("pi.img", { sha256: SHA256 })).sha256, SHA256);
		assert.match(asked.join(), /bytes=\d+- if "other",\/pi\.img$/);
	});

	test("finds its checksum in the forms that mirrors have", async () => {
		const forms: Record<string, string> = {
			"pi.img.sha256": SHA256.toUpperCase(),
			"pi.img.sha256sum": `${SHA256} *elsewhere/pi-of-another-name.img\n`,
			SHA256SUMS: `${"0".repeat(64)}  other.img\n${SHA256}  ./pi.img\n`,
			sha256sums: `SHA256 (other.img) = ${"0".repeat(64)}\nSHA256 (pi.img) = ${SHA256}\n`,
		};
		for (const [name, text] of Object.entries(forms)) {
			routes = { "/os/pi.img": file(), [`/os/${name}`]: (_request, response) => response.end(text) };
			assert.equal((await get("os/pi.img", { replace: true })).isChecked, true, name);
		}
		routes = {
			"/os/pi.img": file(),
			"/os/SHA256SUMS": (_, response) => response.end(`${"0".repeat(64)}  other.img\n`),
		};
		assert.equal((await get("os/pi.img", { replace: true })).isChecked, false);
	});

	test("says why it is tried again, and of the whole file what it is, before it has its name", async () => {
		routes["/pi.img"] = file({ cutAt: 1_000_000 });
		const said: string[] = [];
		await get("pi.img", {
			onRetry: ({ code }) => said.push(code),
			onWhole: async ({ size }, { sha256, isChecked }) => {
				assert.equal(fs.existsSync(path.join(folder, "pi.img")), false);
				said.push(`${size} ${sha256 === SHA256} ${isChecked}`);
			},
		});
		assert.deepEqual([...new Set(said)], ["download-unreachable", `${CONTENT.length} true false`]);
	});

	test("has its name already when the server was killed before it lost the old one", async () => {
		routes["/pi.img"] = file();
		fs.writeFileSync(path.join(folder, ".pi.img.part"), CONTENT);
		fs.linkSync(path.join(folder, ".pi.img.part"), path.join(folder, "pi.img"));
		const notes = { url: `${origin}/pi.img`, validator: '"one"', total: CONTENT.length };
		fs.writeFileSync(path.join(folder, ".pi.img.part.json"), JSON.stringify(notes));
		assert.equal((await get("pi.img", { replace: false })).sha256, SHA256);
		assert.deepEqual(fs.readdirSync(folder), ["pi.img"]);
	});

	test("goes on after a restart with what is there", async () => {
		routes["/pi.img"] = file({ cutAt: 1_000_000 });
		const stop = new AbortController();
		const onProgress = () => stop.abort(new ClosedError("the server stops"));
		const left = [".pi.img.part", ".pi.img.part.json"];
		await fails(
			get("pi.img", { sha256: SHA256, signal: stop.signal, onProgress }),
			"import-cancelled",
			/cancelled/,
			left,
		);
		fs.writeFileSync(path.join(folder, ".other.img.part"), "somebody else's");
		fs.writeFileSync(path.join(folder, ".gone.img.part.json"), '{"url":"http://x/"}');
		fs.writeFileSync(path.join(folder, ".torn.img.part"), "with notes that cannot be read");
		fs.writeFileSync(path.join(folder, ".torn.img.part.json"), "{");
		const [interrupted, ...others] = await findInterrupted(folder);
		assert.deepEqual(
			[interrupted?.name, interrupted?.url, interrupted?.sha256, others.length],
			["pi.img", `${origin}/pi.img`, SHA256, 0],
		);
		assert.deepEqual(fs.readdirSync(folder).sort(), [".other.img.part", ...left]);
		asked.length = 0;
		assert.equal((await get("pi.img", { sha256: SHA256 })).sha256, SHA256);
		assert.match(asked[0] ?? "", /bytes=\d+- if "one"/);
	});
});

describe("what goes wrong has its own sentence, and leaves nothing", () => {
	test("nothing there, refused, no such host's port", async () => {
		await fails(get("none.img"), "download-not-found", /There is nothing at http.*404/);
		routes["/secret.img"] = (_request, response) => response.writeHead(403).end();
		await fails(get("secret.img"), "download-refused", /answers 403/);
		const url = "http://127.0.0.1:1/pi.img";
		await fails(get("", { url }), "download-unreachable", /127\.0\.0\.1:1 cannot be reached: it refuses/);
	});

	test("a wrong checksum", async () => {
		routes["/pi.img"] = file();
		await fails(get("pi.img", { sha256: "0".repeat(64) }), "download-checksum", /another checksum .* expected 0000/);
		await fails(get("pi.img", { sha256: "12" }), "download-checksum", /64 hexadecimal/);
	});

	test("a server that stalls, and one that cuts everything off", async () => {
		routes["/stall.img"] = (_request, response) => void response.writeHead(200, { "content-length": 5000 }).write("x");
		await fails(get("stall.img", { stallMs: 60 }), "download-stalled", /sent nothing for/);
		routes["/cut.img"] = (_request, response) => void response.destroy();
		await fails(get("cut.img"), "download-unreachable", /closed the connection|hang up/);
		routes["/again.img"] = (request, response) =>
			request.headers.range === undefined ? file({ cutAt: 100_000 })(request, response) : response.writeHead(416).end();
		await fails(get("again.img"), "download-unreachable", /closed the connection|aborted|of 3000000 bytes/);
		routes["/busy.img"] = (_request, response) => void response.writeHead(503).end();
		await fails(get("busy.img"), "download-unreachable", /it answers 503/);
		assert.equal(asked.filter((line) => line === "/busy.img").length, 3);
	});

	test("redirects without end, or to somewhere that is not the web", async () => {
		routes["/loop.img"] = (_request, response) => response.writeHead(302, { location: "/loop.img" }).end();
		await fails(get("loop.img"), "download-redirects", /more than 10 redirects/);
		routes["/local.img"] = (_request, response) => response.writeHead(302, { location: "file:///etc/passwd" }).end();
		await fails(get("local.img"), "download-address", /must begin with http/);
		for (const url of ["file:///etc/passwd", "pi.img", "ftp://host/pi.img"]) {
			await assert.rejects(get("", { url }), { code: "download-address" });
		}
		for (const name of ["../pi.img", ".pi.img", "notes.txt", ""]) {
			await assert.rejects(get("pi.img", { name }), { code: "import-name" });
		}
	});

	test("redirects that give up https, unless it is known what has to come", () => {
		const from = new URL("https://x.example/pi.img");
		assert.throws(() => nextAddress(from, "http://y.example/pi.img", false), { code: "download-redirects" });
		assert.equal(nextAddress(from, "http://y.example/pi.img", true).href, "http://y.example/pi.img");
		assert.equal(nextAddress(from, "/z.img", false).href, "https://x.example/z.img");
		assert.equal(nextAddress(new URL("http://x.example/"), "https://y.example/", false).protocol, "https:");
	});

	test("a full disk, and a file larger than any disk", async () => {
		routes["/pi.img"] = file();
		await fails(get("pi.img", { limits: { reserveBytes: 2 ** 52 } }), "import-no-space", /not enough room/);
		await fails(get("pi.img", { limits: { mostBytes: 1000 } }), "import-too-large", /more than 1\.0 kB/);
	});

	test("given up when it is whole, and has no name yet", async () => {
		routes["/pi.img"] = file();
		const stop = new AbortController();
		const onWhole = async () => stop.abort();
		await fails(get("pi.img", { signal: stop.signal, onWhole }), "import-cancelled", /cancelled/);
	});

	test("cancelled", async () => {
		routes["/pi.img"] = file();
		const stop = new AbortController();
		await fails(
			get("pi.img", { signal: stop.signal, onProgress: () => stop.abort() }),
			"import-cancelled",
			/cancelled/,
		);
		await fails(get("pi.img", { signal: stop.signal }), "import-cancelled", /cancelled/);
	});
});
