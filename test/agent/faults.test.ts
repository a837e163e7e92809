/** Disks that break, lie and hang, and cuts on either side while the agent writes. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { AgentEvent } from "@pi-netboot/api";
import type { AgentServer } from "../harness/agent-server.ts";
import { Background, must } from "../harness/command.ts";
import { eventually } from "../harness/eventually.ts";
import type { Imager } from "../harness/imager.ts";
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

	it("cannot be read where it was written", () =>
		fails(`unreadable ${20 * MIB} ${20 * MIB + 4096}`, "disk-error", 20 * MIB));
	it("does not keep what it took", () => fails("unkept", "disk-error"));

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

describe("a disk that goes away, or is not ours to take", { skip }, () => {
	let top: BenchTop;
	let server: AgentServer;
	before(async () => {
		top = await BenchTop.open(32);
		server = await top.serve();
		server.spoil = slowly;
	});
	after(() => top.close());

	/** Writes, and meanwhile, when some chunks were fetched, something happens. */
	async function writeWhile(agent: Imager, device: string, happens: () => unknown): Promise<AgentEvent> {
		server.fetched.length = 0;
		const work = top.order(device);
		server.work = work;
		await eventually("some chunks", () => (server.fetched.length > 3 ? true : undefined));
		await happens();
		const end = await top.end(server, work.job);
		await agent.stop();
		return end;
	}

	it("is replaced by another one of the same name", async () => {
		const { device } = await top.disks.loop(top.size);
		// The kernel counts the disks that were put in; this agent sees a count that we write.
		const count = join(top.folder, "diskseq");
		writeFileSync(count, "41\n");
		const place = `/sys/block/${basename(device)}/diskseq`;
		const as = ["unshare", "-m", "sh", "-c", `mount --bind ${count} ${place} && exec "$@"`, "sh"];
		const agent = await top.agent({ server: server.url, as });
		const end = await writeWhile(agent, device, () => writeFileSync(count, "42\n"));
		assert.deepEqual([end.stage, end.error?.code], ["failed", "disk-removed"]);
		await top.assertDoesNotBoot(device);
	});

	it("is gone from one moment to the next", async () => {
		const { device, vanish } = await top.disks.faulty(top.size);
		const agent = await top.agent({ server: server.url });
		const end = await writeWhile(agent, device, vanish);
		assert.equal(end.stage, "failed");
		assert.match(end.error?.code ?? "", /^disk-(error|removed)$/);
	});

	it("is taken by another program, or lies below what is mounted", async () => {
		const agent = await top.agent({ server: server.url });
		const taken = await top.disks.loop(top.size);
		const script =
			"import os,sys,time; os.open(sys.argv[1], os.O_RDWR | os.O_EXCL); print('taken', flush=True); time.sleep(60)";
		const other = new Background(["python3", "-c", script, taken.device]);
		await other.waitFor(/taken/, 10_000);
		const refused = await top.write(server, taken.device);
		await other.stop("SIGKILL");
		assert.deepEqual([refused.stage, refused.error?.code], ["failed", "in-use"]);

		const below = await top.disks.loop(top.size);
		await must(["mke2fs", "-q", "-F", below.device]);
		const above = await top.disks.attach(below.device);
		const place = join(top.folder, "mounted");
		mkdirSync(place);
		await must(["mount", above, place]);
		const mounted = await top.write(server, below.device);
		await must(["umount", place]);
		assert.deepEqual([mounted.stage, mounted.error?.code], ["failed", "mounted"]);
		await agent.stop();
		assert.equal(readFileSync(taken.file).subarray(0, 5).toString(), "stale");
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
