/**
 * The ROM of a Pi 3B does not answer ARP while it fetches its file. The kernel forgets where a machine is that does not answer, eight
 * seconds after it last heard its ARP, and the rest of the file would go nowhere. So it is told again what it knew, from time to time,
 * for as long as the transfer runs. It forgets by itself afterwards.
 */
import type { Clock, Timer } from "../base/index.ts";
import { type InterfaceSource, systemSource } from "./interfaces.ts";
import { findNeighbour, type Neighbour, tellNeighbour } from "./neighbours.ts";

/** DELAY_PROBE_TIME of Linux is five seconds: before that nothing is asked. */
const AGAIN_MS = 3000;

/** Each is a program that runs, every few seconds. Twelve Pi 3Bs are many. */
const MOST = 32;

export interface NeighbourKeeperOptions {
	readonly clock: Clock;
	/** Tests bring their own. */
	readonly source?: InterfaceSource;
	readonly tell?: (neighbour: Neighbour) => Promise<boolean>;
}

interface Kept {
	/** Its transfers that run. */
	count: number;
	timer: Timer | undefined;
}

export class NeighbourKeeper {
	readonly #options: Required<NeighbourKeeperOptions>;
	readonly #kept = new Map<string, Kept>();
	/** It takes root, and Linux. */
	#may: boolean;

	constructor(options: NeighbourKeeperOptions) {
		this.#options = { source: systemSource, tell: tellNeighbour, ...options };
		this.#may = this.#options.source.platform === "linux";
	}

	/** Keeps what the kernel knows of this address, until the function that it gives is called. */
	keep(address: string): () => void {
		const kept = this.#kept.get(address) ?? { count: 0, timer: undefined };
		if (!this.#may || (kept.count === 0 && this.#kept.size >= MOST)) return () => undefined;
		this.#kept.set(address, kept);
		if (kept.count++ === 0) this.#later(address, kept);
		return () => {
			if (--kept.count > 0) return;
			kept.timer?.cancel();
			this.#kept.delete(address);
		};
	}

	/** Most transfers are over before that. */
	#later(address: string, kept: Kept): void {
		kept.timer = this.#options.clock.after(AGAIN_MS, () => void this.#tell(address, kept));
	}

	/** Never throws: without it a transfer is as good as it would be anyway. */
	async #tell(address: string, kept: Kept): Promise<void> {
		const { source, tell } = this.#options;
		const known = await findNeighbour(address, source).catch(() => undefined);
		if (known !== undefined && !(await tell(known))) this.#may = false;
		if (kept.count > 0 && this.#may) this.#later(address, kept);
	}
}
