import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { describe, it } from "node:test";
import { ManualClock } from "../base/index.ts";
import { Bench, pi4 } from "../devices/testing/pis.ts";
import { AgentGate, bootKeys, type PackFile, signAnswer, signRequest } from "../writes/index.ts";
import { inventory } from "../writes/testing/floor.ts";
import { fakeServices } from "./testing/fake-services.ts";
import { harness } from "./testing/harness.ts";

const ADDRESS = "192.0.2.20";
const PACK = Buffer.from("0123456789");
const NAME = "ab".repeat(32);
let nonces = 0;

function file(name: string, bytes: Buffer): PackFile {
	const read = (start: number, end: number) => Readable.from([bytes.subarray(start, end)]);
	return { name, size: bytes.length, read, send: async (start, end, to) => void to.write(bytes.subarray(start, end)) };
}

interface Asked {
	readonly method?: "GET" | "POST";
	readonly body?: object;
	readonly secret?: string;
	readonly id?: string;
	readonly nonce?: string;
	readonly time?: number;
	readonly from?: string;
	readonly headers?: Record<string, string>;
}

/** A server with one Pi that boots, and what its agent asks. */
async function open() {
	const bench = await Bench.open();
	const device = pi4(bench);
	const plan = { imageId: "debian", buildId: "b1", mode: "persistent", server: null } as const;
	const { boot } = await bench.registry.beginBoot(device, plan, async () => null);
	bench.registry.bind(device, ADDRESS, "lease");
	const neighbours = new Map([["192.0.2.21", device.mac]]);
	const macOf = async (address: string) => neighbours.get(address);
	const { registry, clock } = bench;
	const gate = new AgentGate({ keys: bootKeys(registry), registry, macOf, clock });
	const told: unknown[] = [];
	const chunks = { ready: Promise.resolve() };
	const services = fakeServices();
	const agents = {
		...services.agents,
		admit: gate.admit.bind(gate),
		async hello(_caller: unknown, hello: unknown) {
			told.push(hello);
		},
		next: async () => ({ kind: "reboot" }) as const,
		report: async (_caller: unknown, report: { readonly job: string }) => report.job === "stop",
		map: async (name: string) => (name === NAME ? file(name, Buffer.from("a map")) : undefined),
		pack: async (name: string) => (name === NAME ? file(name, PACK) : undefined),
		async raw(name: string, number: number) {
			await chunks.ready;
			return name === NAME && number === 3 ? Buffer.from("raw") : undefined;
		},
	};
	const { http } = harness({ services: { ...services, agents } });
	const ask = async (path: string, asked: Asked = {}) => {
		const { method = asked.body === undefined ? "GET" : "POST", secret = boot.secret, id = boot.id } = asked;
		const nonce = asked.nonce ?? (++nonces).toString(16).padStart(32, "0");
		const payload = asked.body === undefined ? "" : JSON.stringify(asked.body);
		const url = `/api/v1/agent/${path}`;
		const time = String(asked.time ?? clock.now());
		const parts = { method, path: url, body: Buffer.from(payload), time, nonce };
		const headers = {
			"content-type": "application/json",
			"x-netboot-agent": id,
			"x-netboot-time": time,
			"x-netboot-nonce": nonce,
			"x-netboot-signature": signRequest(secret, parts),
			...asked.headers,
		};
		const remoteAddress = asked.from ?? ADDRESS;
		const given = method === "GET" ? {} : { payload };
		const response = await http.fastify.inject({ method, url, headers, remoteAddress, ...given });
		const signature = signAnswer(boot.secret, nonce, response.statusCode, response.rawPayload);
		const isSigned = response.headers["x-netboot-signature"] === signature;
		return { response, isSigned, code: codeOf(response.body), time };
	};
	return { ask, told, bench, device, boot, chunks };
}

function codeOf(body: string): string | undefined {
	return body.startsWith("{") ? JSON.parse(body).error?.code : undefined;
}

describe("an agent", () => {
	it("is heard and answered, with a signature", async () => {
		const { ask, told, bench } = await open();
		await using _closed = bench;
		const hello = { protocol: 1, version: "1", inventory: inventory() };
		const { response, isSigned } = await ask("hello", { body: hello });
		assert.deepEqual([response.statusCode, response.json(), isSigned], [200, {}, true]);
		assert.deepEqual(told, [hello]);
		assert.deepEqual((await ask("next", { body: { wait: 0 } })).response.json(), { work: { kind: "reboot" } });
	});

	it("is told what is wrong with its words", async () => {
		const { ask, bench } = await open();
		await using _closed = bench;
		for (const body of [{ wait: 31 }, {}, { wait: "1" }]) {
			const { code, isSigned } = await ask("next", { body });
			assert.deepEqual([code, isSigned], ["invalid-request", true]);
		}
		assert.equal((await ask("next", { method: "POST" })).code, "invalid-request");
		assert.equal((await ask(`map/${"0".repeat(64)}`)).code, "not-found");
		assert.equal((await ask("map/..%2f..%2ftoken")).code, "not-found");
		assert.equal((await ask(`raw/${NAME}/-1`)).code, "not-found");
	});

	it("gets maps and chunks signed, and packs in ranges for every cache", async () => {
		const { ask, bench } = await open();
		await using _closed = bench;
		const map = await ask(`map/${NAME}`);
		assert.deepEqual([map.response.body, map.isSigned], ["a map", true]);
		assert.equal((await ask(`raw/${NAME}/3`)).response.body, "raw");
		const pack = (headers: Record<string, string>) => ask(`pack/${NAME}`, { headers });
		const part = (await pack({ range: "bytes=2-4" })).response;
		assert.deepEqual([part.statusCode, part.body, part.headers["content-range"]], [206, "234", "bytes 2-4/10"]);
		assert.deepEqual([part.headers.etag, part.headers["content-length"]], [`"${NAME}"`, "3"]);
		assert.match(String(part.headers["cache-control"]), /immutable/);
		assert.equal((await pack({})).response.body, PACK.toString());
		assert.equal((await pack({ range: "bytes=10-" })).response.statusCode, 416);
		assert.equal((await pack({ "if-none-match": `"${NAME}"` })).response.statusCode, 304);
		assert.equal((await pack({ range: "bytes=2-4", "if-range": '"old"' })).response.statusCode, 200);
	});
});

