/** How long a boot was at each of its stages. */
import type { PastBoot, ReachedStage, Stage } from "@pi-netboot/api";

interface StageTime {
	readonly stage: Stage;
	/** Milliseconds. */
	readonly took: number;
}

/** The last stage has no end, and is not among them. */
export function stageTimes(stages: readonly ReachedStage[]): StageTime[] {
	return stages.flatMap(({ stage, at }, index) => {
		const next = stages[index + 1];
		return next === undefined ? [] : [{ stage, took: Math.max(0, next.at - at) }];
	});
}

/** From its first stage to its last, in milliseconds. */
export function bootLength(stages: readonly ReachedStage[]): number {
	return Math.max(0, (stages.at(-1)?.at ?? 0) - (stages[0]?.at ?? 0));
}

/** The median of what each stage took in these boots; a stage that none of them left is not in it. */
export function usualTimes(boots: readonly Pick<PastBoot, "stages">[]): ReadonlyMap<Stage, number> {
	const byStage = Map.groupBy(
		boots.flatMap(({ stages }) => stageTimes(stages)),
		({ stage }) => stage,
	);
	return new Map([...byStage].map(([stage, times]) => [stage, median(times.map(({ took }) => took))]));
}

function median(numbers: readonly number[]): number {
	return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
}
