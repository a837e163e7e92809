/**
 * A Pi that was booted from the network writes its disks, and starts from one of them: a whole Debian under QEMU with an SD card
 * and an NVMe disk, from the order to the login prompt of what was written. QEMU has no firmware of a Pi, so the kernel that
 * starts from the disk is handed to it, out of the disk's own boot partition.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Device, Write } from "@pi-netboot/api";
import { must } from "../harness/command.ts";
import { eventually } from "../harness/eventually.ts";
import { fetchCmdline } from "../harness/export.ts";
import { type FirmwareResult, removeFirmware, runFirmware } from "../harness/firmware.ts";
import { fixture } from "../harness/fixture.ts";
import { Guest } from "../harness/guest.ts";
import { Lab, SERVER_ADDRESS } from "../harness/lab.ts";
import { GUEST_PROGRAMS, IMAGE_PROGRAMS, lacks } from "../harness/needs.ts";
import { Router } from "../harness/router.ts";
import { Server } from "../harness/server.ts";
import { makeSmallImage } from "../harness/small-image.ts";
import { assertDoesNotBoot, assertHolds } from "../harness/written-disk.ts";

const PI = { model: "pi4-2026", mac: "e4:5f:01:09:02:f8", serial: "91cdf03e" };
const DEVICE = `/api/v1/devices/${PI.serial}`;
const BOOT_MS = 900_000;
const MIB = 1024 * 1024;
const CHUNK = 4 * MIB;
/** Where the boot partition of the Debian image begins. */
const BOOT_AT = 8192 * 512;
const TOKEN = "the-token-of-imager.json";

const skip = await lacks([...GUEST_PROGRAMS, ...IMAGE_PROGRAMS, "mmdebstrap", "dnsmasq", "debugfs"]);

class Bench {
	readonly lab: Lab;
	readonly router: Router;
	readonly folder: string;
	readonly debian: string;
	server: Server;
	guest: Guest | undefined;
	#firmware: FirmwareResult | undefined;

	private constructor(lab: Lab, router: Router, server: Server, folder: string, debian: string) {
		this.lab = lab;
		this.router = router;
		this.server = server;
		this.folder = folder;
		this.debian = debian;
	}

	static async build(): Promise<Bench> {
		const debian = (await fixture("debian-image.sh", "compact")).trim();
		const folder = await mkdtemp(join(tmpdir(), "write-"));
		for (const name of ["images", "data"]) await mkdir(join(folder, name));
		await symlink(debian, join(folder, "images", "debian.img"));
		makeSmallImage(join(folder, "images"), folder, { kernelBytes: 300_001, ballastMiB: 8 });
		const imager = { allowed_ips: [SERVER_ADDRESS], shared_secret: TOKEN };
		await writeFile(join(folder, "data", "imager.json"), JSON.stringify(imager));
		// As they come out of other machines: what is on them must go.
		for (const [name, size] of [["nvme", 640 * MIB] as const, ["sd", 128 * MIB] as const]) {
			await writeFile(join(folder, name), Buffer.alloc(8 * MIB, "stale"));
			await truncate(join(folder, name), size);
		}
		const lab = await Lab.create();
		const router = await Router.start(lab, { lease: "30m" });
		const server = await Server.start(lab, { images: join(folder, "images"), data: join(folder, "data") });
		for (const id of ["debian", "small"]) await server.waitForImage(id);
		await server.api("PUT", "/api/v1/images/default", { id: "debian" });
		return new Bench(lab, router, server, folder, debian);
	}

	disk(name: "nvme" | "sd"): string {
		return join(this.folder, name);
	}

