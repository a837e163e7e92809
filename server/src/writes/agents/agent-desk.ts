/** What agents ask, in one place: who they are, what they are to do, what they tell, and what they fetch. */
import { buffer } from "node:stream/consumers";
import { promisify } from "node:util";
import { zstdDecompress } from "node:zlib";
import { z } from "zod";
import { isNetbootError, type Logger } from "../../base/index.ts";
import type { Device } from "../../devices/index.ts";
import { CHUNK } from "../../disk/index.ts";
import type { AgentReport } from "../jobs/report.ts";
import type { AgentWork, WriteJobs } from "../jobs/write-jobs.ts";
import type { PackFile, PackShelf } from "../pack/index.ts";
import type { AgentBook, AgentHello } from "./agent-book.ts";
import type { Admission, AgentCaller, AgentGate, AgentRequest } from "./agent-gate.ts";

const unpack = promisify(zstdDecompress);

export interface AgentDeskOptions {
	readonly gate: AgentGate;
	readonly book: AgentBook;
	readonly jobs: WriteJobs;
	readonly packs: Pick<PackShelf, "map" | "pack">;
	readonly log: Logger;
}

/** The parts of a map that finding a chunk takes. */
const MapParts = z.object({
	pack: z.object({ sha256: z.string() }),
	chunks: z.array(z.tuple([z.number(), z.number(), z.number(), z.number()]).rest(z.unknown())),
});

export class AgentDesk {
	readonly #options: AgentDeskOptions;
	/** Why a device could not be written that was to be. */
	readonly #said = new Map<number, string>();

	constructor(options: AgentDeskOptions) {
		this.#options = options;
	}

	admit(request: AgentRequest): Promise<Admission> {
		return this.#options.gate.admit(request);
	}

	/** An agent has begun, or its disks are others. */
	async hello(caller: AgentCaller, hello: AgentHello): Promise<void> {
		await this.#options.book.greet(caller, hello);
	}

	/** @param seconds that the answer may take. */
	async next(caller: AgentCaller, seconds: number, signal: AbortSignal): Promise<AgentWork | null> {
		await this.#orderIntended(caller.device);
		return this.#options.jobs.next(caller, seconds * 1000, signal);
	}

	/** A Pi that was to be written as soon as it boots is written now, or as soon as that can be. */
	async #orderIntended(device: Device): Promise<void> {
		const { jobs, log } = this.#options;
		if (device.intent !== "write-then-disk" || device.writeTarget === null) return;
		if (jobs.openOf(device.key) !== undefined) return;
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
	async raw(name: string, number: number): Promise<Buffer | undefined> {
		const { packs } = this.#options;
		const file = await packs.map(name);
		if (file === undefined) return undefined;
		const map = MapParts.parse(JSON.parse((await buffer(file.read(0, file.size))).toString()));
		const [, at = 0, length = 0, codec] = map.chunks.find(([n]) => n === number) ?? [];
		const pack = await packs.pack(map.pack.sha256);
		if (pack === undefined || length === 0) return undefined;
		const bytes = await buffer(pack.read(at, at + length));
		return codec === 1 ? unpack(bytes, { maxOutputLength: CHUNK }) : bytes;
	}
}
