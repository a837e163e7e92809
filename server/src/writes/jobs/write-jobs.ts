/**
 * The writes: ordered, prepared, given to the Pis as many at once as the link carries, followed to their end, kept. A Pi has
 * one at a time. An agent asks for work only when it has none, so it is given its write as long as that is not over: after a
 * restart of the agent, of the Pi or of this server it goes on where the disk is.
 */
import { EventEmitter } from "node:events";
import { type Clock, errorText, isNetbootError, type Logger, type Startable, type Timer } from "../../base/index.ts";
import type { Device, DeviceRegistry } from "../../devices/index.ts";
import type { Repositories, Store } from "../../store/index.ts";
import type { AgentBook } from "../agents/agent-book.ts";
import type { AgentCaller } from "../agents/agent-gate.ts";
import type { PackShelf } from "../pack/index.ts";
import { WriteError } from "../write-error.ts";
import { Bells } from "./bells.ts";
import { ended, fromRow, handedOut, renewed, toRow, type WriteFailure, type WriteJob } from "./job.ts";
import { checkSize, confirmedTarget, newJob, type WritableImage, type WriteOrder } from "./order.ts";
import { Pace } from "./pace.ts";
import { type AgentReport, afterReport } from "./report.ts";

/** An image in the build that is written. */
export interface WritableBuild extends WritableImage {
	readonly buildId: string;
	readonly path: string;
}

export interface WriteJobsOptions {
	readonly store: Pick<Store, "writes" | "durable">;
	readonly registry: Pick<DeviceRegistry, "byKey" | "setIntent">;
	readonly agents: AgentBook;
	readonly packs: Pick<PackShelf, "get" | "progress" | "map" | "tidy">;
	/**
	 * The newest build of an image (null: the default one).
	 *
	 * @throws WriteError `image-not-found`, `image-not-ready`.
	 */
	readonly imageOf: (imageId: string | null) => WritableBuild;
	/** How many Pis are written at once. */
	readonly atOnce: () => number;
	readonly clock: Clock;
	readonly log: Logger;
}

/** Why nothing is written at the moment. */
export type WriteWait =
	| { readonly for: "image"; readonly percent: number }
	/** @property before how many writes come first. */
	| { readonly for: "turn"; readonly before: number }
	| { readonly for: "device" };

/** What an agent is to do. */
export type AgentWork =
	| {
			readonly kind: "write";
			readonly job: string;
			readonly map: string;
			readonly target: { readonly path: string; readonly size: number; readonly identity: string };
			readonly verify: WriteJob["verify"];
			readonly done: string | null;
	  }
	| { readonly kind: "reboot" };

interface WriteEvents {
	changed: [WriteJob];
}

/** Writes that are over and kept. */
const KEPT = 2000;
const SWEEP_MS = 2000;

/** Failures after which what is on the disk is still good, and nobody has to do anything first. */
const GOES_ON = new Set(["unreachable", "pack-gone"]);
/** Runs after which a write that goes on by itself has had its chances. */
const MOST_ATTEMPTS = 10;

export class WriteJobs extends EventEmitter<WriteEvents> implements Startable {
	readonly #options: WriteJobsOptions;
	/** The newest first. */
	#jobs = new Map<string, WriteJob>();
	readonly #open = new Map<number, string>();
	readonly #paces = new Map<string, Pace>();
	/** The last report's number of each job that an agent has. */
	readonly #heard = new Map<string, number>();
	readonly #preparing = new Set<string>();
	readonly #bells: Bells;
	/** What was last said of each job's waiting. */
	readonly #said = new Map<string, string>();
	#timer: Timer | undefined;
	#isStopped = false;

	constructor(options: WriteJobsOptions) {
		super();
		this.#options = options;
		this.#bells = new Bells(options.clock);
	}

