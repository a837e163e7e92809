/**
 * The devices: found by what they send, kept over restarts, changed by people. Everything that is only seen is taken in
 * at once and stored soon; everything that somebody is told was done is stored before.
 */
import { EventEmitter } from "node:events";
import type { Clock, Logger, Startable } from "../base/index.ts";
import type { Repositories, Store } from "../store/index.ts";
import { type AddressBinding, AddressBook, type AddressSource } from "./addresses.ts";
import { type BegunBoot, type Boot, BootBook, type BootPlan, type LayerMaker } from "./boots.ts";
import { type Bystander, Bystanders } from "./bystanders.ts";
import { checkedChanges, type DeviceChanges } from "./changes.ts";
import { type Customisation, mergedCustomisation } from "./customisation.ts";
import { type Device, type DeviceState, type Intent, type RootMode, toRow } from "./device.ts";
import { DeviceDirectory } from "./directory.ts";
import { DeviceEditor } from "./editor.ts";
import { DeviceError } from "./errors.ts";
import type { Fact } from "./facts.ts";
import { type BootHistory, diagnosesOf, historyOf, type PastDiagnosis } from "./history.ts";
import { lowSerial, normalMac } from "./identity.ts";
import { KeyRing, type SshHostKeys } from "./keys.ts";
import { loadDevices, restoreProgress } from "./loading.ts";
import { ProgressBook, type ReachedStage } from "./progress.ts";
import { ProgressRecord } from "./progress-record.ts";
import { type BootFileOwner, type BootFileSighting, type FirmwareSighting, Recogniser } from "./recogniser.ts";
import { DEFAULT_LIMITS, Roster, type RosterLimits } from "./roster.ts";
import { Saver } from "./saver.ts";
import type { Diagnosis, Surroundings } from "./scene.ts";
import { ServerMoves } from "./server-moves.ts";
import type { BootAttempt } from "./stages.ts";

export interface RegistryOptions {
	readonly store: Store;
	readonly clock: Clock;
	readonly log: Logger;
	/** Tells whether a device may be given this image. */
	readonly imageExists: (id: string) => boolean;
	/** What the rule book is to know of the network. */
	readonly surroundings: () => Surroundings;
	readonly limits?: RosterLimits;
}

/** A device is new or another than before. With `formerId` it goes by another id from now on. */
export interface DeviceEvent {
	readonly device: Device;
	readonly id: string;
	readonly formerId?: string;
}

interface RegistryEvents {
	device: [DeviceEvent];
	/** A device that never booted was forgotten to make room. */
	removed: [{ readonly id: string }];
	/** Nobody uses the root of a boot any more, or a newer boot took its place. */
	"boot-ended": [Boot];
	/** A machine that does not boot from here is new, or the reason is another one. */
	bystander: [Bystander];
}

export class DeviceRegistry extends EventEmitter<RegistryEvents> implements Startable {
	readonly #options: RegistryOptions;
	readonly #directory = new DeviceDirectory();
	readonly #addresses = new AddressBook();
	readonly #bystanders = new Bystanders();
	readonly #roster: Roster;
	readonly #saver: Saver;
	readonly #boots: BootBook;
	readonly #progress: ProgressBook;
	readonly #recogniser: Recogniser;
	readonly #keys: KeyRing;
	readonly #editor: DeviceEditor;
	readonly #moves: ServerMoves;

