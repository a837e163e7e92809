/** All writes that are kept: those that are not over, one per device at most, and the newest of the others. */
import type { Repositories, Store } from "../../store/index.ts";
import { fromRow, toRow, type WriteJob } from "./job.ts";

/** Writes that are over and kept. */
const KEPT = 2000;

/** Stores a job together with something else, all of it or nothing. */
export type SaveWith = (save: (repositories: Pick<Repositories, "writes">) => Promise<void>) => Promise<void>;

export class JobShelf {
	readonly #store: Pick<Store, "writes" | "durable">;
	/** The oldest first. */
	readonly #jobs = new Map<string, WriteJob>();
	readonly #open = new Map<number, string>();
	/** What is stored goes in the order in which it came about. */
	#tail: Promise<unknown> = Promise.resolve();

	constructor(store: Pick<Store, "writes" | "durable">) {
		this.#store = store;
	}

	async load(): Promise<void> {
		for (const row of (await this.#store.writes.newest(KEPT)).reverse()) this.#put(fromRow(row));
	}

	/** The newest first. */
	list(): WriteJob[] {
		return [...this.#jobs.values()].reverse();
	}

	get(id: string): WriteJob | undefined {
		return this.#jobs.get(id);
	}

	/** The write of a device that is not over, or the one that ended last: others may be younger than one begun again. */
	lastOf(deviceKey: number): WriteJob | undefined {
		const own = [...this.#jobs.values()].filter((job) => job.deviceKey === deviceKey);
		return this.openOf(deviceKey) ?? own.sort((a, b) => (a.endedAt ?? 0) - (b.endedAt ?? 0)).at(-1);
	}

	/** The write of a device that is not over. */
	openOf(deviceKey: number): WriteJob | undefined {
		return this.#jobs.get(this.#open.get(deviceKey) ?? "");
	}

	/** Those that are not over. */
	open(): WriteJob[] {
		return [...this.#open.values()].flatMap((id) => this.#jobs.get(id) ?? []);
	}

	/**
	 * Puts a job in the place of what it was, at once, and stores it. One that begins or is over survives a power cut when it
	 * resolves; of how far it is, a power cut may cost a second.
	 *
	 * @throws what the store throws; then the job is what it was.
	 */
	async keep(job: WriteJob, saveWith: SaveWith = (save) => save(this.#store)): Promise<void> {
		const before = this.#jobs.get(job.id);
		this.#put(job);
		try {
			const saved = this.#tail.then(() => saveWith(({ writes }) => writes.save(toRow(job))));
			// Its caller is told; what comes behind it is stored all the same.
			this.#tail = saved.catch(() => undefined);
			await saved;
			if (before === undefined || job.endedAt !== before.endedAt) await this.#store.durable();
		} catch (error) {
			if (this.#jobs.get(job.id) === job) this.#putBack(job, before);
			throw error;
		}
		if (before === undefined) await this.#forgetOld();
	}

	#put(job: WriteJob): void {
		this.#jobs.set(job.id, job);
		if (job.endedAt === null) this.#open.set(job.deviceKey, job.id);
		else if (this.#open.get(job.deviceKey) === job.id) this.#open.delete(job.deviceKey);
	}

	#putBack(job: WriteJob, before: WriteJob | undefined): void {
		if (this.#open.get(job.deviceKey) === job.id) this.#open.delete(job.deviceKey);
		if (before === undefined) this.#jobs.delete(job.id);
		else this.#put(before);
	}

	async #forgetOld(): Promise<void> {
		const over = [...this.#jobs.values()].filter(({ endedAt }) => endedAt !== null);
		const old = over.slice(0, Math.max(0, over.length - KEPT)).map(({ id }) => id);
		for (const id of old) this.#jobs.delete(id);
		await this.#store.writes.remove(old);
	}
}
