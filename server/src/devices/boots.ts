/**
 * Boots. One begins when `cmdline.txt` is served to its device; it brings the secrets that live as long as it does. Until
 * its root is mounted, asking again gives the same boot.
 */
import { randomBytes } from "node:crypto";
import type { Clock } from "../base/index.ts";
import type { BootRow, Repositories, Store } from "../store/index.ts";
import { type DeviceState, ROOT_MODES, type RootMode } from "./device.ts";
import type { Saver } from "./saver.ts";

/** Boots of a device that are kept for its history. */
const HISTORY_KEPT = 50;

/** What a boot gives its device. */
export interface BootPlan {
	readonly imageId: string;
	readonly buildId: string;
	readonly mode: RootMode;
	/** The address of ours that its command line names; null in boots of the first version. */
	readonly server: string | null;
}

export interface Boot extends BootPlan {
	/** 16 hex digits. */
	readonly id: string;
	readonly deviceKey: number;
	readonly layerId: string | null;
	/** The part of the export path that nobody can guess: 32 hex digits. */
	readonly exportToken: string;
	/** Signs what the boot's agent says: 64 hex digits. */
	readonly secret: string;
	/** Milliseconds since 1970. */
	readonly startedAt: number;
	readonly mountedAt: number | null;
	readonly endedAt: number | null;
}

export interface BegunBoot {
	readonly boot: Boot;
	/** False when the device asked again for a boot that it had not mounted yet. */
	readonly fresh: boolean;
}

/**
 * Finds or makes the layer of a boot that is about to begin.
 *
 * @param bootId the id that the boot will have.
 * @param reset a person asked for a new root: the old layer is not to be used again.
 * @returns the layer's id, null for a root without one.
 */
export type LayerMaker = (bootId: string, reset: boolean) => Promise<string | null>;

function fromRow(row: BootRow): Boot {
	const mode = ROOT_MODES.find((candidate) => candidate === row.mode) ?? "persistent";
	return { ...row, mode };
}

/** The boots that go on, by id, by token and by device. */
export class BootBook {
	readonly #store: Store;
	readonly #saver: Saver;
	readonly #clock: Clock;
	readonly #ended: (boot: Boot) => void;
	readonly #byId = new Map<string, Boot>();
	readonly #byToken = new Map<string, string>();
	/** Of each device, the oldest first: the one that runs, and the one that is about to. */
	readonly #byDevice = new Map<number, string[]>();
	readonly #beginning = new Map<number, Promise<unknown>>();

	/** @param ended is told of each boot that is over. */
	constructor(store: Store, saver: Saver, clock: Clock, ended: (boot: Boot) => void) {
		this.#store = store;
		this.#saver = saver;
		this.#clock = clock;
		this.#ended = ended;
	}

