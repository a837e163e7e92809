/** What clients of the predecessor ask on port 8888, with the curl lines of its README. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import type { AgentServer } from "../harness/agent-server.ts";
import { eventually } from "../harness/eventually.ts";
import type { Imager } from "../harness/imager.ts";
import { lacks } from "../harness/needs.ts";
import { BenchTop, PROGRAMS } from "./bench-top.ts";

const skip = await lacks(PROGRAMS);

describe("port 8888", { skip }, () => {
	let top: BenchTop;
	let server: AgentServer;
	let agent: Imager;
	let image: Buffer;
	before(async () => {
		top = await BenchTop.open(8);
		server = await top.serve();
		agent = await top.agent();
		image = readFileSync(top.image);
		const gz = gzipSync(image, { level: 1 });
		const give = (name: string, bytes: Buffer) =>
			server.files.set(name, (response) => response.writeHead(200, { "content-length": bytes.length }).end(bytes));
		give("image.img", image);
		give("image.img.gz", gz);
		// Two members one behind the other, as `cat a.gz b.gz` makes them.
		give("members.gz", Buffer.concat([gzipSync(image.subarray(0, 5_000_001)), gzipSync(image.subarray(5_000_001))]));
		server.files.set("cut.img.gz", (response) => response.end(gz.subarray(0, gz.length / 2)));
		server.files.set("cut.img", (response) => {
			response.writeHead(200, { "content-length": image.length });
			response.write(image.subarray(0, image.length / 2), () => response.destroy());
		});
		give("huge.gz", gzipSync(Buffer.alloc(image.length + 4096, 1)));
		give("empty.img", Buffer.alloc(0));
		const damaged = Buffer.from(gz);
		damaged.fill(0, 100_000, 100_100);
		give("damaged.gz", damaged);
	});
	after(() => top.close());

	async function written(name: string, device: string): Promise<Record<string, unknown>> {
		const answer = await agent.writeImage(device, `${server.url}/files/${name}`);
		assert.deepEqual([answer.status, answer.body.success, typeof answer.body.message], [200, true, "string"]);
		return eventually("the end of the write", async () => {
			const { body } = await agent.status();
			return body.state === "running" ? undefined : body;
		});
	}

	it("GET /health answers everybody", async () => {
		assert.deepEqual(await agent.ask("/health"), { status: 200, body: { service: "netboot-imager", status: "ok" } });
		const stranger = await top.agent({ config: { allowed_ips: ["192.0.2.0/24", "192.0.2.1"] } });
		assert.equal((await stranger.ask("/health")).status, 200);
		assert.equal((await stranger.status()).status, 403);
		assert.equal((await stranger.writeImage("/dev/loop0", `${server.url}/files/image.img`)).status, 403);
	});

	it("writes .img and .img.gz, all of it", async () => {
		for (const name of ["image.img", "image.img.gz", "members.gz"]) {
			const { device, file } = await top.disks.loop(top.size);
			const end = await written(name, device);
			assert.deepEqual([end.state, end.percent, end.error], ["complete", 100, null], name);
			assert.ok(readFileSync(file).equals(image), name);
		}
	});

	it("a download that is cut, damaged, empty, missing or too large is a failure", async () => {
		const { device } = await top.disks.loop(top.size);
		const failures: [string, string][] = [
			["cut.img", "download-cut"],
			["cut.img.gz", "download-cut"],
			["damaged.gz", "download-damaged"],
			["empty.img", "download-cut"],
			["nothing.img", "download-failed"],
			["huge.gz", "too-small"],
		];
		for (const [name, code] of failures) {
			const end = await written(name, device);
			assert.deepEqual([end.state, (end.error as { code: string }).code], ["failed", code], name);
			await top.assertDoesNotBoot(device);
		}
	});

	it("refuses a wrong token, a foreign source, and nonsense", async () => {
		const { device, file } = await top.disks.loop(top.size);
		const url = `${server.url}/files/image.img`;
		assert.equal((await agent.writeImage(device, url, "openseastack-netboot-2024")).status, 401);
		for (const foreign of [
			"http://192.0.2.9/image.img",
			"https://127.0.0.1/x",
			"file:///etc/shadow",
			"http://[",
			"x",
		]) {
			assert.equal((await agent.writeImage(device, foreign)).status, 400, foreign);
		}
		assert.equal((await agent.writeImage("/dev/sda", url)).status, 400);
		const token = ["-H", "X-Netboot-Token: the token of config.json"];
		for (const body of ["", "[]", "{}", '{"device":1,"image_url":2}', "{".repeat(1000)]) {
			assert.equal((await agent.ask("/write-image", "-X", "POST", ...token, "-d", body)).status, 400, body);
		}
		assert.equal((await agent.ask("/write-image", ...token)).status, 404);
		assert.equal(readFileSync(file).subarray(0, 5).toString(), "stale");
	});
});
