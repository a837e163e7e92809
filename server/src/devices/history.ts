/** The boots that were. */
import type { Store } from "../store/index.ts";
import { STAGES } from "./facts.ts";
import type { ReachedStage } from "./progress.ts";
import { inOrder } from "./stages.ts";

/** A boot as it is remembered, without its secrets. Times are milliseconds since 1970. */
export interface BootHistory {
	readonly id: string;
	readonly imageId: string;
	readonly buildId: string;
	readonly mode: string;
	readonly startedAt: number;
	readonly mountedAt: number | null;
	readonly endedAt: number | null;
	/** In the order of a boot. */
	readonly stages: readonly ReachedStage[];
}

/** The last boots of a device, the newest first. */
export async function historyOf(store: Store, deviceKey: number, limit: number): Promise<BootHistory[]> {
	const rows = await store.boots.history(deviceKey, limit);
	return rows.map(({ id, imageId, buildId, mode, startedAt, mountedAt, endedAt, stages }) => ({
		id,
		imageId,
		buildId,
		mode,
		startedAt,
		mountedAt,
		endedAt,
		stages: inOrder(stages.flatMap(knownStage)),
	}));
}

function knownStage({ stage, at }: { stage: string; at: number }): ReachedStage[] {
	const known = STAGES.find((candidate) => candidate === stage);
	return known === undefined ? [] : [{ stage: known, at }];
}