	/** Reads the boots that had not ended when the server was stopped. */
	async load(): Promise<void> {
		for (const row of await this.#store.boots.live()) this.#put(fromRow(row));
	}

	byId(id: string): Boot | undefined {
		return this.#byId.get(id);
	}

	byToken(token: string): Boot | undefined {
		return this.#byId.get(this.#byToken.get(token) ?? "");
	}

	/** The boots of a device that did not end, the newest first. */
	of(deviceKey: number): Boot[] {
		return (this.#byDevice.get(deviceKey) ?? []).flatMap((id) => this.#byId.get(id) ?? []).toReversed();
	}

	/** All that did not end. */
	all(): Iterable<Boot> {
		return this.#byId.values();
	}

	/** Gives the device its boot; calls for one device run one after the other. Stored when it resolves. */
	begin(device: DeviceState, plan: BootPlan, makeLayer: LayerMaker): Promise<BegunBoot> {
		const before = this.#beginning.get(device.key) ?? Promise.resolve();
		const begun = before.then(() => this.#begin(device, plan, makeLayer));
		const settled = begun.then(
			() => undefined,
			// Its caller is told; the next one must begin all the same.
			() => undefined,
		);
		this.#beginning.set(device.key, settled);
		void settled.then(() => {
			if (this.#beginning.get(device.key) === settled) this.#beginning.delete(device.key);
		});
		return begun;
	}

	async #begin(device: DeviceState, plan: BootPlan, makeLayer: LayerMaker): Promise<BegunBoot> {
		const waiting = this.of(device.key).find((boot) => boot.mountedAt === null);
		if (waiting !== undefined && !device.rootReset && isSame(waiting, plan)) return { boot: waiting, fresh: false };
		const id = randomBytes(8).toString("hex");
		const reset = device.rootReset;
		const layerId = await makeLayer(id, reset);
		const boot: Boot = {
			id,
			deviceKey: device.key,
			imageId: plan.imageId,
			buildId: plan.buildId,
			mode: plan.mode,
			server: plan.server,
			layerId,
			exportToken: randomBytes(16).toString("hex"),
			secret: randomBytes(32).toString("hex"),
			startedAt: this.#clock.now(),
			mountedAt: null,
			endedAt: null,
		};
		await this.#record(device, boot, reset);
		return { boot, fresh: true };
	}

	async #record(device: DeviceState, boot: Boot, reset: boolean): Promise<void> {
		const over = this.#replacedBy(boot);
		const changes = { bootCount: device.bootCount + 1, lastBootAt: boot.startedAt, kept: true };
		const stored = () => {
			Object.assign(device, changes, reset ? { rootReset: false } : {});
			for (const old of over) this.#drop(old);
			this.#put(boot);
		};
		const write = async ({ boots, devices }: Repositories) => {
			await devices.update(device.key, { ...changes, kept: 1, ...(reset ? { rootReset: 0 } : {}) });
			await boots.insert({ ...boot });
			for (const old of over) await boots.update(old.id, { endedAt: boot.startedAt });
			await boots.prune(device.key, HISTORY_KEPT);
		};
		await this.#saver.write(write, device, stored);
	}

	/** The boots that a new one ends: all that were never mounted, and of the mounted ones all but the last. */
	#replacedBy(boot: Boot): Boot[] {
		const running = this.of(boot.deviceKey).find((other) => other.mountedAt !== null);
		return this.of(boot.deviceKey).filter((other) => other !== running);
	}

	/** The boot's root was mounted. Stored when it resolves: asked for again, `cmdline.txt` is another boot now. */
	async mounted(id: string): Promise<void> {
		const boot = this.#byId.get(id);
		if (boot === undefined || boot.mountedAt !== null) return;
		const mountedAt = this.#clock.now();
		await this.#saver.write(({ boots }) => boots.update(id, { mountedAt }));
		this.#change(id, { mountedAt });
	}

	/** Nobody uses the boot's root any more. */
	async end(id: string): Promise<void> {
		const boot = this.#byId.get(id);
		if (boot === undefined) return;
		const endedAt = this.#clock.now();
		await this.#saver.write(({ boots }) => boots.update(id, { endedAt }));
		this.#drop(boot);
	}

	#change(id: string, changes: Partial<Boot>): void {
		const boot = this.#byId.get(id);
		if (boot !== undefined) this.#byId.set(id, { ...boot, ...changes });
	}

	#put(boot: Boot): void {
		this.#byId.set(boot.id, boot);
		this.#byToken.set(boot.exportToken, boot.id);
		this.#byDevice.set(boot.deviceKey, [...(this.#byDevice.get(boot.deviceKey) ?? []), boot.id]);
	}

	#drop(boot: Boot): void {
		this.#byId.delete(boot.id);
		this.#byToken.delete(boot.exportToken);
		const left = (this.#byDevice.get(boot.deviceKey) ?? []).filter((id) => id !== boot.id);
		if (left.length === 0) this.#byDevice.delete(boot.deviceKey);
		else this.#byDevice.set(boot.deviceKey, left);
		this.#ended(boot);
	}
}

function isSame(boot: Boot, plan: BootPlan): boolean {
	return (
		boot.imageId === plan.imageId &&
		boot.buildId === plan.buildId &&
		boot.mode === plan.mode &&
		boot.server === plan.server
	);
}
