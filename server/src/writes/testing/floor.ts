/** A room of Pis that are to be written, for tests: a store, devices with boots, agents, packs that are there at once. */
import assert from "node:assert/strict";
import { silentLogger } from "../../base/index.ts";
import { Bench, pi4 } from "../../devices/testing/pis.ts";
import { AgentBook } from "../agents/agent-book.ts";
import type { AgentCaller } from "../agents/agent-gate.ts";
import type { Inventory, InventoryDisk } from "../agents/inventory.ts";
import type { AgentReport, WriteJob } from "../index.ts";
import type { WritableBuild } from "../jobs/preparing.ts";
import type { AgentWork } from "../jobs/work.ts";
import { WriteJobs } from "../jobs/write-jobs.ts";
import type { Build, PackFile, PackResult } from "../pack/index.ts";

export const MAP = "ab".repeat(32);

export function disk(path: string, changes: Partial<InventoryDisk> = {}): InventoryDisk {
	return {
		path,
		size: 32_000_000_000,
		model: "SC32G",
		serial: "0x1234",
		identity: `cid of ${path}`,
		diskseq: 1,
		readOnly: false,
		removable: true,
		content: "mbr",
		partitions: [],
		use: null,
		...changes,
	};
}

export function inventory(...disks: InventoryDisk[]): Inventory {
	return {
		model: "Raspberry Pi 4 Model B Rev 1.4",
		serial: "",
		memory: 4_000_000_000,
		disks,
		network: [],
		kernel: "6.12",
		architecture: "aarch64",
		os: "Debian",
		temperature: 48.2,
		throttled: "0",
		bootloader: { version: "", builtAt: 0, config: "" },
		zstd: true,
	};
}

/** Packs that a test makes, loses or delays. */
export class FakePacks {
	readonly result: PackResult = { map: MAP, pack: "cd".repeat(32), dataBytes: 1000, zeroBytes: 100, packBytes: 400 };
	/** What is being packed, and how it ends. */
	pack: (build: Build) => Promise<PackResult> = async () => this.result;
	readonly maps = new Set<string>();
	tidied = 0;
	readonly stopped: string[] = [];
	readonly checked: string[] = [];

	async get(build: Build): Promise<PackResult> {
		const result = await this.pack(build);
		this.maps.add(result.map);
		return result;
	}

	progress() {
		return { done: 1, total: 4 };
	}

	async map(name: string): Promise<PackFile | undefined> {
		const read = () => assert.fail("nobody reads it here");
		return this.maps.has(name) ? { name, size: 10, read, send: read } : undefined;
	}

	stop(key: string): void {
		this.stopped.push(key);
	}

	async check(key: string): Promise<void> {
		this.checked.push(key);
	}

	async tidy(): Promise<void> {
		this.tidied++;
	}
}

export const IMAGE: WritableBuild = {
	id: "debian",
	name: "debian.img",
	size: 2_000_000_000,
	buildId: "b1",
	path: "/images/debian.img",
};

export class Floor {
	readonly bench: Bench;
	readonly packs = new FakePacks();
	/** Undefined: it is arriving. */
	image: WritableBuild | undefined = IMAGE;
	atOnce = 10;
	agents: AgentBook;
	jobs: WriteJobs;
	#seq = 0;

	private constructor(bench: Bench) {
		this.bench = bench;
		[this.agents, this.jobs] = this.#make();
	}

	static async open(): Promise<Floor> {
		const floor = new Floor(await Bench.open());
		await floor.#start();
		return floor;
	}

	#make(): [AgentBook, WriteJobs] {
		const { store, registry, clock } = this.bench;
		const parse = (text: string): Inventory => JSON.parse(text);
		const agents = new AgentBook({ store, registry, clock, parse });
		const { packs } = this;
		const imageOf = () => this.image;
		const atOnce = () => this.atOnce;
		return [agents, new WriteJobs({ store, registry, agents, packs, imageOf, atOnce, clock, log: silentLogger })];
	}

	async #start(): Promise<void> {
		await this.agents.start();
		await this.jobs.start();
	}

	/** As after a `kill -9` of the server. */
	async restart(): Promise<void> {
		await this.jobs.stop();
		await this.agents.stop();
		await this.bench.restart("killed");
		[this.agents, this.jobs] = this.#make();
		await this.#start();
	}

	/** A Pi boots, and its agent says hello. */
	async boot(number = 1, ...disks: InventoryDisk[]): Promise<AgentCaller> {
		const { registry } = this.bench;
		const device = pi4(this.bench, number);
		const plan = { imageId: "debian", buildId: "b1", mode: "persistent", server: null } as const;
		const { boot } = await registry.beginBoot(device, plan, async () => null);
		await registry.bootMounted(boot.id);
		const caller = { device, bootId: boot.id, sign: () => "" };
		const has = disks.length > 0 ? disks : [disk("/dev/mmcblk0")];
		await this.agents.greet(caller, { version: "1", inventory: inventory(...has) });
		return caller;
	}

	/** The same agent after a restart of the server, which has made its device anew. */
	again({ device, bootId }: AgentCaller): AgentCaller {
		const same = this.bench.registry.get(device.id);
		assert.ok(same);
		return { device: same, bootId, sign: () => "" };
	}

	async order(caller: AgentCaller, path = "/dev/mmcblk0"): Promise<WriteJob> {
		const job = await this.jobs.order(caller.device, { target: { path }, verify: "full" });
		await this.settled();
		this.bench.clock.advance(1);
		return job;
	}

	/** What the agent gets that asks now. */
	next(caller: AgentCaller): Promise<AgentWork | null> {
		return this.jobs.next(caller, 0, new AbortController().signal);
	}

	/** @returns whether the agent is told to stop. */
	report(caller: AgentCaller, job: { readonly id: string }, what: Partial<AgentReport>): Promise<boolean> {
		const counts = { bytesDone: 0, wireBytes: 0, zeroedBytes: 0, verifiedBytes: 0, retries: 0 };
		const plain = { stage: "writing", percent: 10, durable: null, error: null } as const;
		return this.jobs.report(caller, { job: job.id, seq: ++this.#seq, ...plain, ...counts, ...what });
	}

	/** The write is done, and proved. */
	complete(caller: AgentCaller, job: { readonly id: string }, what: Partial<AgentReport> = {}): Promise<boolean> {
		const all = { bytesDone: 1000, verifiedBytes: 1100, percent: 100 };
		return this.report(caller, job, { stage: "complete", ...all, ...what });
	}

	now(job: { readonly id: string }): WriteJob {
		const found = this.jobs.get(job.id);
		assert.ok(found);
		return found;
	}

	/** Lets what waits for nobody end. */
	async settled(): Promise<void> {
		for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.jobs.stop();
		await this.agents.stop();
		await this.bench[Symbol.asyncDispose]();
	}
}
