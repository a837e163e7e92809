/** What the tests of the agent share: an image with two file systems, its pack, a server, disks, and one job after the other. */
import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AgentEvent, AgentWork } from "@pi-netboot/api";
import { makeDiskImage, makeExtImage, makeFatImage, patternBytes } from "../../server/src/disk/testdata/index.ts";
import { type PackResult, PackShelf } from "../../server/src/writes/index.ts";
import { AgentServer } from "../harness/agent-server.ts";
import { BlockDevices } from "../harness/block-devices.ts";
import { must } from "../harness/command.ts";
import { eventually } from "../harness/eventually.ts";
import { Imager, type ImagerOptions } from "../harness/imager.ts";

const MIB = 1024 * 1024;

export const PROGRAMS = [
	"losetup",
	"python3",
	"curl",
	"nbdkit",
	"nbdfuse",
	"mke2fs",
	"mkfs.fat",
	"mcopy",
	"sfdisk",
	"sgdisk",
];

type Write = Extract<AgentWork, { kind: "write" }>;

export class BenchTop {
	readonly folder: string;
	readonly image: string;
	readonly size: number;
	readonly shelf: PackShelf;
	readonly pack: PackResult;
	readonly disks: BlockDevices;
	#jobs = 0;

	private constructor(folder: string, image: string, shelf: PackShelf, pack: PackResult) {
		this.folder = folder;
		this.image = image;
		this.size = readFileSync(image).length;
		this.shelf = shelf;
		this.pack = pack;
		this.disks = new BlockDevices(folder);
	}

	/** @param dataMiB of random bytes in its root: each 4 MiB of them are a chunk. */
	static async open(dataMiB: number): Promise<BenchTop> {
		const folder = mkdtempSync(join(tmpdir(), "imager-"));
		const files = join(folder, "files");
		mkdirSync(files);
		writeFileSync(join(files, "text"), "the same again and again\n".repeat(40_000));
		const boot = makeFatImage(folder, { sizeKiB: 8192, sourceDir: files });
		writeFileSync(join(files, "random"), patternBytes(dataMiB * MIB, 4));
		const root = makeExtImage(folder, { size: `${dataMiB + 40}M`, blockSize: 4096, sourceDir: files });
		const image = makeDiskImage(folder, { boot, root, table: "gpt" });
		for (const made of [files, boot, root]) rmSync(made, { recursive: true });
		const shelf = await PackShelf.open(join(folder, "packs"));
		return new BenchTop(folder, image, shelf, await shelf.get({ key: "image", image }));
	}

	async serve(clockOffset = 0): Promise<AgentServer> {
		const server = new AgentServer(this.shelf, clockOffset);
		await server.start();
		this.disks.onClose(() => server.stop());
		return server;
	}

	async agent(options: ImagerOptions = {}): Promise<Imager> {
		const agent = await Imager.start(this.folder, options);
		this.disks.onClose(() => agent.stop());
		return agent;
	}

	order(path: string, more: Partial<Write> = {}): Write {
		const job = `job-${++this.#jobs}`;
		return { kind: "write", job, map: this.pack.map, target: { path }, verify: "full", done: null, ...more };
	}

	/** Orders a write and waits for its end. */
	async write(server: AgentServer, path: string, more: Partial<Write> = {}): Promise<AgentEvent> {
		const work = this.order(path, more);
		server.work = work;
		return this.end(server, work.job);
	}

	end(server: AgentServer, job: string): Promise<AgentEvent> {
		return eventually(`the end of ${job}`, () => server.outcome(job), 60_000);
	}

	/** Every byte of the image that is in use is on the disk, and both file systems are in order. */
	async assertHasImage(device: string): Promise<void> {
		const copy = join(this.folder, "written");
		await must(["dd", `if=${device}`, `of=${copy}`, "bs=4M", "iflag=direct", "status=none"]);
		const written = readFileSync(copy).subarray(0, this.size);
		const map = JSON.parse(readFileSync(join(this.folder, "packs", `${this.pack.map}.map`), "utf8"));
		const image = readFileSync(this.image);
		for (const [n, , , , , data, zero] of map.chunks) {
			for (const runs of [data, zero]) {
				for (let run = 0; run < runs.length; run += 2) {
					const start = n * 4 * MIB + runs[run] * 4096;
					const end = start + runs[run + 1] * 4096;
					const same = written.subarray(start, end).equals(image.subarray(start, end));
					assert.ok(same || runs === data, `bytes ${start} to ${end} of the disk`);
				}
			}
		}
		writeFileSync(copy, written);
		await must(["sfdisk", "--verify", "-q", copy]);
		await this.#checkPartition(copy, 1, 8 * MIB, ["fsck.fat", "-n"]);
		await this.#checkPartition(copy, 9, this.size - 10 * MIB, ["e2fsck", "-fn"]);
	}

	async #checkPartition(disk: string, startMiB: number, size: number, check: readonly string[]): Promise<void> {
		const part = join(this.folder, "part");
		writeFileSync(part, readFileSync(disk).subarray(startMiB * MIB, startMiB * MIB + size));
		await must([...check, part]);
		if (check[0] !== "e2fsck") return;
		const dumped = join(this.folder, "dumped");
		await must(["debugfs", "-R", `dump /random ${dumped}`, part]);
		const random = readFileSync(dumped);
		assert.ok(random.equals(patternBytes(random.length, 4)), "the file in the root");
	}

	/** The start of a disk, past the page cache: no firmware finds anything to boot there. */
	async assertDoesNotBoot(device: string): Promise<void> {
		const start = join(this.folder, "start");
		await must(["dd", `if=${device}`, `of=${start}`, "bs=1M", "count=1", "iflag=direct", "status=none"]);
		assert.ok(
			readFileSync(start).every((byte) => byte === 0),
			"the start of the disk is not wiped",
		);
	}

	/** A file of its own with the image in it. */
	copy(name: string): string {
		const path = join(this.folder, name);
		copyFileSync(this.image, path);
		return path;
	}

	async close(): Promise<void> {
		await this.disks.close();
		await this.shelf.close();
		rmSync(this.folder, { recursive: true });
	}
}
