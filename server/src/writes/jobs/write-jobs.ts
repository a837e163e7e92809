/**
 * The writes: ordered, prepared, given to the Pis as many at once as the link carries, followed to their end, kept. A Pi has
 * one at a time. An agent asks for work only when it has none, so it is given its write as long as that is not over: after a
 * restart of the agent, of the Pi or of this server it goes on where the disk is.
 */
import { EventEmitter } from "node:events";
import { type Clock, errorText, type Logger, type Startable, type Timer } from "../../base/index.ts";
import type { Device, DeviceRegistry } from "../../devices/index.ts";
import type { Store } from "../../store/index.ts";
import type { AgentBook } from "../agents/agent-book.ts";
import type { AgentCaller } from "../agents/agent-gate.ts";
import type { PackResult, PackShelf } from "../pack/index.ts";
import { WriteError } from "../write-error.ts";
import { Bells } from "./bells.ts";
import { ended, goesOn, handedOut, prepared, renewed, type WriteJob } from "./job.ts";
import { JobShelf, type SaveWith } from "./job-shelf.ts";
import { confirmedTarget, intendedJob, newJob, retriedTarget, type WriteOrder } from "./order.ts";
import { Pace } from "./pace.ts";
import { Preparing, type WritableBuild } from "./preparing.ts";
import { type AgentReport, afterReport } from "./report.ts";
import { Waits } from "./waits.ts";
import { beginText, cancellation, endText, failureFrom, isOurFault, neverEnds } from "./words.ts";
import { type AgentWork, type WriteWait, workOf } from "./work.ts";

export interface WriteJobsOptions {
	readonly store: Pick<Store, "writes" | "durable">;
	readonly registry: Pick<DeviceRegistry, "byKey" | "setIntent">;
	readonly agents: AgentBook;
	readonly packs: Pick<PackShelf, "get" | "progress" | "stop" | "map" | "check" | "tidy">;
	/**
	 * The newest build of an image (null: the default one); undefined while it is arriving.
	 *
	 * @throws WriteError `image-not-found`, `image-not-ready`.
	 */
	readonly imageOf: (imageId: string | null) => WritableBuild | undefined;
	/** How many Pis load at once. */
	readonly atOnce: () => number;
	readonly clock: Clock;
	readonly log: Logger;
}

interface WriteEvents {
	changed: [WriteJob];
}

const SWEEP_MS = 2000;

/** Runs after which it is no accident that the Pi or its agent is restarted each time. */
const MOST_RUNS = 30;

export class WriteJobs extends EventEmitter<WriteEvents> implements Startable {
	readonly #options: WriteJobsOptions;
	readonly #shelf: JobShelf;
	readonly #preparing: Preparing;
	readonly #bells: Bells;
	readonly #waits: Waits;
	readonly #paces = new Map<string, Pace>();
	/** The last report's number of each job that an agent has. */
	readonly #heard = new Map<string, number>();
	/** What was last said of each job's waiting. */
	readonly #said = new Map<string, string>();
	#timer: Timer | undefined;
	#isStopped = false;

