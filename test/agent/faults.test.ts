/** Disks that break, lie and hang, and cuts on either side while the agent writes. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { AgentServer } from "../harness/agent-server.ts";
import { eventually } from "../harness/eventually.ts";
import { lacks } from "../harness/needs.ts";
import { BenchTop, PROGRAMS } from "./bench-top.ts";

const MIB = 1024 * 1024;
const skip = await lacks(PROGRAMS);

const slowly = async (bytes: Buffer): Promise<Buffer> => {
	await new Promise((resolve) => setTimeout(resolve, 60));
	return bytes;
};

describe("a disk that is no good", { skip }, () => {
	let top: BenchTop;
	let server: AgentServer;
	let disk: { device: string; faults: (...lines: string[]) => void };
	before(async () => {
		top = await BenchTop.open(12);
		server = await top.serve();
		await top.agent({ server: server.url, config: { stall_seconds: 3 } });
		disk = await top.disks.faulty(top.size);
	});
	after(() => top.close());

	const fails = async (fault: string, code: string, offset?: number) => {
		disk.faults(fault);
		const end = await top.write(server, disk.device);
		assert.deepEqual([end.stage, end.error?.code], ["failed", code]);
		if (offset !== undefined)
			assert.equal(Math.floor((end.error?.offset ?? 0) / (4 * MIB)), Math.floor(offset / (4 * MIB)));
		disk.faults();
		await top.assertDoesNotBoot(disk.device);
	};

	it("fails to write", () => fails(`eio ${20 * MIB} ${20 * MIB + 4096}`, "disk-error", 20 * MIB));
	it("says that it wrote, and did not", () => fails(`lie ${20 * MIB} ${21 * MIB}`, "verify-failed", 20 * MIB));
	it("keeps a wrong bit", () => fails(`flip ${20 * MIB + 5}`, "verify-failed", 20 * MIB));
	it("is smaller than it says", () => fails(`wrap ${16 * MIB}`, "verify-failed"));
	it("is smaller than it says, by so much that only the start betrays it", () =>
		fails(`alias ${16 * MIB}`, "verify-failed", 16 * MIB));

	it("keeps a wrong bit in its start, which is written last", () => fails(`flip ${MIB + 3}`, "verify-failed", 0));

	it("is good: the same disk without its faults", async () => {
		const end = await top.write(server, disk.device);
		assert.deepEqual([end.stage, end.error], ["complete", null]);
		await top.assertHasImage(disk.device);
	});

	it("hangs", async () => {
		disk.faults(`hang ${20 * MIB} ${21 * MIB}`);
		const end = await top.write(server, disk.device);
		disk.faults();
		assert.deepEqual([end.stage, end.error?.code], ["failed", "stalled"]);
	});
});

describe("a cut in the middle", { skip }, () => {
	let top: BenchTop;
	let server: AgentServer;
	before(async () => {
		top = await BenchTop.open(96);
		server = await top.serve();
	});
	after(() => top.close());

	const started = (chunks: number) =>
		eventually("some chunks", () => (server.fetched.length > chunks ? true : undefined), 60_000);

	it("of the agent: the disk does not boot; the job goes on and fetches few chunks again", async () => {
		const { device } = await top.disks.loop(top.size);
		server.spoil = slowly;
		const work = top.order(device);
		server.work = work;
		const killed = await top.agent({ server: server.url });
		await started(20);
		await killed.stop();
		await top.assertDoesNotBoot(device);
		assert.ok(server.durable !== null);

		server.spoil = (bytes) => bytes;
		const next = await top.agent({ server: server.url });
		server.work = { ...work, done: server.durable };
		assert.equal((await top.end(server, work.job)).error, null);
		await next.stop();
		await top.assertHasImage(device);
		const again = server.fetched.length - new Set(server.fetched).size;
		assert.ok(again <= 24, `${again} chunks fetched twice`);
	});

	it("of the server: the agent waits and goes on", async () => {
		const { device } = await top.disks.loop(top.size);
		server.fetched.length = 0;
		server.spoil = slowly;
		const work = top.order(device);
		server.work = work;
		const agent = await top.agent({ server: server.url });
		await started(8);
		await server.stop();
		await agent.program.waitFor(/Connection refused/, 20_000);
		server.spoil = (bytes) => bytes;
		await server.start();
		assert.equal((await top.end(server, work.job)).error, null);
		const again = server.fetched.length - new Set(server.fetched).size;
		assert.ok(again <= 8, `${again} chunks fetched twice`);
		await top.assertHasImage(device);
	});
});