	/** Takes up the writes that were not over. */
	async start(): Promise<void> {
		for (const row of (await this.#options.store.writes.newest(KEPT)).reverse()) this.#put(fromRow(row));
		for (const job of this.#openJobs()) this.#prepare(job);
		this.#arm();
	}

	async stop(): Promise<void> {
		this.#isStopped = true;
		this.#timer?.cancel();
		this.#bells.ringAll();
	}

	/** The newest first. */
	list(): WriteJob[] {
		return [...this.#jobs.values()].reverse();
	}

	get(id: string): WriteJob | undefined {
		return this.#jobs.get(id);
	}

	/** The write of a device that is not over. */
	openOf(deviceKey: number): WriteJob | undefined {
		return this.#jobs.get(this.#open.get(deviceKey) ?? "");
	}

	/** Whether a write that is not over needs a build. */
	needs(buildId: string): boolean {
		return this.#openJobs().some((job) => job.buildId === buildId);
	}

	paceOf(job: WriteJob): { readonly bytesPerSecond: number; readonly secondsLeft: number | null } {
		const pace = this.#paces.get(job.id);
		if (pace === undefined || this.waitOf(job) !== undefined) return { bytesPerSecond: 0, secondsLeft: null };
		return { bytesPerSecond: pace.bytesPerSecond, secondsLeft: pace.secondsLeft(job.percent) };
	}

	/** Why nothing is written at the moment; undefined while something is, and when it is over. */
	waitOf(job: WriteJob): WriteWait | undefined {
		if (job.endedAt !== null) return undefined;
		if (job.map === null) return { for: "image", percent: this.#preparedPercent(job) };
		if (!this.#options.agents.isOnline(job.deviceKey)) return { for: "device" };
		return job.bootId === null ? { for: "turn", before: this.#before(job).length } : undefined;
	}

	#preparedPercent({ buildId }: WriteJob): number {
		const progress = buildId === null ? undefined : this.#options.packs.progress(buildId);
		return progress === undefined || progress.total === 0 ? 0 : (100 * progress.done) / progress.total;
	}

	/**
	 * Orders a write. Stored when it resolves.
	 *
	 * @throws WriteError.
	 */
	async order(device: Device, order: WriteOrder): Promise<WriteJob> {
		const image = this.#options.imageOf(order.imageId ?? device.imageId);
		const target = confirmedTarget(this.#options.agents.of(device.key), order.target, image);
		const { verify } = order;
		const now = this.#options.clock.now();
		return this.#begin(newJob({ device, image, target, verify, origin: "person", now }));
	}

	/** What the intent `write-then-disk` asks for, which is used up by it. Stored when it resolves. */
	async orderIntended(device: Device, path: string): Promise<void> {
		const image = this.#options.imageOf(device.imageId);
		const target = confirmedTarget(this.#options.agents.of(device.key), { path }, image);
		const job = newJob({ device, image, target, verify: "full", origin: "intent", now: this.#options.clock.now() });
		await this.#begin(job, (work) => this.#options.registry.setIntent(device.id, "netboot", work));
	}

	/** @param save stores the job together with something else. */
	async #begin(job: WriteJob, save = this.#save.bind(this)): Promise<WriteJob> {
		this.#refuseSecond(job.deviceKey);
		this.#put(job);
		try {
			await save(({ writes }) => writes.save(toRow(job)));
			await this.#options.store.durable();
		} catch (error) {
			this.#drop(job);
			throw error;
		}
		this.#options.log.info({ device: job.deviceId }, `${job.imageName} is to be written to ${job.target.path}`);
		await this.#forgetOld();
		this.#tell(job);
		this.#prepare(job);
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
		const isWithAgent = job.bootId !== null && this.#options.agents.isOnline(job.deviceKey);
		return isWithAgent ? this.#change({ ...job, isCancelled: true }) : this.#cancelled(job);
	}

	async #cancelled(job: WriteJob): Promise<WriteJob> {
		const { bootId } = job;
		const message = bootId === null ? "It was cancelled before it began." : "It was cancelled. The disk does not boot.";
		return this.#change(ended(job, "cancelled", this.#options.clock.now(), { code: "cancelled", message }));
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
		checkSize(job.target, this.#options.imageOf(job.imageId));
		// A disk that failed is written from its start.
		const durable = job.failure?.code === "disk-error" || job.failure?.code === "verify-failed" ? null : job.durable;
		const changed = await this.#change({ ...renewed(job), durable });
		this.#prepare(changed);
		return changed;
	}

	/** Has a device reboot. Its agent was told when it resolves. @throws WriteError `agent-away`, `write-running`. */
	async reboot(device: Device): Promise<void> {
		const { agents } = this.#options;
		this.#refuseSecond(device.key);
		const bootId = agents.of(device.key)?.bootId;
		if (bootId === undefined || !agents.isOnline(device.key)) {
			const hint = "Is it booted from the network, and does its system have Python 3? Otherwise pull its plug.";
			throw new WriteError("agent-away", `The agent of ${device.name} cannot be reached.`, hint);
		}
		agents.orderReboot(device.key, bootId);
		this.#bells.ring(device.key);
	}

	#existing(id: string): WriteJob {
		const job = this.#jobs.get(id);
		if (job === undefined) throw new WriteError("write-not-found", `There is no write "${id}".`);
		return job;
	}

	/** Makes sure that map and pack are there. A write that has begun goes on with its own. */
	#prepare(job: WriteJob): void {
		if (this.#preparing.has(job.id)) return;
		this.#preparing.add(job.id);
		void this.#prepareNow(job)
			.catch((error: unknown) => this.#failed(job.id, error))
			.finally(() => this.#preparing.delete(job.id));
	}

	async #prepareNow(job: WriteJob): Promise<void> {
		const { packs, imageOf } = this.#options;
		if (job.map !== null && job.bootId !== null && (await packs.map(job.map)) !== undefined) return;
		const image = imageOf(job.imageId);
		checkSize(job.target, image);
		await this.#update(job.id, (now) => ({ ...now, buildId: image.buildId, map: null }));
		const { map, dataBytes, zeroBytes } = await packs.get({ key: image.buildId, image: image.path });
		await this.#update(job.id, (now) => {
			const durable = job.map === null || job.map === map ? now.durable : null;
			return { ...now, map, dataBytes, zeroBytes, durable };
		});
		this.#bells.ringAll();
	}

	/** What failed on our side. */
	async #failed(id: string, error: unknown): Promise<void> {
		if (this.#isStopped) return;
		if (!isNetbootError(error) || error.code === "bug") this.#options.log.error({ err: error }, "a write failed");
		const failure = failureFrom(error);
		await this.#update(id, (job) => ended(job, "failed", this.#options.clock.now(), failure)).catch((cause: unknown) =>
			this.#options.log.error({ err: cause }, `a write's failure was not stored: ${errorText(cause)}`),
		);
	}

	/** Waits until there is work for an agent. @param milliseconds at most. @returns null when there was none. */
	async next(caller: AgentCaller, milliseconds: number, signal: AbortSignal): Promise<AgentWork | null> {
		const { clock, agents } = this.#options;
		const deadline = clock.monotonic() + milliseconds;
		for (;;) {
			agents.hear(caller.device);
			const work = await this.#workFor(caller);
			const left = deadline - clock.monotonic();
			if (work !== null || left <= 0 || signal.aborted || this.#isStopped) return work;
			await this.#bells.wait(caller.device.key, left, signal);
		}
	}

	async #workFor({ device, bootId }: AgentCaller): Promise<AgentWork | null> {
		const { agents, clock, packs } = this.#options;
		const job = this.openOf(device.key);
		if (job === undefined) return agents.shallReboot(device.key, bootId) ? { kind: "reboot" } : null;
		if (job.isCancelled) await this.#cancelled(job);
		else if (job.map !== null && (await packs.map(job.map)) === undefined) this.#prepare(job);
		else if (job.map !== null && this.#before(job).length === 0) {
			return this.#hand(await this.#change(handedOut(job, bootId, clock.now())));
		}
		return null;
	}

	#hand(job: WriteJob): AgentWork | null {
		const { id, map, target, verify, durable } = job;
		if (map === null) return null;
		this.#heard.set(id, 0);
		const { path, size, identity } = target;
		return { kind: "write", job: id, map, target: { path, size, identity }, verify, done: durable };
	}

	/** Those that are to go before a write while the link is full: it is when this is not empty. */
	#before(job: WriteJob): WriteJob[] {
		if (job.bootId !== null) return [];
		const others = this.#openJobs().filter((other) => other !== job && this.#options.agents.isOnline(other.deviceKey));
		const loading = others.filter(
			({ bootId, stage }) => bootId !== null && (stage === "wiping" || stage === "writing"),
		);
		const waiting = others.filter((other) => {
			return other.bootId === null && other.map !== null && other.createdAt < job.createdAt;
		});
		return loading.length + waiting.length < this.#options.atOnce() ? [] : [...loading, ...waiting];
	}

	/**
	 * Takes in what an agent reports; stored when it resolves.
	 *
	 * @returns whether the agent is to stop.
	 */
	async report(caller: AgentCaller, report: AgentReport): Promise<boolean> {
		this.#options.agents.hear(caller.device);
		const job = this.#jobs.get(report.job);
		if (job === undefined || job.deviceKey !== caller.device.key || job.endedAt !== null) return true;
		if (report.seq <= (this.#heard.get(job.id) ?? 0)) return job.isCancelled;
		this.#heard.set(job.id, report.seq);
		const now = this.#options.clock.now();
		const next = afterReport({ ...job, bootId: caller.bootId }, report, now);
		if (next.stage === "complete") await this.#complete(next, caller);
		else if (next.failure !== null && GOES_ON.has(next.failure.code) && next.attempts < MOST_ATTEMPTS) {
			this.#prepare(await this.#change({ ...job, counts: next.counts, durable: next.durable, bootId: null }));
		} else await this.#change(next);
		return next.isCancelled;
	}

	/** The Pi boots from its disk from now on: stored together, and before it is told to. */
	async #complete(job: WriteJob, { device, bootId }: AgentCaller): Promise<void> {
		const { registry, store, agents, log } = this.#options;
		await registry.setIntent(device.id, "disk", ({ writes }) => writes.save(toRow(job)));
		await store.durable();
		agents.orderReboot(device.key, bootId);
		log.info({ device: job.deviceId }, `${job.imageName} is on ${job.target.path}, ${verifiedText(job)}`);
		this.#put(job);
		this.#tell(job);
		this.#settle();
	}

	async #update(id: string, change: (job: WriteJob) => WriteJob): Promise<void> {
		const job = this.#jobs.get(id);
		if (job !== undefined && job.endedAt === null && !this.#isStopped) await this.#change(change(job));
	}

	/** What is shown is what is stored, so that a killed server shows nothing twice. */
	async #change(job: WriteJob): Promise<WriteJob> {
		this.#put(job);
		await this.#save(({ writes }) => writes.save(toRow(job)));
		if (job.endedAt !== null) {
			await this.#options.store.durable();
			this.#options.log.info({ device: job.deviceId }, endText(job));
			this.#settle();
		}
		this.#tell(job);
		return job;
	}

	async #save(work: (repositories: Pick<Repositories, "writes">) => Promise<void>): Promise<void> {
		await work(this.#options.store);
	}

	#put(job: WriteJob): void {
		this.#jobs.set(job.id, job);
		if (job.endedAt === null) this.#open.set(job.deviceKey, job.id);
		else if (this.#open.get(job.deviceKey) === job.id) this.#open.delete(job.deviceKey);
	}

	#drop(job: WriteJob): void {
		this.#jobs.delete(job.id);
		if (this.#open.get(job.deviceKey) === job.id) this.#open.delete(job.deviceKey);
	}

	#openJobs(): WriteJob[] {
		return [...this.#open.values()].flatMap((id) => this.#jobs.get(id) ?? []);
	}

	async #forgetOld(): Promise<void> {
		const over = [...this.#jobs.values()].filter(({ endedAt }) => endedAt !== null);
		const old = over.slice(0, Math.max(0, over.length - KEPT));
		for (const job of old) this.#drop(job);
		await this.#options.store.writes.remove(old.map(({ id }) => id));
	}

	/** Something is over: another may begin, and a pack may go. */
	#settle(): void {
		this.#bells.ringAll();
		void this.#options.packs.tidy().catch((error: unknown) => {
			this.#options.log.warn(`packs that nobody needs were not removed: ${errorText(error)}`);
		});
	}

	#tell(job: WriteJob): void {
		this.#notePace(job);
		this.#said.set(job.id, JSON.stringify(this.waitOf(job)));
		if (job.endedAt !== null) for (const map of [this.#said, this.#paces, this.#heard]) map.delete(job.id);
		this.emit("changed", job);
		if (job.bootId !== null && job.stage !== "wiping" && job.stage !== "writing") this.#bells.ringAll();
	}

	#notePace(job: WriteJob): void {
		if (job.bootId === null) return;
		const pace = this.#paces.get(job.id) ?? new Pace();
		this.#paces.set(job.id, pace);
		pace.note(job, this.#options.clock.monotonic());
	}

	/** Says what changes by itself: how far an image is prepared, that a Pi is away, whose turn it is. */
	#arm(): void {
		this.#timer = this.#options.clock.after(SWEEP_MS, () => {
			for (const job of this.#openJobs()) {
				const text = JSON.stringify(this.waitOf(job));
				if (this.#said.get(job.id) === text) continue;
				this.#said.set(job.id, text);
				this.emit("changed", job);
				this.#bells.ringAll();
			}
			this.#arm();
		});
	}
}

function failureFrom(error: unknown): WriteFailure {
	if (!isNetbootError(error) || error.code === "bug") {
		return { code: "internal", message: "The server failed at this; its log says more." };
	}
	const { code, message, hint } = error;
	return { code, message, ...(hint !== undefined && { hint }) };
}

function verifiedText({ verify }: WriteJob): string {
	if (verify === "full") return "read back and compared";
	return verify === "sample" ? "a sample of it read back and compared" : "not read back";
}

function endText({ imageName, target, stage, failure }: WriteJob): string {
	const what = stage === "cancelled" ? "was cancelled" : `failed (${failure?.code}): ${failure?.message}`;
	return `writing ${imageName} to ${target.path} ${what}`;
}
