/** Images on their way to being written: map and pack are made, or found, before a write's turn can come. */
import { isNetbootError, type Logger } from "../../base/index.ts";
import type { PackResult, PackShelf } from "../pack/index.ts";
import type { WriteJob } from "./job.ts";
import { checkSize, type WritableImage } from "./order.ts";

/** An image in the build that is written. */
export interface WritableBuild extends WritableImage {
	readonly buildId: string;
	readonly path: string;
}

/** After these it is tried once more: the image is being replaced; who was the last to want it changed his mind. */
const AGAIN: ReadonlySet<string> = new Set(["pack-image-changed", "pack-cancelled"]);

export interface PreparingOptions {
	readonly packs: Pick<PackShelf, "get" | "progress" | "stop">;
	/**
	 * The newest build of an image (null: the default one); undefined while it is arriving.
	 *
	 * @throws WriteError `image-not-found`, `image-not-ready`.
	 */
	readonly imageOf: (imageId: string | null) => WritableBuild | undefined;
	readonly ready: (id: string, buildId: string, result: PackResult) => Promise<void>;
	/** It cannot be prepared. */
	readonly failed: (id: string, error: unknown) => Promise<void>;
	readonly log: Logger;
}

interface Wanted {
	readonly job: WriteJob;
	/** Undefined while it is not known, or nothing is being done. */
	buildId: string | undefined;
	isRunning: boolean;
}

export class Preparing {
	readonly #options: PreparingOptions;
	readonly #wanted = new Map<string, Wanted>();

	constructor(options: PreparingOptions) {
		this.#options = options;
	}

	/** Begins to prepare the image of a job. */
	want(job: WriteJob): void {
		if (this.#wanted.has(job.id)) return;
		const wanted = { job, buildId: undefined, isRunning: false };
		this.#wanted.set(job.id, wanted);
		this.#run(wanted);
	}

	/** The job needs it no more; what no other job needs is not made to its end, so that the next image is. */
	forget(id: string): void {
		const buildId = this.#wanted.get(id)?.buildId;
		this.#wanted.delete(id);
		if (buildId !== undefined && !this.needs(buildId)) this.#options.packs.stop(buildId);
	}

	has(id: string): boolean {
		return this.#wanted.has(id);
	}

	/** Whether a build is being prepared. */
	needs(buildId: string): boolean {
		return [...this.#wanted.values()].some((wanted) => wanted.buildId === buildId);
	}

	/** How far it is. */
	percent(id: string): number {
		const buildId = this.#wanted.get(id)?.buildId;
		const progress = buildId === undefined ? undefined : this.#options.packs.progress(buildId);
		return progress === undefined || progress.total === 0 ? 0 : (100 * progress.done) / progress.total;
	}

	/** Tries again what had to wait. */
	sweep(): void {
		for (const wanted of this.#wanted.values()) this.#run(wanted);
	}

	#run(wanted: Wanted): void {
		if (wanted.isRunning) return;
		wanted.isRunning = true;
		const { id } = wanted.job;
		void this.#prepare(wanted)
			.catch((error: unknown) => {
				this.#wanted.delete(id);
				return this.#options.failed(id, error);
			})
			.catch((error: unknown) => this.#options.log.error({ err: error }, "a failed write could not be stored"))
			.finally(() => {
				wanted.isRunning = false;
				wanted.buildId = undefined;
			});
	}

	/** What is not there yet is left to the next sweep. */
	async #prepare(wanted: Wanted): Promise<void> {
		const { packs, imageOf, ready } = this.#options;
		const { id, imageId, target } = wanted.job;
		const image = imageOf(imageId);
		if (image === undefined) return;
		checkSize(target, image);
		wanted.buildId = image.buildId;
		const result = await packs.get({ key: image.buildId, image: image.path }).catch((error: unknown) => {
			if (isNetbootError(error) && AGAIN.has(error.code)) return undefined;
			throw error;
		});
		// Its file may have been replaced meanwhile: then what was packed may be of either.
		if (result === undefined || imageOf(imageId)?.buildId !== image.buildId || !this.#wanted.has(id)) return;
		await ready(id, image.buildId, result);
		this.#wanted.delete(id);
	}
}
