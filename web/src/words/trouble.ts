/** What was wrong with a Pi: the same thing again and again, as in a Pi that begins anew all night, is told once. */
import type { PastDiagnosis } from "@pi-netboot/api";

/** From the first time to the end of the last. */
export interface Trouble extends Pick<PastDiagnosis, "id" | "code" | "message" | "seen" | "fix" | "at"> {
	readonly endedAt: number;
	readonly times: number;
}

/** @param diagnoses the newest first. @returns those that are over, the newest first. */
export function pastTrouble(diagnoses: readonly PastDiagnosis[]): Trouble[] {
	const told: Trouble[] = [];
	for (const { id, code, message, seen, fix, at, endedAt } of diagnoses) {
		if (endedAt === null) continue;
		const later = told.at(-1);
		if (later?.code === code && later.message === message) {
			told[told.length - 1] = { ...later, id, at, times: later.times + 1 };
		} else told.push({ id, code, message, seen, fix, at, endedAt, times: 1 });
	}
	return told;
}
