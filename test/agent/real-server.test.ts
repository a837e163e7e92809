/** The agent as a Pi gets it out of its netbooted root, and the server as a user runs it: writes from the order to the reboot. */
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { Device, Write } from "@pi-netboot/api";
import { BlockDevices } from "../harness/block-devices.ts";
import { must } from "../harness/command.ts";
import { eventually } from "../harness/eventually.ts";
import { fetchCmdline, type PiOnCable } from "../harness/export.ts";
import { Imager } from "../harness/imager.ts";
import { Lab } from "../harness/lab.ts";
import { IMAGE_PROGRAMS, lacks } from "../harness/needs.ts";
import { Server } from "../harness/server.ts";
import { makeSmallImage } from "../harness/small-image.ts";
import { agentConfig } from "../harness/working-pi.ts";
import { assertDoesNotBoot, assertHolds } from "../harness/written-disk.ts";

const MIB = 1024 * 1024;
const PI: PiOnCable = { mac: "dc:a6:32:00:00:07", address: "10.77.0.107", serial: "e0ff0607" };
const DEVICE = `/api/v1/devices/${PI.serial}`;
/** More chunks than lie between two syncs of the agent, so that a cut can cost only some of them. */
const BALLAST_MIB = 100;

const skip = await lacks(["ip", "tc", "curl", "python3", "losetup", ...IMAGE_PROGRAMS]);

