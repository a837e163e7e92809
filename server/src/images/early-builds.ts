/**
 * Images that are looked over while they are still being unpacked, so that a Pi may boot one before its end has come. Looking one
 * over waits for bytes to come, so it is nothing that others wait for.
 */
import { errorText, FileError, type Logger } from "../base/index.ts";
import { type BuildOrigin, ImageBuild } from "../vfs/index.ts";
import type { UnpackedFiles } from "./import/unpacked-files.ts";
import type { Taken } from "./taking.ts";

/** Looks a build over; closes it when it is of no use. */
export type LookOver = (open: () => Promise<ImageBuild>) => Promise<Taken>;

export interface EarlyBuildsOptions {
	readonly unpacked: UnpackedFiles;
	readonly log: Logger;
	/** Called when there is one to take. */
	readonly found: () => void;
}

/** See the head of this file. */
export class EarlyBuilds {
	readonly #options: EarlyBuildsOptions;
	/** By the key of what is unpacked. */
	readonly #looking = new Map<string, Promise<void>>();
	readonly #found = new Map<string, Taken>();

	constructor(options: EarlyBuildsOptions) {
		this.#options = options;
	}

	/** What is being unpacked, once it can be booted; the caller owns it then. Begins to look at it where nobody does. */
	take(key: string, origin: BuildOrigin, lookOver: LookOver): Taken | undefined {
		if (!this.#looking.has(key)) this.#looking.set(key, this.#look(key, origin, lookOver));
		const taken = this.#found.get(key);
		this.#found.delete(key);
		return taken;
	}

	/** It is no longer unpacked: what was found of it and not taken is of no use. */
	async drop(key: string): Promise<void> {
		const looking = this.#looking.get(key);
		if (looking === undefined) return;
		this.#looking.delete(key);
		await looking;
		await this.#found.get(key)?.build?.close();
		this.#found.delete(key);
	}

	/** Drops all but these. To be called when the unpacking of the others is given up: what is looked at waits for it. */
	async keepOnly(keys: ReadonlySet<string>): Promise<void> {
		for (const key of [...this.#looking.keys()]) if (!keys.has(key)) await this.drop(key);
	}

	/** Never rejects. Why an image cannot be used is told when all of it is there. */
	async #look(key: string, origin: BuildOrigin, lookOver: LookOver): Promise<void> {
		const { unpacked, log, found } = this.#options;
		try {
			const part = await unpacked.follow(key);
			if (part === undefined) return;
			const taken = await lookOver(() => ImageBuild.openArriving(unpacked.place(key), part, origin));
			if (taken.build === undefined) return;
			this.#found.set(key, taken);
			found();
		} catch (error) {
			if (error instanceof FileError && error.code === "EAGAIN") return;
			log.error({ err: error }, `an image that is being unpacked could not be looked over: ${errorText(error)}`);
		}
	}
}
