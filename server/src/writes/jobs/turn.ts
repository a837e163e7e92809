/** Whose turn it is. */
import type { WriteJob } from "./job.ts";

export interface Queue {
	/** The writes that are not over, of Pis that are there. */
	readonly jobs: readonly WriteJob[];
	/** Whether it can begin. */
	readonly isReady: (job: WriteJob) => boolean;
	/** How many may load at once. */
	readonly atOnce: number;
}

/**
 * How many writes go before one that has not begun; 0 when it may begin. The link is what they share, so one that is being
 * read back makes room for the next.
 */
export function countBefore(job: WriteJob, { jobs, isReady, atOnce }: Queue): number {
	const others = jobs.filter(({ id }) => id !== job.id);
	const loading = others.filter(({ run, stage }) => run !== null && (stage === "wiping" || stage === "writing"));
	const earlier = others.filter((other) => {
		return other.run === null && isReady(other) && isEarlier(other, job);
	});
	const before = loading.length + earlier.length;
	return before < atOnce ? 0 : before;
}

/** Of two that were ordered in the same moment, one has to be the first. */
function isEarlier(one: WriteJob, other: WriteJob): boolean {
	return one.createdAt < other.createdAt || (one.createdAt === other.createdAt && one.id < other.id);
}
