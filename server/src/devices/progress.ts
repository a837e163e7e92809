/** How far each device is, and what keeps it: trackers and the rule book, driven by facts and by the clock. */
import type { Clock, Timer } from "../base/index.ts";
import type { DeviceState } from "./device.ts";
import { diagnose, FORGOTTEN_MS, isThere } from "./diagnosis.ts";
import type { Fact, Stage } from "./facts.ts";
import type { Diagnosis, FirmwareKind, Surroundings } from "./scene.ts";
import { type BootAttempt, BootTracker } from "./stages.ts";

/** How often a boot that says nothing is looked at. */
const LOOK_MS = 5000;

export interface ReachedStage {
	readonly stage: Stage;
	/** Milliseconds since 1970. */
	readonly at: number;
}

/** What is stored of a device. */
interface Stored {
	/** The last one, where it came to one. */
	readonly boot: LastBoot | undefined;
	/** The newest first. */
	readonly attempts: readonly BootAttempt[];
	/** What was wrong when the server was stopped, and stands until the Pi is heard of. */
	readonly diagnosis: Diagnosis | undefined;
}

interface LastBoot {
	readonly id: string;
	readonly startedAt: number;
	readonly mountedAt: number | null;
	readonly stages: readonly ReachedStage[];
}

interface Progress {
	readonly device: DeviceState;
	readonly tracker: BootTracker;
	firmware: FirmwareKind | undefined;
	diagnosis: Diagnosis | undefined;
	/** It asked for files that the listener has not heard of. */
	hasMore: boolean;
}

export interface ProgressListener {
	/** The boot came to another stage, or the diagnosis is another one. */
	changed(device: DeviceState): void;
	/** Something else is wrong with it than before, or nothing is any more. */
	diagnosed(device: DeviceState, bootId: string | undefined, diagnosis: Diagnosis | undefined): void;
	/** More is known of an attempt that asked for files. */
	attempt(device: DeviceState, attempt: BootAttempt): void;
	/** The stages of a boot with an id are others. */
	stages(bootId: string, stages: readonly ReachedStage[]): void;
}

export class ProgressBook {
	readonly #clock: Clock;
	readonly #surroundings: () => Surroundings;
	readonly #listener: ProgressListener;
	readonly #byDevice = new Map<number, Progress>();
	/** Boots that are neither there nor forgotten. */
	readonly #underWay = new Set<Progress>();
	#timer: Timer | undefined;

	constructor(clock: Clock, surroundings: () => Surroundings, listener: ProgressListener) {
		this.#clock = clock;
		this.#surroundings = surroundings;
		this.#listener = listener;
	}

	/** Whose firmware asked DHCP. */
	sawFirmware(device: DeviceState, firmware: FirmwareKind): void {
		this.#of(device).firmware = firmware;
	}

	/** Takes up what is stored of a device. */
	restore(device: DeviceState, { boot, attempts, diagnosis }: Stored): void {
		if (boot === undefined && attempts.length === 0 && diagnosis === undefined) return;
		const progress = this.#of(device);
		const { tracker } = progress;
		progress.diagnosis = diagnosis;
		tracker.remember(attempts);
		if (boot !== undefined) tracker.restore(boot.id, boot.startedAt, boot.mountedAt, boot.stages);
	}

	fact(device: DeviceState, fact: Fact): void {
		const progress = this.#of(device);
		const { tracker } = progress;
		const before = tracker.attempt;
		const moved = tracker.fact(fact, this.#clock.now());
		const bootId = tracker.attempt?.bootId;
		if (bootId !== undefined && (moved || fact.kind === "cmdline")) this.#listener.stages(bootId, tracker.stages);
		this.#underWay.add(progress);
		const spoke = this.#look(progress);
		if (moved || spoke) this.#listener.changed(device);
		// What ended with this fact is told once more: since it moved last, it asked for more files.
		if (moved || spoke) this.#keep(progress, before !== undefined && before !== tracker.attempt ? 2 : 1);
		else if (fact.kind === "tftp-open" || fact.kind === "tftp-end") progress.hasMore = true;
		this.#arm();
	}

	#keep(progress: Progress, count: number): void {
		const { device, tracker } = progress;
		progress.hasMore = false;
		for (const attempt of tracker.attempts.slice(0, count)) {
			if (attempt.files.length > 0) this.#listener.attempt(device, attempt);
		}
	}

	stages(device: DeviceState): ReachedStage[] {
		return this.#byDevice.get(device.key)?.tracker.stages ?? [];
	}

	/** What was seen of it, the newest power-on first: others may have come to no boot after the one that goes on. */
	attempts(device: DeviceState): BootAttempt[] {
		const attempts = this.#byDevice.get(device.key)?.tracker.attempts ?? [];
		return attempts.toSorted((a, b) => b.startedAt - a.startedAt);
	}

	/** Whether its firmware asked for a file. */
	hasFirmware(device: DeviceState): boolean {
		return this.#byDevice.get(device.key)?.tracker.attempt?.stages.has("firmware") ?? false;
	}

	/** Whether the address that its root hangs on is not ours any more, or was not when the server was stopped. */
	hasLostServer(device: DeviceState): boolean {
		const progress = this.#byDevice.get(device.key);
		return progress?.tracker.attempt?.serverMoved !== undefined || progress?.diagnosis?.code === "server-moved";
	}

	diagnosis(device: DeviceState): Diagnosis | undefined {
		return this.#byDevice.get(device.key)?.diagnosis;
	}

	forget(device: DeviceState): void {
		const progress = this.#byDevice.get(device.key);
		if (progress !== undefined) this.#underWay.delete(progress);
		this.#byDevice.delete(device.key);
	}

	/** Tells what it has not told yet, and nothing afterwards. */
	stop(): void {
		this.#timer?.cancel();
		this.#timer = undefined;
		for (const progress of this.#underWay) if (progress.hasMore) this.#keep(progress, 1);
		this.#underWay.clear();
	}

	#of(device: DeviceState): Progress {
		const known = this.#byDevice.get(device.key);
		if (known !== undefined) return known;
		const progress = { device, tracker: new BootTracker(), firmware: undefined, diagnosis: undefined, hasMore: false };
		this.#byDevice.set(device.key, progress);
		return progress;
	}

	/** Asks the rule book. @returns true when it says something else than before. */
	#look(progress: Progress): boolean {
		const { device, tracker, firmware, diagnosis: before } = progress;
		const { attempt, failed } = tracker;
		const now = this.#clock.now();
		if (attempt === undefined || isThere(attempt) || now - attempt.lastFactAt > FORGOTTEN_MS) {
			this.#underWay.delete(progress);
		}
		if (attempt === undefined) return false;
		const { id, model } = device;
		progress.diagnosis = diagnose({ now, attempt, failed, id, model, firmware, surroundings: this.#surroundings() });
		const isOther = progress.diagnosis?.code !== before?.code;
		if (isOther) this.#listener.diagnosed(device, attempt.bootId, progress.diagnosis);
		return isOther || progress.diagnosis?.message !== before?.message;
	}

	#arm(): void {
		if (this.#timer !== undefined || this.#underWay.size === 0) return;
		this.#timer = this.#clock.after(LOOK_MS, () => {
			this.#timer = undefined;
			for (const progress of this.#underWay) {
				const spoke = this.#look(progress);
				if (spoke) this.#listener.changed(progress.device);
				if (spoke || progress.hasMore) this.#keep(progress, 1);
			}
			this.#arm();
		});
	}
}
