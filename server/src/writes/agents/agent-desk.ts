/** What agents ask, in one place: who they are, what they are to do, what they tell, and what they fetch. */
import { isNetbootError, type Logger } from "../../base/index.ts";
import type { Device } from "../../devices/index.ts";
import type { AgentReport } from "../jobs/report.ts";
import type { AgentWork } from "../jobs/work.ts";
import type { WriteJobs } from "../jobs/write-jobs.ts";
import type { PackFile, PackShelf } from "../pack/index.ts";
import type { AgentBook, AgentHello, PiHealth } from "./agent-book.ts";
import type { Admission, AgentCaller, AgentGate, AgentRequest } from "./agent-gate.ts";
import { RawChunks } from "./raw-chunks.ts";

/** What an agent says when it asks for work. */
export interface AgentQuestion extends PiHealth {
	/** Seconds that the answer may take. */
	readonly wait: number;
}

export interface AgentDeskOptions {
	readonly gate: AgentGate;
	readonly book: AgentBook;
	readonly jobs: WriteJobs;
	readonly packs: Pick<PackShelf, "map" | "pack">;
	readonly log: Logger;
}

export class AgentDesk {
	readonly #options: AgentDeskOptions;
	/** Devices that began their run to be written in it: one that runs already when a person wishes so is left in peace. */
	readonly #due = new Set<number>();
	/** Why a device could not be written that was to be. */
	readonly #said = new Map<number, string>();
	readonly #raw: RawChunks;

	constructor(options: AgentDeskOptions) {
		this.#options = options;
		this.#raw = new RawChunks(options.packs);
	}

	admit(request: AgentRequest): Promise<Admission> {
		return this.#options.gate.admit(request);
	}

	/** An agent has begun, or its Pi has changed. */
	async hello(caller: AgentCaller, hello: AgentHello): Promise<void> {
		const isNewRun = await this.#options.book.greet(caller, hello);
		if (isNewRun) this.#due.add(caller.device.key);
	}

	async next(
		caller: AgentCaller,
		{ wait: seconds, ...health }: AgentQuestion,
		signal: AbortSignal,
	): Promise<AgentWork | null> {
		this.#options.book.feel(caller.device, health);
		await this.#orderIntended(caller.device);
		return this.#options.jobs.next(caller, seconds * 1000, signal);
	}

	/** A Pi that was to be written at its next boot is written now, or as soon as that can be. */
	async #orderIntended(device: Device): Promise<void> {
		const { jobs, log } = this.#options;
		if (device.intent !== "write-then-disk" || device.writeTarget === null) {
			this.#due.delete(device.key);
			return;
		}
		if (!this.#due.has(device.key) || jobs.openOf(device.key) !== undefined) return;
		try {
			await jobs.orderIntended(device, device.writeTarget);
			this.#said.delete(device.key);
		} catch (error) {
			if (!isNetbootError(error)) throw error;
			const text = `${device.name} cannot be written: ${error.message} ${error.hint ?? ""}`.trim();
			if (this.#said.get(device.key) === text) return;
			this.#said.set(device.key, text);
			log.warn({ device: device.id }, text);
		}
	}

	/** @returns whether it is to stop. */
	report(caller: AgentCaller, report: AgentReport): Promise<boolean> {
		return this.#options.jobs.report(caller, report);
	}

	map(name: string): Promise<PackFile | undefined> {
		return this.#options.packs.map(name);
	}

	pack(name: string): Promise<PackFile | undefined> {
		return this.#options.packs.pack(name);
	}

	/** A chunk of a map, unpacked: for who cannot do that. Undefined when there is none. */
	raw(name: string, number: number): Promise<Buffer | undefined> {
		return this.#raw.get(name, number);
	}
}