	constructor(options: RegistryOptions) {
		super();
		const { store, clock, log, limits } = options;
		this.#options = options;
		this.#roster = new Roster(this.#directory, limits ?? DEFAULT_LIMITS);
		this.#saver = new Saver(store, clock, log, (device) => toRow(device, this.#addresses.of(device.key)[0]));
		this.#boots = new BootBook(store, this.#saver, clock, (boot) => void this.emit("boot-ended", boot));
		this.#keys = new KeyRing(store, this.#saver);
		const changed = (device: DeviceState) => this.#tell(device);
		const [directory, roster, saver] = [this.#directory, this.#roster, this.#saver];
		const record = new ProgressRecord({ saver, clock, log, changed });
		this.#progress = new ProgressBook(clock, options.surroundings, record);
		this.#editor = new DeviceEditor({ directory, roster, saver, store, changed });
		this.#moves = new ServerMoves({ boots: this.#boots, directory, progress: this.#progress, log });
		this.#recogniser = new Recogniser({
			clock,
			log,
			directory,
			addresses: this.#addresses,
			bystanders: this.#bystanders,
			roster,
			progress: this.#progress,
			changed: (device, formerId) => this.#changed(device, formerId),
			seen: (device) => saver.changed(device),
			removed: (device) => this.#removed(device),
			bystander: (bystander) => void this.emit("bystander", bystander),
		});
	}

	/** Reads the devices that are known, and takes up the boots that go on. */
	async start(): Promise<void> {
		const { store } = this.#options;
		const [directory, roster, addresses] = [this.#directory, this.#roster, this.#addresses];
		await loadDevices(store, { directory, roster, addresses });
		this.#recogniser.nextKey = await store.devices.nextKey();
		await this.#boots.load();
		await restoreProgress(store, directory, this.#progress);
	}

	/** Stores what is waiting. Nothing may be reported afterwards. */
	async stop(): Promise<void> {
		this.#progress.stop();
		await this.#saver.stop();
	}

	/** In the order in which they were first seen. */
	list(): Device[] {
		return [...this.#directory.values()].sort((a, b) => a.key - b.key);
	}

	/** By its id, any id that it had, its MAC in any spelling, or its whole serial. */
	get(id: string): Device | undefined {
		return this.#directory.byId(id);
	}

	byKey(key: number): Device | undefined {
		return this.#directory.byKey(key);
	}

	byMac(mac: string): Device | undefined {
		return this.#directory.byMac(normalMac(mac) ?? mac);
	}

	/** Whose address it is proved to be. */
	deviceAt(address: string): Device | undefined {
		const binding = this.#addresses.at(address);
		return binding === undefined ? undefined : this.#directory.byKey(binding.deviceKey);
	}

	/** The device's addresses, the last one that was proved first. */
	addressesOf(device: Device): readonly AddressBinding[] {
		return this.#addresses.of(device.key);
	}

	/** Raspberry Pis on the LAN that do not boot from here. */
	bystanders(): Bystander[] {
		return this.#bystanders.list();
	}

	/** The mode that its next boot has. */
	rootModeOf(device: Device): RootMode {
		return device.rootMode ?? this.#options.store.settings.get("defaultRootMode") ?? "persistent";
	}

	/** What its system gets: its own, and else what is set for all. */
	customisationOf(device: Device): Customisation {
		return mergedCustomisation(device.customisation, this.#options.store.settings.get("defaultCustomisation") ?? {});
	}

	/** Bytes that its root may hold; undefined = no limit but the disk's. */
	quotaOf(device: Device): number | undefined {
		const bytes = device.quotaBytes ?? this.#options.store.settings.get("defaultQuotaBytes") ?? 0;
		return bytes === 0 ? undefined : bytes;
	}

	/** A firmware asked DHCP: that makes a device. Undefined when there are more devices than anybody has. */
	sawFirmware(sighting: FirmwareSighting): Device | undefined {
		return this.#recogniser.sawFirmware(sighting);
	}

	/**
	 * A Linux asked DHCP: the kernel or initramfs of a boot, or a system that runs.
	 *
	 * @param address what it asks for (option 50) or has (ciaddr), where it says one.
	 * @returns the device, when it is one.
	 */
	sawLinux(mac: string, by: "kernel" | "initramfs" | "userland", address?: string): Device | undefined {
		return this.#recogniser.sawLinux(mac, by, address);
	}

	/** A machine that looks like a Raspberry Pi and is left alone, with the reason as a sentence. */
	sawBystander(mac: string, reason: string, address?: string): void {
		this.#recogniser.sawBystander(mac, reason, address);
	}

	/**
	 * Finds whose a boot file is: by the serial or MAC in its name, else by the address that asks. A Pi's MAC behind the
	 * address makes a device; a name alone makes none.
	 */
	sawBootFile(sighting: BootFileSighting): BootFileOwner {
		return this.#recogniser.sawBootFile(sighting);
	}

	/**
	 * Binds an address to a device. Proofs from `lease` and `neighbour` always hold; a mere `request` does not take an
	 * address from a device that proved it lately.
	 *
	 * @returns whether the address is the device's now.
	 */
	bind(device: Device, address: string, source: AddressSource): boolean {
		const state = this.#stateOf(device);
		return state !== undefined && this.#recogniser.bind(state, address, source);
	}

	/**
	 * The agent of a boot said its serial, whole. Root on a Pi may say what it likes: what the firmware told of this MAC stands,
	 * and a serial that is another Pi's stays that one's. What is not believed is logged.
	 */
	learnSerial(device: Device, serial: string): void {
		const state = this.#stateOf(device);
		const low = lowSerial(serial);
		if (state !== undefined && low !== undefined) this.#recogniser.agentSaid(state, low);
	}

	/** Something was seen of a device's boot. */
	fact(device: Device, fact: Fact): void {
		const state = this.#stateOf(device);
		if (state === undefined) return;
		// That somebody else asked for its command line does not say that it is there.
		if (fact.kind !== "cmdline-refused") {
			state.lastSeenAt = this.#options.clock.now();
			this.#saver.changed(state);
		}
		this.#progress.fact(state, fact);
	}

	/** The stages of its last boot, in their order. */
	stages(device: Device): ReachedStage[] {
		const state = this.#stateOf(device);
		return state === undefined ? [] : this.#progress.stages(state);
	}

	/** Its last power-ons with each file that it asked for, the newest first. */
	attempts(device: Device): BootAttempt[] {
		const state = this.#stateOf(device);
		return state === undefined ? [] : this.#progress.attempts(state);
	}

	/** Why its boot stands still. */
	diagnosis(device: Device): Diagnosis | undefined {
		const state = this.#stateOf(device);
		return state === undefined ? undefined : this.#progress.diagnosis(state);
	}

	/** Its last boots, the newest first. @param before only those that began before, in milliseconds since 1970. */
	async history(device: Device, limit: number, before?: number): Promise<BootHistory[]> {
		await this.#saver.write();
		return historyOf(this.#options.store, device.key, limit, before);
	}

	/** What was wrong with it, the newest first. @param before only what has a smaller id. */
	async diagnoses(device: Device, limit: number, before?: number): Promise<PastDiagnosis[]> {
		await this.#saver.write();
		return diagnosesOf(this.#options.store, device.key, limit, before);
	}

	/**
	 * Changes what a person may change. Survives a power cut when it resolves.
	 *
	 * @throws DeviceError `device-not-found`, `invalid-request`, `name-taken`, `image-not-found`.
	 */
	async patch(id: string, changes: DeviceChanges): Promise<Device> {
		const device = this.#existing(id);
		const { imageExists } = this.#options;
		const byName = (name: string) => this.#directory.byName(name);
		await this.#editor.change(device, checkedChanges(device, changes, { byName, imageExists }));
		return device;
	}

	/**
	 * Makes a device of a machine that a person let in, if it is none yet. Survives a power cut when it resolves.
	 *
	 * @returns undefined when there are more devices than anybody has.
	 */
	async introduce(mac: string): Promise<Device | undefined> {
		const device = this.#recogniser.introduced(mac);
		if (device !== undefined) await this.#editor.change(device, {});
		return device;
	}

	/** Asks for a new root at the device's next boot. Survives a power cut when it resolves. @throws DeviceError. */
	async resetRoot(id: string): Promise<Device> {
		const device = this.#existing(id);
		await this.#editor.change(device, { rootReset: true });
		return device;
	}

	/** Takes a wish for a new root back. Survives a power cut when it resolves. @throws DeviceError. */
	async keepRoot(id: string): Promise<void> {
		const device = this.#existing(id);
		if (device.rootReset) await this.#editor.change(device, { rootReset: false });
	}

	/**
	 * Changes what its next power-on shall do, together with what `work` writes: both survive a power cut when it resolves, or
	 * neither took effect.
	 *
	 * @throws DeviceError `device-not-found`; what the store throws.
	 */
	async setIntent(id: string, intent: Intent, work: (repositories: Repositories) => Promise<void>): Promise<void> {
		await this.#editor.change(this.#existing(id), { intent, writeTarget: null }, work);
	}

	/**
	 * Begins a boot, because `cmdline.txt` is about to be served: stored when it resolves. Asked for again before the root
	 * is mounted, with the same plan, it is the same boot. Calls for one device run one after the other.
	 *
	 * @throws DeviceError `device-not-found` for a device that was forgotten; what `makeLayer` throws.
	 */
	async beginBoot(device: Device, plan: BootPlan, makeLayer: LayerMaker): Promise<BegunBoot> {
		const state = this.#existing(device.id);
		const begun = await this.#boots.begin(state, plan, makeLayer);
		this.#roster.update(state);
		this.fact(state, { kind: "cmdline", bootId: begun.boot.id });
		this.#tell(state);
		return begun;
	}

	/** The root of a boot was mounted. Stored when it resolves. */
	async bootMounted(id: string): Promise<void> {
		await this.#boots.mounted(id);
		const device = this.#ofBoot(id);
		if (device !== undefined) this.fact(device, { kind: "mount", bootId: id });
	}

	/** Nobody uses the root of a boot any more. */
	async bootEnded(id: string): Promise<void> {
		await this.#boots.end(id);
	}

	/**
	 * This machine has these addresses now. A running Pi whose root is mounted from another one has lost it: a mount does not
	 * follow, so that is said of the Pi. It is taken back when the address comes back.
	 *
	 * @param main what a Pi that boots now would be told; undefined while there is none.
	 */
	serverAt(addresses: readonly string[], main: string | undefined): void {
		this.#moves.serverAt(addresses, main);
	}

	#ofBoot(id: string): DeviceState | undefined {
		const boot = this.#boots.byId(id);
		return boot === undefined ? undefined : this.#directory.byKey(boot.deviceKey);
	}

	/** A boot that did not end. */
	boot(id: string): Boot | undefined {
		return this.#boots.byId(id);
	}

	bootByToken(exportToken: string): Boot | undefined {
		return this.#boots.byToken(exportToken);
	}

	/** The boots of a device that did not end, the newest first: the one that is about to run, and the one that runs. */
	bootsOf(device: Device): Boot[] {
		return this.#boots.of(device.key);
	}

	/** Its machine-id, made at the first call. Stored when it resolves. */
	machineId(device: Device): Promise<string> {
		return this.#keys.machineId(this.#existing(device.id));
	}

	/** Its SSH host keys, made at the first call. Stored when it resolves. */
	sshHostKeys(device: Device): Promise<SshHostKeys> {
		return this.#keys.sshHostKeys(this.#existing(device.id));
	}

	#stateOf(device: Device | undefined): DeviceState | undefined {
		return device === undefined ? undefined : this.#directory.byKey(device.key);
	}

	#existing(id: string): DeviceState {
		const device = this.#directory.byId(id);
		if (device === undefined) throw new DeviceError("device-not-found", `There is no device "${id}"`);
		return device;
	}

	#changed(device: DeviceState, formerId?: string): void {
		this.#saver.changed(device);
		this.#tell(device, formerId);
	}

	#removed(device: DeviceState): void {
		this.#saver.removed(device);
		this.emit("removed", { id: device.id });
	}

	#tell(device: DeviceState, formerId?: string): void {
		this.emit("device", { device, id: device.id, ...(formerId === undefined ? {} : { formerId }) });
	}
}
