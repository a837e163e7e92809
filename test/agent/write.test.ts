/** The agent writes real block devices: what arrives, what is refused, what is noticed, and what a cut costs. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { AgentServer } from "../harness/agent-server.ts";
import { must } from "../harness/command.ts";
import { eventually } from "../harness/eventually.ts";
import type { Imager } from "../harness/imager.ts";
import { lacks } from "../harness/needs.ts";
import { BenchTop, PROGRAMS } from "./bench-top.ts";

const MIB = 1024 * 1024;
const skip = await lacks(PROGRAMS);

describe("a write", { skip }, () => {
	let top: BenchTop;
	let server: AgentServer;
	let agent: Imager;
	before(async () => {
		top = await BenchTop.open(24);
		server = await top.serve();
		agent = await top.agent({ server: server.url });
	});
	after(() => top.close());

	it("puts every byte in use onto a dirty disk, sends little, and clears the backup of an old GPT", async () => {
		const { device, file } = await top.disks.loop(top.size + 64 * MIB);
		const old = readFileSync(file).length;
		await must(["sgdisk", "-o", file]);
		const end = await top.write(server, device);
		assert.equal(end.error, null);
		assert.deepEqual([end.stage, end.percent], ["complete", 100]);
		await top.assertHasImage(device);
		assert.ok(
			readFileSync(file)
				.subarray(old - 512)
				.every((byte) => byte === 0),
			"the backup GPT",
		);
		assert.equal(end.wireBytes, top.pack.packBytes);
		assert.equal(end.bytesDone, top.pack.dataBytes);
		const shown = server.events.map(({ percent }) => percent);
		assert.deepEqual(
			shown,
			[...shown].sort((a, b) => a - b),
			"percent never falls",
		);
		assert.ok(agent.peakMemory < 64 * MIB, `${agent.peakMemory} bytes of memory`);
		const isTold = () => server.hellos.some(({ inventory }) => inventory.disks.some(({ path }) => path === device));
		await eventually("an inventory with the new disk", () => isTold() || undefined);
	});

	it("onto a disk that is no larger than the image, with blocks of 4 KiB, compares a sample or nothing", async () => {
		for (const verify of ["sample", "none"] as const) {
			const { device } = await top.disks.loop(top.size, ["-b", "4096"]);
			assert.equal((await top.write(server, device, { verify })).error, null);
			await top.assertHasImage(device);
		}
	});

	it("asks again for a chunk that arrives damaged, and gives up when it always does", async () => {
		const { device } = await top.disks.loop(top.size);
		let spoiled = 0;
		server.spoil = (bytes) => (spoiled++ === 3 ? Buffer.alloc(bytes.length, 1) : bytes);
		const end = await top.write(server, device);
		assert.deepEqual([end.error, end.retries], [null, 1]);
		await top.assertHasImage(device);

		server.spoil = (bytes, start) => (start > 8 * MIB ? Buffer.alloc(bytes.length, 1) : bytes);
		const failed = await top.write(server, device);
		server.spoil = (bytes) => bytes;
		assert.deepEqual([failed.stage, failed.error?.code], ["failed", "bad-data"]);
		await top.assertDoesNotBoot(device);
	});

	it("takes chunks from another agent, and from the server when that one fails", async () => {
		const { device } = await top.disks.loop(top.size);
		const peer = { url: `${server.url}/files/peer`, token: "of the peer" };
		let asked = 0;
		server.files.set("peer", (response) => {
			asked++;
			response.writeHead(206).end("nonsense");
		});
		const gone = { url: "http://127.0.0.1:1/pack" };
		assert.equal((await top.write(server, device, { sources: [gone, peer] })).error, null);
		assert.ok(asked >= 2 && asked <= 4, `${asked} requests`);
		await top.assertHasImage(device);
	});

	it("can be cancelled", async () => {
		const { device } = await top.disks.loop(top.size);
		server.spoil = async (bytes) => {
			server.cancel = true;
			await new Promise((resolve) => setTimeout(resolve, 300));
			return bytes;
		};
		const end = await top.write(server, device);
		server.spoil = (bytes) => bytes;
		server.cancel = false;
		assert.deepEqual([end.stage, end.error?.code], ["cancelled", "cancelled"]);
		await top.assertDoesNotBoot(device);
	});

	it("without libzstd, with a clock that is an hour off, and with a foreign server", async () => {
		const other = await top.serve(3_600_000);
		await top.agent({ server: other.url, config: { zstd: false } });
		const { device } = await top.disks.loop(top.size);
		assert.equal((await top.write(other, device)).error, null);
		assert.ok(other.rawFetched > 0);
		await top.assertHasImage(device);

		const foreign = new AgentServer(top.shelf, 0, "another secret");
		await foreign.start();
		top.disks.onClose(() => foreign.stop());
		foreign.work = top.order(device);
		const lonely = await top.agent({ server: foreign.url });
		await lonely.program.waitFor(/not signed by our server/, 20_000);
		assert.deepEqual([foreign.hellos, foreign.events], [[], []]);
	});

	describe("is refused, and nothing is touched", () => {
		const refused = async (path: string, code: string, target: object = {}): Promise<void> => {
			const end = await top.write(server, path, { target: { path, ...target } });
			assert.deepEqual([end.stage, end.error?.code], ["failed", code]);
			assert.match(end.error?.message ?? "", /^[A-Z/].+[.a-z?)]$/);
		};
		const untouched = (file: string) => assert.equal(readFileSync(file).subarray(0, 5).toString(), "stale");

		it("too small, read-only, unknown, no disk, another one than was confirmed", async () => {
			const small = await top.disks.loop(top.size - 4096);
			await refused(small.device, "too-small");
			untouched(small.file);
			const protectedDisk = await top.disks.loop(top.size, ["-r"]);
			await refused(protectedDisk.device, "read-only");
			await refused("/dev/sda1", "unknown-path");
			await refused("/dev/../dev/loop0", "unknown-path");
			await refused("/dev/loop9999", "no-such-disk");
			const disk = await top.disks.loop(top.size);
			await refused(disk.device, "other-disk", { size: top.size + 512 });
			await refused(disk.device, "other-disk", { size: top.size, identity: "the card that was there before" });
			untouched(disk.file);
			const confirmed = { path: disk.device, size: top.size, identity: disk.file };
			assert.equal((await top.write(server, disk.device, { target: confirmed })).error, null);
		});

		it("mounted, swap, the root, in use", async () => {
			const disk = await top.disks.loop(64 * MIB);
			await must(["mke2fs", "-q", "-F", disk.device]);
			const place = join(top.folder, "mounted");
			await must(["mkdir", "-p", place]);
			await must(["mount", disk.device, place]);
			try {
				await refused(disk.device, "mounted");
			} finally {
				await must(["umount", place]);
			}
			const swap = await top.disks.loop(64 * MIB);
			await must(["mkswap", "-q", swap.device]);
			await must(["swapon", swap.device]);
			try {
				await refused(swap.device, "swap");
			} finally {
				await must(["swapoff", swap.device]);
			}
			const root = await rootedAgent(top, disk.device, server);
			await refusedBy(root.ask, disk.device, /holds the system that runs now/);
		});

		it("a second one meanwhile", async () => {
			const one = await top.disks.loop(top.size);
			const two = await top.disks.loop(top.size);
			server.spoil = async (bytes) => {
				await new Promise((resolve) => setTimeout(resolve, 200));
				return bytes;
			};
			const work = top.order(one.device);
			server.work = work;
			await eventually("the first write", async () =>
				(await agent.status()).body.job === work.job ? true : undefined,
			);
			const answer = await agent.writeImage(two.device, `${server.url}/files/image`);
			assert.equal(answer.status, 409);
			assert.match(String(answer.body.error), /is writing .* already/);
			server.spoil = (bytes) => bytes;
			assert.equal((await top.end(server, work.job)).error, null);
			untouched(two.file);
		});
	});
});

type Ask = (device: string) => Promise<string>;

async function refusedBy(ask: Ask, device: string, sentence: RegExp): Promise<void> {
	assert.match(await ask(device), sentence);
}

/** An agent whose root is on the device, in a mount namespace of its own; asked on port 8888. */
async function rootedAgent(top: BenchTop, device: string, server: AgentServer): Promise<{ ask: Ask }> {
	const script = `
		set -e
		mount --make-rprivate /
		mkdir -p ${top.folder}/root && mount ${device} ${top.folder}/root && cd ${top.folder}/root
		for each in usr lib lib64 bin sbin etc proc sys dev tmp work; do
			[ -d /$each ] || continue
			mkdir -p $each && mount --rbind /$each $each
		done
		mkdir -p .$2 && mount --bind $2 .$2
		shift 2
		exec chroot . "$@"`;
	const repository = new URL("../..", import.meta.url).pathname;
	const as = ["unshare", "-m", "sh", "-c", script, "sh", "sh", repository];
	const agent = await top.agent({ as, server: server.url, config: { server: "" } });
	return {
		ask: async (path) => String((await agent.writeImage(path, `${server.url}/files/image`)).body.error),
	};
}
