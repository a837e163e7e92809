/** The boots that were, and what was wrong. */
import type { DiagnosisRow, Store } from "../store/index.ts";
import { STAGES } from "./facts.ts";
import type { ReachedStage } from "./progress.ts";
import type { Diagnosis } from "./scene.ts";
import { type BootAttempt, inOrder } from "./stages.ts";

/** What the rule book said once. Times are milliseconds since 1970. */
export interface PastDiagnosis extends Diagnosis {
	readonly id: number;
	/** null where the Pi came to no boot. */
	readonly bootId: string | null;
	readonly at: number;
	/** null while it holds. */
	readonly endedAt: number | null;
}

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
	/** The oldest first. */
	readonly diagnoses: readonly PastDiagnosis[];
}

/** The last boots of a device, the newest first. */
export async function historyOf(
	store: Store,
	deviceKey: number,
	limit: number,
	before?: number,
): Promise<BootHistory[]> {
	const rows = await store.boots.history(deviceKey, limit, before);
	const said = await store.diagnoses.ofBoots(rows.map(({ id }) => id));
	const byBoot = Map.groupBy(said, ({ bootId }) => bootId);
	return rows.map(({ id, imageId, buildId, mode, startedAt, mountedAt, endedAt, stages }) => ({
		id,
		imageId,
		buildId,
		mode,
		startedAt,
		mountedAt,
		endedAt,
		stages: inOrder(stages.flatMap(knownStage)),
		diagnoses: (byBoot.get(id) ?? []).map(pastDiagnosis),
	}));
}

/** What was wrong with a device, the newest first. */
export async function diagnosesOf(
	store: Store,
	deviceKey: number,
	limit: number,
	before?: number,
): Promise<PastDiagnosis[]> {
	return (await store.diagnoses.list(deviceKey, limit, before)).map(pastDiagnosis);
}

/** What is stored of the last attempts of a device, the newest first. */
export async function attemptsOf(store: Store, deviceKey: number): Promise<BootAttempt[]> {
	const rows = await store.attempts.list(deviceKey);
	return rows.map(({ attempt }): BootAttempt => JSON.parse(attempt));
}

/** What is wrong by what is stored, by the keys of the devices. */
export async function standingDiagnoses(store: Store): Promise<Map<number, Diagnosis>> {
	const rows = await store.diagnoses.standing();
	return new Map(
		rows.map((row) => {
			const { code, severity, message, seen, fix } = pastDiagnosis(row);
			return [row.deviceKey, { code, severity, message, seen, fix }];
		}),
	);
}

function pastDiagnosis({ deviceKey: _, ...row }: DiagnosisRow): PastDiagnosis {
	const severity = SEVERITIES.find((known) => known === row.severity) ?? "error";
	return { ...row, severity };
}

const SEVERITIES = ["info", "warning", "error"] as const;

function knownStage({ stage, at }: { stage: string; at: number }): ReachedStage[] {
	const known = STAGES.find((candidate) => candidate === stage);
	return known === undefined ? [] : [{ stage: known, at }];
}
