/**
 * Writes devices behind the scenes. What was merely seen is collected and stored once a second; what somebody is told is
 * stored (`write`) before they are told it. All writes go in order, each in one transaction.
 */
import { type Clock, errorText, type Logger, type Timer } from "../base/index.ts";
import type { AttemptRow, NewDeviceRow, NewDiagnosisRow, Repositories, StageTime, Store } from "../store/index.ts";
import type { DeviceState } from "./device.ts";

const FLUSH_MS = 1000;

/** After a failed write (a full disk) the next try waits longer. */
const RETRY_MS = 10_000;

/** Diagnoses that wait to be written while the store does not take them; the oldest go. */
const DIAGNOSES_MAX = 1000;

/** Power-ons that wait likewise. */
const ATTEMPTS_MAX = 500;

/** What the rule book says of a device from a moment on; without a row it says nothing any more. */
export interface SaidOfDevice {
	readonly deviceKey: number;
	readonly at: number;
	readonly row: NewDiagnosisRow | undefined;
}

interface Batch {
	readonly dirty: Set<DeviceState>;
	readonly removed: Set<number>;
	readonly stages: Map<string, readonly StageTime[]>;
	readonly diagnoses: SaidOfDevice[];
	/** By device and time. */
	readonly attempts: Map<string, AttemptRow>;
}

function newBatch(): Batch {
	return { dirty: new Set(), removed: new Set(), stages: new Map(), diagnoses: [], attempts: new Map() };
}

export class Saver {
	readonly #store: Store;
	readonly #clock: Clock;
	readonly #log: Logger;
	readonly #row: (device: DeviceState) => NewDeviceRow;
	#batch = newBatch();
	#timer: Timer | undefined;
	#tail: Promise<void> = Promise.resolve();
	#stopped = false;

	/** @param row makes the row of a device as it is when it is written. */
	constructor(store: Store, clock: Clock, log: Logger, row: (device: DeviceState) => NewDeviceRow) {
		this.#store = store;
		this.#clock = clock;
		this.#log = log;
		this.#row = row;
	}

	/** The device changed: its row is written soon. */
	changed(device: DeviceState): void {
		this.#batch.removed.delete(device.key);
		this.#batch.dirty.add(device);
		this.#arm(FLUSH_MS);
	}

	removed(device: DeviceState): void {
		this.#batch.dirty.delete(device);
		this.#batch.removed.add(device.key);
		this.#arm(FLUSH_MS);
	}

	/** The boot came to another stage. */
	stages(bootId: string, stages: readonly StageTime[]): void {
		this.#batch.stages.set(bootId, stages);
		this.#arm(FLUSH_MS);
	}

	/** More is known of a power-on of a device. */
	attempt(device: DeviceState, row: AttemptRow): void {
		this.#batch.dirty.add(device);
		this.#keepAttempt(attemptKey(row), row);
		this.#arm(FLUSH_MS);
	}

	#keepAttempt(key: string, row: AttemptRow): void {
		const { attempts } = this.#batch;
		attempts.set(key, row);
		const [oldest] = attempts.keys();
		if (attempts.size > ATTEMPTS_MAX && oldest !== undefined) attempts.delete(oldest);
	}

	/** The rule book says something else of a device. */
	diagnosed(said: SaidOfDevice): void {
		this.#batch.diagnoses.push(said);
		if (this.#batch.diagnoses.length > DIAGNOSES_MAX) this.#batch.diagnoses.shift();
		this.#arm(FLUSH_MS);
	}

	/**
	 * Writes what is waiting and then `work`, together.
	 *
	 * @param device whose row must be there for `work`.
	 * @param stored is called as soon as it is written, before anything else is: what `work` wrote behind the back of the
	 * device in memory is to be brought there, or the next write of its row would undo it.
	 * @throws what the store throws; then nothing of it was written, and what was waiting still is.
	 */
	write(
		work?: (repositories: Repositories) => Promise<void>,
		device?: DeviceState,
		stored?: () => void,
	): Promise<void> {
		const written = this.#tail.then(() => this.#write(work, device)).then(stored);
		this.#tail = written.then(
			() => undefined,
			// Its caller is told; what comes behind it must be written all the same.
			() => undefined,
		);
		return written;
	}

	async #write(
		work: ((repositories: Repositories) => Promise<void>) | undefined,
		device: DeviceState | undefined,
	): Promise<void> {
		const batch = this.#batch;
		this.#batch = newBatch();
		this.#timer?.cancel();
		this.#timer = undefined;
		if (device !== undefined) batch.dirty.add(device);
		try {
			await this.#store.transaction(async (repositories) => {
				await this.#writeBatch(batch, repositories);
				await work?.(repositories);
			});
		} catch (error) {
			this.#putBack(batch);
			throw error;
		}
	}

	async #writeBatch(batch: Batch, { devices, boots, diagnoses, attempts }: Repositories): Promise<void> {
		// First those that go: another may have got their name meanwhile.
		await devices.remove([...batch.removed]);
		for (const device of batch.dirty) {
			await devices.save(this.#row(device));
			for (const id of device.formerIds) await devices.addId(device.key, id);
		}
		for (const [bootId, stages] of batch.stages) {
			if ((await boots.get(bootId)) !== undefined) await boots.saveStages(bootId, stages);
		}
		for (const { deviceKey, at, row } of batch.diagnoses) {
			if (!batch.removed.has(deviceKey)) await diagnoses.say(deviceKey, at, row);
		}
		for (const row of batch.attempts.values()) {
			if (!batch.removed.has(row.deviceKey)) await attempts.save(row);
		}
	}

	/** What was not written waits for the next write, unless something newer does. */
	#putBack(batch: Batch): void {
		for (const device of batch.dirty) if (!this.#batch.removed.has(device.key)) this.#batch.dirty.add(device);
		for (const key of batch.removed) this.#batch.removed.add(key);
		for (const [id, stages] of batch.stages) if (!this.#batch.stages.has(id)) this.#batch.stages.set(id, stages);
		const newer = [...this.#batch.attempts];
		this.#batch.attempts.clear();
		for (const [key, row] of [...batch.attempts, ...newer]) this.#keepAttempt(key, row);
		this.#batch.diagnoses.unshift(...batch.diagnoses);
		this.#batch.diagnoses.splice(0, this.#batch.diagnoses.length - DIAGNOSES_MAX);
		this.#arm(RETRY_MS);
	}

	#arm(delay: number): void {
		if (this.#timer !== undefined || this.#stopped) return;
		this.#timer = this.#clock.after(delay, () => {
			this.#timer = undefined;
			this.write().catch((error: unknown) => {
				this.#log.error(
					{ service: "devices" },
					`What was seen of the devices could not be stored: ${errorText(error)}`,
				);
			});
		});
	}

	/** Writes what is waiting, and nothing afterwards. */
	async stop(): Promise<void> {
		this.#stopped = true;
		this.#timer?.cancel();
		await this.write();
	}
}

function attemptKey({ deviceKey, startedAt }: AttemptRow): string {
	return `${deviceKey}/${startedAt}`;
}