	get #disks() {
		return { nvme: this.disk("nvme"), sd: this.disk("sd") };
	}

	/** Firmware, kernel, and on until its agent was heard. */
	async powerOn(): Promise<void> {
		this.#firmware = await runFirmware(this.lab, PI);
		this.guest = await Guest.start(this.lab, this.#firmware, { mac: PI.mac, disks: this.#disks });
		const isOn = async () => ((await this.device()).stage === "agent" ? true : undefined);
		await eventually("the agent", isOn, BOOT_MS).catch(async (error: unknown) => {
			throw new Error(`${String(error)}\n${(await this.guest?.console())?.slice(-5000)}`);
		});
	}

	/** From the NVMe disk. Gives the line that the guest says at multi-user. */
	async startFromDisk(): Promise<string> {
		const folder = join(this.folder, "disk-boot");
		await mkdir(folder);
		const partition = `${this.disk("nvme")}@@${BOOT_AT}`;
		for (const name of ["kernel8.img", "initramfs8", "cmdline.txt"]) {
			await must(["mcopy", "-i", partition, `::${name}`, join(folder, name)]);
		}
		const cmdline = (await readFile(join(folder, "cmdline.txt"), "utf8")).trim();
		this.guest = await Guest.start(this.lab, { folder, cmdline }, { mac: PI.mac, disks: this.#disks });
		return (await this.guest.waitFor(/TEST-MULTIUSER .*/, BOOT_MS))[0];
	}

	async pullThePlug(): Promise<void> {
		await this.guest?.stop();
		this.guest = undefined;
		if (this.#firmware !== undefined) await removeFirmware(this.#firmware);
		this.#firmware = undefined;
	}

	async device(): Promise<Device> {
		return await this.server.api<Device>("GET", DEVICE);
	}

	async order(imageId: string, target: string): Promise<Write> {
		return await this.server.api<Write>("POST", `${DEVICE}/writes`, { imageId, target, confirm: true });
	}

	/** The predecessor's way: from the server's address, on the Pi's port 8888. Gives what /status says at the end. */
	async writeOnPort8888(imageId: string, device: string): Promise<Record<string, unknown>> {
		const { ip } = await this.device();
		const ask = async (path: string, ...words: string[]): Promise<Record<string, unknown>> => {
			const command = ["curl", "-sS", "-m", "60", "-H", `X-Netboot-Token: ${TOKEN}`, ...words];
			return JSON.parse(await must(this.lab.on("srv", [...command, `http://${ip}:8888${path}`])));
		};
		const image = `http://${SERVER_ADDRESS}:38434/api/images/download/${imageId}`;
		const body = JSON.stringify({ device, image_url: image, netboot_ip: SERVER_ADDRESS });
		assert.equal((await ask("/write-image", "-X", "POST", "-d", body)).success, true);
		let percent = 0;
		const isOver = async () => {
			const status = await ask("/status");
			assert.ok(Number(status.percent) >= percent, `${status.percent} after ${percent} percent`);
			percent = Number(status.percent);
			return status.state === "running" ? undefined : status;
		};
		return eventually("the end of the write", isOver, BOOT_MS);
	}

	/** Looks at a write until it is as wanted; its percentage never falls. */
	async until({ id }: Write, what: string, isIt: (write: Write) => boolean): Promise<Write> {
		let percent = 0;
		return eventually(
			`${what} of the write`,
			async () => {
				const write = await this.server.api<Write>("GET", `/api/v1/writes/${id}`);
				assert.ok(write.percent >= percent, `${write.percent} after ${percent} percent`);
				percent = write.percent;
				assert.ok(write.endedAt === null || isIt(write), JSON.stringify(write));
				return isIt(write) ? write : undefined;
			},
			BOOT_MS,
		);
	}

	/** Written, proved, and the same bytes when looked at from here. */
	async assertWritten(write: Write): Promise<void> {
		assert.deepEqual([write.stage, write.percent, write.error], ["complete", 100, undefined]);
		const map = join(this.folder, "data/packs", `${write.map}.map`);
		const { data, zero } = await assertHolds({
			device: this.disk("nvme"),
			image: this.debian,
			map,
			folder: this.folder,
		});
		assert.deepEqual([data, zero], [write.bytesTotal, write.zeroBytes]);
	}

	/** Bytes that came over the network more than once. */
	refetched(write: Write): number {
		const map = JSON.parse(readFileSync(join(this.folder, "data/packs", `${write.map}.map`), "utf8"));
		return write.wireBytes - map.pack.size;
	}

	async remove(): Promise<void> {
		await this.pullThePlug();
		await this.server.stop();
		await this.router.stop();
		await this.lab.remove();
		await rm(this.folder, { recursive: true, force: true });
	}
}

describe("a Debian that was booted from the network", { skip }, () => {
	let bench: Bench;
	let write: Write;

	before(async () => {
		bench = await Bench.build();
	});
	after(() => bench?.remove());

	test("brings its agent along, which tells of both disks", async () => {
		await bench.powerOn();
		const { agent } = await bench.device();
		const disks = agent?.inventory.disks.map(({ path, size, use }) => [path, size, use]);
		assert.deepEqual(disks, [
			["/dev/mmcblk0", 128 * MIB, null],
			["/dev/nvme0n1", 640 * MIB, null],
		]);
		assert.match(agent?.inventory.os ?? "", /Debian GNU\/Linux 12/);
	});

	test("writes its SD card for a client of the predecessor", async () => {
		const { state, percent, error } = await bench.writeOnPort8888("small", "/dev/mmcblk0");
		assert.deepEqual([state, percent, error], ["complete", 100, null]);
		const image = await readFile(join(bench.folder, "images", "small.img"));
		assert.ok((await readFile(bench.disk("sd"))).subarray(0, image.length).equals(image));
	});

	test("has a disk that does not boot when its plug is pulled in the middle", async () => {
		write = await bench.order("debian", "/dev/nvme0n1");
		write = await bench.until(write, "half", ({ bytesDone, bytesTotal }) => bytesDone > 0.4 * bytesTotal);
		await bench.pullThePlug();
		await assertDoesNotBoot(bench.disk("nvme"), bench.folder);
	});

	test("goes on after kill -9 of the Pi and the server, and fetches little of it twice", async () => {
		await bench.powerOn();
		await bench.until(write, "its going on", ({ bytesDone, bytesTotal }) => bytesDone > 0.6 * bytesTotal);
		await bench.server.kill();
		bench.server = await bench.server.restart();
		write = await bench.until(write, "the end", ({ endedAt }) => endedAt !== null);
		await bench.guest?.ended(120_000);
		await bench.assertWritten(write);
		assert.ok(bench.refetched(write) <= 64 * CHUNK, `${bench.refetched(write)} bytes were fetched again`);
		await bench.pullThePlug();
	});

	test("starts from its disk without failed units, and is not booted from here again", async () => {
		const { bootCount, intent } = await bench.device();
		assert.equal(intent, "disk");
		await assert.rejects(fetchCmdline(bench.lab, { ...PI, address: "10.77.0.119" }), /TFTP|curl/);
		const line = await bench.startFromDisk();
		assert.match(line, /root=\/dev\/nvme0n1p2 ext4 failed=\[\]/);
		assert.equal((await bench.device()).bootCount, bootCount);
	});

	test("has no trace of the agent on that disk", async () => {
		await bench.pullThePlug();
		const root = join(bench.folder, "root-of-disk");
		await must(["dd", `if=${bench.disk("nvme")}`, `of=${root}`, "bs=1M", "skip=84", "count=400", "status=none"]);
		const names = await must(["debugfs", "-R", "ls -p /opt", root]);
		const units = await must(["debugfs", "-R", "ls -p /etc/systemd/system/multi-user.target.wants", root]);
		assert.match(units, /test-marker/);
		assert.doesNotMatch(names + units, /netboot/);
	});
});