describe("a write with the real server", { skip, timeout: 400_000 }, () => {
	let folder = "";
	let image = "";
	let lab: Lab;
	let server: Server;
	let disks: BlockDevices;
	let agent: Imager;
	let disk = "";
	let write: Write;

	before(async () => {
		folder = await mkdtemp(join(tmpdir(), "writes-"));
		mkdirSync(join(folder, "images"));
		image = makeSmallImage(join(folder, "images"), folder, { kernelBytes: 300_001, ballastMiB: BALLAST_MIB }).path;
		disks = new BlockDevices(folder);
		disk = (await disks.loop(192 * MIB)).device;
		lab = await Lab.create();
		server = await Server.start(lab, { images: join(folder, "images"), data: join(folder, "data") });
		await server.waitForImage("small");
		await boot();
	});

	after(async () => {
		await agent?.stop();
		await server?.stop();
		await disks?.close();
		await lab?.remove();
		await rm(folder, { recursive: true });
	});

	/** The Pi boots: its agent has what the server put into this boot's root, but for the disks that it may touch here. */
	async function boot(): Promise<void> {
		await lab.removeHost("pi");
		const { exportPath } = await fetchCmdline(lab, PI);
		await lab.addHost("pi", { mac: PI.mac, address: `${PI.address}/24` });
		await startAgent(await agentConfig(lab, "pi", exportPath));
	}

	let started: Record<string, unknown> = {};

	async function startAgent(config = started): Promise<void> {
		started = config;
		agent = await Imager.start(folder, { as: lab.on("pi", []), config: { ...config, devices: disk } });
	}

	const device = async () => await server.api<Device>("GET", DEVICE);
	const order = (body: object) => server.api<Write>("POST", `${DEVICE}/writes`, { confirm: true, ...body });
	const refusalOf = async (body: object) =>
		(await server.refusal("POST", `${DEVICE}/writes`, { confirm: true, ...body })).code;
	const look = async () => await server.api<Write>("GET", `/api/v1/writes/${write.id}`);
	const slowly = () => tc("add", "tbf", "rate", "120mbit", "burst", "128kb", "latency", "50ms");
	const tc = (verb: string, ...words: string[]) =>
		must(lab.on("srv", ["tc", "qdisc", verb, "dev", "srv0", "root", ...words]));

	async function until(what: string, test: (write: Write) => boolean): Promise<void> {
		let percent = 0;
		write = await eventually(
			what,
			async () => {
				const now = await look();
				assert.ok(now.percent >= percent, `${now.percent} after ${percent} percent`);
				percent = now.percent;
				assert.ok(now.endedAt === null || test(now), JSON.stringify(now));
				return test(now) ? now : undefined;
			},
			120_000,
		);
	}

	async function assertWritten(): Promise<void> {
		const map = join(folder, "data/packs", `${write.map}.map`);
		const { data, zero } = await assertHolds({ device: disk, image, map, folder });
		assert.deepEqual([data, zero], [write.bytesTotal, write.zeroBytes]);
		assert.deepEqual([write.bytesDone, write.percent], [data, 100]);
		assert.ok(write.verifiedBytes >= data + zero);
	}

	it("begins with the agent, which tells what the Pi is and has", async () => {
		const known = await eventually("the agent", async () => (await device()).agent ?? undefined);
		assert.ok(known.online);
		assert.deepEqual(
			known.inventory.disks.map(({ path, size }) => [path, size]),
			[[disk, 192 * MIB]],
		);
		assert.equal((await device()).stage, "agent");
	});

	it("is refused for what is not there, or is another disk than was confirmed", async () => {
		assert.equal(await refusalOf({ target: "/dev/mmcblk7" }), "disk-not-found");
		assert.equal(await refusalOf({ target: { path: disk, size: 1 } }), "disk-refused");
		assert.equal(await refusalOf({ target: { path: disk, identity: "another" } }), "disk-refused");
		assert.equal(await refusalOf({ target: disk, imageId: "none" }), "image-not-found");
		assert.equal(await refusalOf({ target: disk, confirm: false }), "invalid-request");
	});

	it("can be cancelled, and then the disk does not boot", async () => {
		await slowly();
		write = await order({ target: disk });
		assert.equal(await refusalOf({ target: disk }), "write-running");
		await until("something on the disk", ({ percent }) => percent > 15);
		await server.api("POST", `/api/v1/writes/${write.id}/cancel`);
		await until("the end", ({ stage }) => stage === "cancelled");
		await assertDoesNotBoot(disk, folder);
	});

	it("goes on where it was after kill -9 of the agent and of the server, and ends with a reboot from the disk", async () => {
		const before = (await look()).wireBytes;
		write = await server.api<Write>("POST", `/api/v1/writes/${write.id}/retry`);
		assert.deepEqual([write.percent, write.endedAt], [0, null]);
		await until("most of it on the disk", ({ bytesDone }) => bytesDone > 80 * MIB);
		await agent.stop();
		await assertDoesNotBoot(disk, folder);
		await startAgent();
		await until("the agent at work again", ({ attempts, percent }) => attempts === 2 && percent > 40);
		await server.kill();
		server = await server.restart();
		await tc("del");
		await until("the end", ({ stage }) => stage === "complete");
		await assertWritten();
		// All of it once, and what lay between two syncs and in the buffers when the agent was killed.
		const fetched = write.wireBytes - before;
		assert.ok(fetched < write.bytesTotal + 24 * 4 * MIB - 40 * MIB, `${fetched} of ${write.bytesTotal} bytes fetched`);
		await agent.program.waitFor(/would reboot now/, 20_000);
		assert.equal((await device()).intent, "disk");
		await agent.stop();
		await assert.rejects(boot(), /TFTP|curl/, "who boots from its disk gets nothing from us");
	});

	it("is made without a click for a Pi that was set to it, once", async () => {
		const wish = { intent: "write-then-disk", writeTarget: disk };
		assert.equal((await server.api<Device>("PATCH", DEVICE, wish)).writeTarget, disk);
		await boot();
		const [made] = await eventually("the write", async () => {
			const { writes } = await server.api<{ writes: Write[] }>("GET", "/api/v1/writes?open=true");
			return writes.length > 0 ? writes : undefined;
		});
		assert.ok(made);
		write = made;
		assert.deepEqual([write.origin, (await device()).intent], ["intent", "netboot"]);
		await until("the end", ({ stage }) => stage === "complete");
		await assertWritten();
		assert.deepEqual([(await device()).intent, (await device()).writeTarget], ["disk", null]);
	});
});