	constructor(options: WriteJobsOptions) {
		super();
		this.#options = options;
		this.#shelf = new JobShelf(options.store);
		this.#bells = new Bells(options.clock);
		this.#preparing = new Preparing({
			...options,
			ready: (id, buildId, result) => this.#prepared(id, buildId, result),
			failed: (id, error) => this.#failed(id, error),
		});
		const { agents, atOnce } = options;
		this.#waits = new Waits({ shelf: this.#shelf, preparing: this.#preparing, agents, atOnce });
	}

	/** Takes up the writes that were not over. */
	async start(): Promise<void> {
		await this.#shelf.load();
		for (const job of this.#shelf.open()) await this.#takeUp(job);
		this.#arm();
	}

	/** One that has begun goes on with its own map, as long as that is there. */
	async #takeUp(job: WriteJob): Promise<void> {
		const hasMap = job.map !== null && (await this.#options.packs.map(job.map)) !== undefined;
		if (!hasMap || job.attempts === 0) this.#preparing.want(job);
	}

	async stop(): Promise<void> {
		this.#isStopped = true;
		this.#timer?.cancel();
		this.#bells.close();
	}

	/** The newest first. */
	list(): WriteJob[] {
		return this.#shelf.list();
	}

	get(id: string): WriteJob | undefined {
		return this.#shelf.get(id);
	}

	/** The write of a device that is not over. */
	openOf(deviceKey: number): WriteJob | undefined {
		return this.#shelf.openOf(deviceKey);
	}

	/** Whether a write that is not over needs a build. */
	needs(buildId: string): boolean {
		return this.#preparing.needs(buildId) || this.#shelf.open().some((job) => job.buildId === buildId);
	}

	paceOf(job: WriteJob): { readonly bytesPerSecond: number; readonly secondsLeft: number | null } {
		const pace = this.#paces.get(job.id);
		if (pace === undefined || this.waitOf(job) !== undefined) return { bytesPerSecond: 0, secondsLeft: null };
		return { bytesPerSecond: pace.bytesPerSecond, secondsLeft: pace.secondsLeft(job.percent) };
	}

	/** Why nothing is written at the moment; undefined while something is, and when it is over. */
	waitOf(job: WriteJob): WriteWait | undefined {
		return this.#waits.of(job);
	}

	/**
	 * Orders a write. Stored when it resolves.
	 *
	 * @throws WriteError.
	 */
	async order(device: Device, { imageId, target: wish, verify }: WriteOrder): Promise<WriteJob> {
		const image = this.#imageOf(imageId ?? device.imageId);
		const target = confirmedTarget(this.#options.agents.of(device.key), wish, image);
		const now = this.#options.clock.now();
		return this.#begin(newJob({ device, image, target, verify, origin: "person", now }));
	}

	/**
	 * What the intent `write-then-disk` asks for, which is used up by it. Stored when it resolves. A disk that must not be
	 * written is a write that failed.
	 *
	 * @throws WriteError while the image or the disks are not there.
	 */
	async orderIntended(device: Device, path: string): Promise<void> {
		const { agents, clock, registry } = this.#options;
		const job = intendedJob(device, this.#imageOf(device.imageId), agents.of(device.key), path, clock.now());
		await this.#begin(job, (save) => registry.setIntent(device.id, "netboot", save));
	}

	#imageOf(imageId: string | null): WritableBuild {
		const image = this.#options.imageOf(imageId);
		if (image !== undefined) return image;
		const hint = "Wait until it is there; `pi-netboot images` says how far it is.";
		throw new WriteError("image-not-ready", "The image is still arriving.", hint);
	}

	async #begin(job: WriteJob, saveWith?: SaveWith): Promise<WriteJob> {
		this.#refuseSecond(job.deviceKey);
		await this.#shelf.keep(job, saveWith);
		this.#options.log.info({ device: job.deviceId }, job.endedAt === null ? beginText(job) : endText(job));
		if (job.endedAt === null) this.#preparing.want(job);
		this.#tell(job);
		return job;
	}

	#refuseSecond(deviceKey: number): void {
		const other = this.openOf(deviceKey);
		if (other === undefined) return;
		const hint = "Wait until it is over, or cancel it.";
		throw new WriteError("write-running", `${other.imageName} is being written to ${other.target.path}.`, hint);
	}

	/** Stops a write. One that an agent has is over when the agent was heard. @throws WriteError. */
	async cancel(id: string): Promise<WriteJob> {
		const job = this.#existing(id);
		if (job.endedAt !== null) throw new WriteError("conflict", "This write is over.");
		const isWithAgent = job.run !== null && this.#options.agents.isOnline(job.deviceKey);
		return isWithAgent ? this.#change({ ...job, isCancelled: true }) : this.#cancelled(job);
	}

	/** @param run of the agent that is there and writes nothing. */
	#cancelled(job: WriteJob, run?: string): Promise<WriteJob> {
		return this.#change(ended(job, "cancelled", this.#options.clock.now(), cancellation(job, run)));
	}

	/** Begins a write again, with the newest build of its image. @throws WriteError. */
	async retry(id: string): Promise<WriteJob> {
		const job = this.#existing(id);
		if (job.stage !== "failed" && job.stage !== "cancelled") {
			throw new WriteError("conflict", "Only a write that failed or was cancelled can be begun again.");
		}
		this.#refuseSecond(job.deviceKey);
		if (this.#options.registry.byKey(job.deviceKey) === undefined) {
			throw new WriteError("device-not-found", `The device ${job.deviceName} is not known any more.`);
		}
		const target = retriedTarget(job, this.#options.agents.of(job.deviceKey), this.#imageOf(job.imageId));
		const changed = await this.#change({ ...renewed(job), target });
		this.#preparing.want(changed);
		return changed;
	}

	/** Has a device reboot: its agent is told now, or as soon as it asks. @throws WriteError `agent-away`, `write-running`. */
	reboot(device: Device): void {
		const { agents } = this.#options;
		this.#refuseSecond(device.key);
		const bootId = agents.of(device.key)?.bootId;
		if (bootId === undefined || !agents.isOnline(device.key)) {
			const hint = "Is it booted from the network, and does its system have Python 3? Otherwise pull its plug.";
			throw new WriteError("agent-away", `The agent of ${device.name} cannot be reached.`, hint);
		}
		agents.orderReboot(device.key, agents.runOf({ device, bootId }));
		this.#bells.ring(device.key);
	}

	#existing(id: string): WriteJob {
		const job = this.#shelf.get(id);
		if (job === undefined) throw new WriteError("write-not-found", `There is no write "${id}".`);
		return job;
	}

	async #prepared(id: string, buildId: string, result: PackResult): Promise<void> {
		const job = this.#shelf.get(id);
		if (job === undefined || job.endedAt !== null || this.#isStopped) return;
		await this.#shelf.keep(prepared(job, buildId, result));
		this.#bells.ringAll();
	}

	/** What failed on our side. */
	async #failed(id: string, error: unknown): Promise<void> {
		const job = this.#shelf.get(id);
		if (job === undefined || job.endedAt !== null || this.#isStopped) return;
		if (isOurFault(error)) this.#options.log.error({ err: error }, "a write failed");
		await this.#change(ended(job, "failed", this.#options.clock.now(), failureFrom(error)));
	}

	/** Waits until there is work for an agent. @param milliseconds at most. @returns null when there was none. */
	async next(caller: AgentCaller, milliseconds: number, signal: AbortSignal): Promise<AgentWork | null> {
		const { clock, agents } = this.#options;
		const deadline = clock.monotonic() + milliseconds;
		agents.hear(caller.device);
		for (;;) {
			const work = await this.#workFor(caller);
			const left = deadline - clock.monotonic();
			if (work !== null || left <= 0 || this.#isStopped) return work;
			const awoken = await this.#bells.wait(caller.device.key, left, signal);
			if (awoken === "gone") return null;
		}
	}

	async #workFor(caller: AgentCaller): Promise<AgentWork | null> {
		const { device } = caller;
		const before = this.openOf(device.key);
		const hasMap = before?.map != null && (await this.#options.packs.map(before.map)) !== undefined;
		const job = this.openOf(device.key);
		const run = this.#options.agents.runOf(caller);
		if (job === undefined) return this.#shallReboot(device, run) ? { kind: "reboot" } : null;
		if (job.isCancelled) await this.#cancelled(job, run);
		else if (job.map !== before?.map) return null;
		else if (!hasMap) this.#preparing.want(job);
		else if (this.#waits.isReady(job) && (job.run !== null || this.#waits.countBefore(job) === 0)) {
			if (job.attempts < MOST_RUNS) return this.#hand(job, run);
			await this.#change(ended(job, "failed", this.#options.clock.now(), neverEnds(job)));
		}
		return null;
	}

	/** Somebody wants it, or the disk was written in this run: whatever comes after a reboot has nothing of both. */
	#shallReboot({ key }: Device, run: string): boolean {
		const last = this.#shelf.lastOf(key);
		return (last?.stage === "complete" && last.run === run) || this.#options.agents.shallReboot(key, run);
	}

	async #hand(job: WriteJob, run: string): Promise<AgentWork | null> {
		const handed = await this.#change(handedOut(job, run, this.#options.clock.now()));
		this.#heard.set(job.id, 0);
		return workOf(handed);
	}

	/**
	 * Takes in what an agent reports; stored when it resolves.
	 *
	 * @returns whether the agent is to stop.
	 */
	async report(caller: AgentCaller, report: AgentReport): Promise<boolean> {
		this.#options.agents.hear(caller.device);
		const job = this.#shelf.get(report.job);
		if (job === undefined || job.deviceKey !== caller.device.key || job.endedAt !== null) return true;
		// It was begun again meanwhile, perhaps with another image: who still writes the earlier one proves nothing.
		if (job.run !== this.#options.agents.runOf(caller)) return true;
		if (report.seq <= (this.#heard.get(job.id) ?? 0)) return job.isCancelled;
		this.#heard.set(job.id, report.seq);
		const next = afterReport(job, report, this.#options.clock.now());
		if (next.stage === "complete") await this.#complete(next, caller);
		else if (goesOn(next)) await this.#goOn(job, next);
		else await this.#change(next);
		if (next.failure?.code === "bad-data" && next.buildId !== null) this.#checkPack(next.buildId);
		if (next.stage !== job.stage) this.#bells.ringAll();
		return next.isCancelled;
	}

	#checkPack(buildId: string): void {
		void this.#options.packs.check(buildId).catch((error: unknown) => {
			this.#options.log.warn(`a pack that arrived damaged could not be looked at: ${errorText(error)}`);
		});
	}

	/** The agent gave up, and will ask for work again. */
	async #goOn(job: WriteJob, { counts, durable, failure }: WriteJob): Promise<void> {
		const again = await this.#change({ ...job, counts, durable, run: null });
		if (failure?.code === "pack-gone") this.#preparing.want(again);
		this.#options.log.warn({ device: job.deviceId }, `${failure?.message} The write goes on as soon as it can.`);
	}

	/** The Pi boots from its disk from now on: stored together, and before it is told to. */
	async #complete(job: WriteJob, { device }: AgentCaller): Promise<void> {
		await this.#change(job, (save) => this.#options.registry.setIntent(device.id, "disk", save));
	}

	async #change(job: WriteJob, saveWith?: SaveWith): Promise<WriteJob> {
		await this.#shelf.keep(job, saveWith);
		this.#tell(job);
		if (job.endedAt !== null) {
			this.#options.log.info({ device: job.deviceId }, endText(job));
			this.#settle(job);
		}
		return job;
	}

	/** It is over: another may begin, and a pack may go. */
	#settle({ id }: WriteJob): void {
		// Somebody was quick to begin it again.
		if (this.#shelf.get(id)?.endedAt === null) return;
		for (const map of [this.#said, this.#paces, this.#heard]) map.delete(id);
		this.#preparing.forget(id);
		this.#bells.ringAll();
		void this.#options.packs.tidy().catch((error: unknown) => {
			this.#options.log.warn(`packs that nobody needs were not removed: ${errorText(error)}`);
		});
	}

	#tell(job: WriteJob): void {
		if (job.run !== null) {
			const pace = this.#paces.get(job.id) ?? new Pace();
			this.#paces.set(job.id, pace);
			pace.note(job, this.#options.clock.monotonic());
		}
		this.#said.set(job.id, JSON.stringify(this.waitOf(job)));
		this.emit("changed", job);
	}

	/** Looks after what changes by itself: how far an image is prepared, that a Pi is away, whose turn it is. */
	#arm(): void {
		this.#timer = this.#options.clock.after(SWEEP_MS, () => {
			this.#preparing.sweep();
			for (const job of this.#shelf.open()) this.#sweep(job);
			this.#arm();
		});
	}

	#sweep(job: WriteJob): void {
		const wait = this.waitOf(job);
		if (job.isCancelled && wait?.for === "device") {
			void this.#cancelled(job).catch((error: unknown) => {
				this.#options.log.warn(`a write's end was not stored: ${errorText(error)}`);
			});
			return;
		}
		const text = JSON.stringify(wait);
		if (this.#said.get(job.id) === text) return;
		this.#said.set(job.id, text);
		this.emit("changed", job);
		this.#bells.ring(job.deviceKey);
	}
}
