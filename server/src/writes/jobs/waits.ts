/** Why a write stands still: its image is being prepared, its Pi is away, or others are before it. */
import type { AgentBook } from "../agents/agent-book.ts";
import type { WriteJob } from "./job.ts";
import type { JobShelf } from "./job-shelf.ts";
import type { Preparing } from "./preparing.ts";
import { countBefore } from "./turn.ts";
import type { WriteWait } from "./work.ts";

export interface WaitsParts {
	readonly shelf: JobShelf;
	readonly preparing: Preparing;
	readonly agents: AgentBook;
	/** How many Pis load at once. */
	readonly atOnce: () => number;
}

export class Waits {
	readonly #parts: WaitsParts;

	constructor(parts: WaitsParts) {
		this.#parts = parts;
	}

	/** Undefined while something is written, and when it is over. */
	of(job: WriteJob): WriteWait | undefined {
		const { preparing, agents } = this.#parts;
		if (job.endedAt !== null) return undefined;
		if (!this.isReady(job)) return { for: "image", percent: preparing.percent(job.id) };
		if (!agents.isOnline(job.deviceKey)) return { for: "device" };
		return job.run === null ? { for: "turn", before: this.countBefore(job) } : undefined;
	}

	/** Whether its image is prepared. */
	isReady({ id, map }: WriteJob): boolean {
		return map !== null && !this.#parts.preparing.has(id);
	}

	/** How many are before it; 0 when it may begin. */
	countBefore(job: WriteJob): number {
		const { shelf, agents, atOnce } = this.#parts;
		const jobs = shelf.open().filter(({ deviceKey }) => agents.isOnline(deviceKey));
		return countBefore(job, { jobs, isReady: (other) => this.isReady(other), atOnce: atOnce() });
	}
}
