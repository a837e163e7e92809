/** The writes as the API shows them. */
import type { DeviceAgent, NewWrite, RebootOrder, Write, WritesQuery } from "@pi-netboot/api";
import { NetbootError } from "../base/index.ts";
import type { Device, DeviceRegistry } from "../devices/index.ts";
import type { WriteService } from "../http/index.ts";
import type { AgentBook, WriteJob, WriteJobs, WriteWait } from "../writes/index.ts";

export interface WriteAnswersOptions {
	readonly registry: DeviceRegistry;
	readonly jobs: WriteJobs;
	readonly agents: AgentBook;
}

export class WriteAnswers implements WriteService {
	readonly #registry: DeviceRegistry;
	readonly #jobs: WriteJobs;
	readonly #agents: AgentBook;

	constructor({ registry, jobs, agents }: WriteAnswersOptions) {
		this.#registry = registry;
		this.#jobs = jobs;
		this.#agents = agents;
	}

	async start(deviceId: string, { imageId, target, verify }: NewWrite): Promise<Write> {
		const wish = typeof target === "string" ? { path: target } : target;
		return this.show(await this.#jobs.order(this.#device(deviceId), { imageId, target: wish, verify }));
	}

	list({ device: id, open, before, limit }: WritesQuery): Write[] {
		const device = id === undefined ? undefined : this.#registry.get(id);
		if (id !== undefined && device === undefined) return [];
		const wanted = this.#olderThan(before).filter((job) => {
			const isOpen = job.endedAt === null;
			return (device === undefined || job.deviceKey === device.key) && (open === undefined || open === isOpen);
		});
		return wanted.slice(0, limit).map((job) => this.show(job));
	}

	/** Behind one that is forgotten there is nothing: those before it were forgotten first. */
	#olderThan(id: string | undefined): WriteJob[] {
		const jobs = this.#jobs.list();
		const index = id === undefined ? -1 : jobs.findIndex((job) => job.id === id);
		return id !== undefined && index < 0 ? [] : jobs.slice(index + 1);
	}

	get(id: string): Write {
		const job = this.#jobs.get(id);
		if (job !== undefined) return this.show(job);
		throw new NetbootError("write-not-found", `There is no write "${id}".`, {
			hint: "`pi-netboot write --list` lists them.",
		});
	}

	async cancel(id: string): Promise<Write> {
		return this.show(await this.#jobs.cancel(id));
	}

	async retry(id: string): Promise<Write> {
		return this.show(await this.#jobs.retry(id));
	}

	reboot(deviceId: string): RebootOrder {
		const device = this.#device(deviceId);
		this.#jobs.reboot(device);
		return { id: device.id, ordered: true };
	}

	/** One write. */
	show(job: WriteJob): Write {
		const { counts, target } = job;
		const { path, ...disk } = target;
		const device = this.#registry.byKey(job.deviceKey);
		const wait = this.#jobs.waitOf(job);
		const { retries, wireBytes, zeroedBytes, bytesDone, verifiedBytes } = counts;
		return {
			id: job.id,
			deviceId: device?.id ?? job.deviceId,
			deviceName: device?.name ?? job.deviceName,
			imageId: job.imageId,
			imageName: job.imageName,
			buildId: job.buildId,
			map: job.map,
			target: path,
			disk,
			verify: job.verify,
			origin: job.origin,
			stage: job.stage,
			...(wait !== undefined && { waiting: this.#showWait(wait, job) }),
			cancelling: job.isCancelled && job.endedAt === null,
			percent: Math.round(job.percent * 10) / 10,
			...{ bytesDone, bytesTotal: job.dataBytes },
			...this.#jobs.paceOf(job),
			...{ wireBytes, zeroedBytes, verifiedBytes, zeroBytes: job.zeroBytes, retries },
			attempts: job.attempts,
			times: job.times.map((time) => ({ ...time })),
			createdAt: job.createdAt,
			endedAt: job.endedAt,
			...(job.failure !== null && { error: { ...job.failure } }),
		};
	}

	#showWait(wait: WriteWait, { imageName, deviceName, deviceKey }: WriteJob): NonNullable<Write["waiting"]> {
		if (wait.for === "image") {
			const percent = Math.round(wait.percent);
			return { for: "image", message: `${imageName} is being prepared: ${percent} %.`, percent };
		}
		if (wait.for === "turn") {
			if (wait.before === 0) return { for: "turn", message: `${deviceName} is about to begin.` };
			const who = wait.before === 1 ? "Another Pi is" : `${wait.before} other Pis are`;
			return { for: "turn", message: `${who} written first, so that each is as fast as the network allows.` };
		}
		const name = this.#registry.byKey(deviceKey)?.name ?? deviceName;
		return { for: "device", message: `${name} is away. It goes on as soon as the Pi runs from the network again.` };
	}

	/** What is known of the agent of a device. */
	agentOf({ key }: Device): DeviceAgent | null {
		const facts = this.#agents.of(key);
		if (facts === undefined) return null;
		const { version, heardAt, inventory } = facts;
		return { online: this.#agents.isOnline(key), version, heardAt, inventory };
	}

	#device(id: string): Device {
		const device = this.#registry.get(id);
		if (device !== undefined) return device;
		throw new NetbootError("device-not-found", `There is no device "${id}".`, {
			hint: "`pi-netboot devices` lists them.",
		});
	}
}
