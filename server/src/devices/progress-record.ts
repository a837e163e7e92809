/** What becomes of what is seen of boots: it is stored, and a diagnosis stands in the log where the boot is told line by line. */
import type { Clock, Logger } from "../base/index.ts";
import type { DeviceState } from "./device.ts";
import type { ProgressListener, ReachedStage } from "./progress.ts";
import type { Saver } from "./saver.ts";
import type { Diagnosis } from "./scene.ts";
import type { BootAttempt } from "./stages.ts";

export interface ProgressRecordParts {
	readonly saver: Saver;
	readonly clock: Clock;
	readonly log: Logger;
	changed(device: DeviceState): void;
}

export class ProgressRecord implements ProgressListener {
	readonly #parts: ProgressRecordParts;

	constructor(parts: ProgressRecordParts) {
		this.#parts = parts;
	}

	changed(device: DeviceState): void {
		this.#parts.changed(device);
	}

	diagnosed(device: DeviceState, bootId: string | undefined, diagnosis: Diagnosis | undefined): void {
		const { saver, clock, log } = this.#parts;
		const at = clock.now();
		const about = { deviceKey: device.key, bootId: bootId ?? null, at };
		saver.diagnosed({ deviceKey: device.key, at, row: diagnosis && { ...about, ...diagnosis } });
		if (diagnosis === undefined) return;
		const level = diagnosis.severity === "info" ? "info" : "warn";
		log[level]({ device: device.id }, `${diagnosis.message} ${diagnosis.fix}`);
	}

	attempt(device: DeviceState, attempt: BootAttempt): void {
		const { startedAt } = attempt;
		this.#parts.saver.attempt(device, { deviceKey: device.key, startedAt, attempt: JSON.stringify(attempt) });
	}

	stages(bootId: string, stages: readonly ReachedStage[]): void {
		this.#parts.saver.stages(bootId, stages);
	}
}