describe("whoever speaks for one Pi", () => {
	it("asks for no more at the same time than an agent does, and those of other Pis get their answers", async () => {
		const { ask, bench, chunks } = await open();
		await using _closed = bench;
		const { promise: isLoaded, resolve: load } = Promise.withResolvers<void>();
		chunks.ready = isLoaded;
		const all = Array.from({ length: 20 }, () => ask(`raw/${NAME}/3`));
		const refused = await Promise.all(all.slice(16));
		assert.deepEqual(
			refused.map(({ response, code, isSigned }) => [response.statusCode, code, isSigned]),
			refused.map(() => [503, "unavailable", true]),
		);
		const other = pi4(bench, 2);
		bench.registry.bind(other, "192.0.2.30", "lease");
		const plan = { imageId: "debian", buildId: "b1", mode: "persistent", server: null } as const;
		const { boot } = await bench.registry.beginBoot(other, plan, async () => null);
		const { response } = await ask(`map/${NAME}`, { id: boot.id, secret: boot.secret, from: "192.0.2.30" });
		assert.equal(response.body, "a map");
		load();
		assert.deepEqual(
			(await Promise.all(all.slice(0, 16))).map(({ response }) => response.body),
			Array.from({ length: 16 }, () => "raw"),
		);
		assert.equal((await ask(`raw/${NAME}/3`)).response.body, "raw");
	});
});

describe("who is not the agent", () => {
	it("has no secret, another Pi's, or that of a boot that is over", async () => {
		const { ask, bench, boot } = await open();
		await using _closed = bench;
		const other = pi4(bench, 2);
		bench.registry.bind(other, "192.0.2.30", "lease");
		const plan = { imageId: "debian", buildId: "b1", mode: "persistent", server: null } as const;
		const { boot: theirs } = await bench.registry.beginBoot(other, plan, async () => null);
		const refused = async (asked: Asked) => {
			const { code, isSigned } = await ask("next", { body: { wait: 0 }, ...asked });
			assert.equal(isSigned, code !== "agent-bad-signature", "nothing is signed for strangers");
			return code;
		};
		assert.equal(await refused({ secret: "a guess" }), "agent-bad-signature");
		assert.equal(await refused({ id: "nobody" }), "agent-bad-signature");
		assert.equal(await refused({ id: theirs.id }), "agent-bad-signature", "its own secret under another's name");
		assert.equal(await refused({ from: "192.0.2.30" }), "agent-foreign-address", "a stolen secret at another Pi");
		assert.equal(await refused({ from: "192.0.2.99" }), "agent-foreign-address", "or at anybody's machine");
		assert.equal(await refused({ from: "192.0.2.21" }), undefined, "its own second address");
		await bench.registry.bootEnded(boot.id);
		assert.equal(await refused({}), "agent-bad-signature");
	});

	it("repeats what was heard, also to the next process, and gets nothing", async () => {
		const { ask, bench, device } = await open();
		await using _closed = bench;
		const nonce = "f".repeat(32);
		assert.equal((await ask("next", { body: { wait: 0 }, nonce })).code, undefined);
		assert.equal((await ask("next", { body: { wait: 0 }, nonce })).code, "agent-replayed");
		const late = await ask("next", { body: { wait: 0 }, time: bench.clock.now() - 61_000 });
		assert.deepEqual([late.code, late.isSigned], ["agent-clock", true]);
		assert.equal(late.response.json().error.time, bench.clock.now());

		const clock = new ManualClock(bench.clock.now() + 5000);
		const key = { secret: "s", device, bootId: "b" };
		const parts = { method: "POST", path: "/x", body: Buffer.alloc(0), time: String(bench.clock.now()), nonce };
		const request = { ...parts, agentId: "b", signature: signRequest("s", parts), address: ADDRESS };
		const next = new AgentGate({ keys: () => key, registry: bench.registry, macOf: async () => undefined, clock });
		const admission = await next.admit(request);
		assert.ok(!admission.isAdmitted && admission.code === "agent-clock");
	});
});

describe("a server that stops", () => {
	it("does not wait for agents that wait for work, and their question is given up", async () => {
		const services = fakeServices();
		const { promise: isAsked, resolve: asked } = Promise.withResolvers<void>();
		const { promise: isGone, resolve: gone } = Promise.withResolvers<null>();
		const admission = { isAdmitted: true, caller: { device: { key: 1 }, sign: () => "s" } } as never;
		const agents = {
			...services.agents,
			admit: async () => admission,
			next(_caller: unknown, _question: unknown, signal: AbortSignal) {
				signal.addEventListener("abort", () => gone(null));
				asked();
				return isGone;
			},
		};
		const { http } = harness({ services: { ...services, agents } });
		await http.start();
		const url = `http://127.0.0.1:${http.port}/api/v1/agent/next`;
		const answer = fetch(url, { method: "POST", body: '{"wait": 30}' }).catch(() => "cut off");
		await isAsked;
		await http.stop();
		await isGone;
		assert.equal(await answer, "cut off");
	});
});
