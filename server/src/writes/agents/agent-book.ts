/** The agents: what each said of its Pi, when it was heard, and whether it shall reboot. */
import { EventEmitter } from "node:events";
import { Allowance, type Clock, type Startable, type Timer } from "../../base/index.ts";
import type { Device, DeviceRegistry } from "../../devices/index.ts";
import type { Store } from "../../store/index.ts";
import { WriteError } from "../write-error.ts";
import type { AgentCaller } from "./agent-gate.ts";
import type { Inventory } from "./inventory.ts";

/** What is known of a Pi's agent. */
export interface AgentFacts {
	readonly bootId: string;
	readonly version: string;
	/** Milliseconds since 1970. */
	readonly heardAt: number;
	readonly inventory: Inventory;
}

export interface AgentHello {
	readonly version: string;
	readonly inventory: Inventory;
}

/** How a Pi feels; what is missing is as it was. */
export interface PiHealth {
	/** Degrees Celsius. */
	readonly temperature?: number | undefined;
	/** As the firmware has it, in hex. */
	readonly throttled?: string | undefined;
}

export interface AgentBookOptions {
	readonly store: Pick<Store, "writes">;
	readonly registry: Pick<DeviceRegistry, "fact" | "learnSerial">;
	/** An inventory out of the store; undefined when this version cannot read it. */
	readonly parse: (text: string) => Inventory | undefined;
	readonly clock: Clock;
}

interface AgentEvents {
	/** Its inventory is another, or it came or went. */
	changed: [{ readonly deviceKey: number }];
}

/** An agent that waits for work asks anew within 30 seconds, and one that writes reports each second. */
const AWAY_MS = 45_000;
const SWEEP_MS = 5000;
const NEWS_DEGREES = 2;

/** An agent greets when it begins and when a disk comes or goes, and tries again each 5 seconds when that failed. */
const HELLOS = { burst: 30, perSecond: 0.5 };

export class AgentBook extends EventEmitter<AgentEvents> implements Startable {
	readonly #options: AgentBookOptions;
	readonly #facts = new Map<number, AgentFacts>();
	/** Since when it was heard in this process, monotonic. */
	readonly #heard = new Map<number, number>();
	/** Those that were said to be online. */
	readonly #online = new Set<number>();
	/** How often each device may say hello: it is stored, and told to all who look. */
	readonly #hellos = new Map<number, Allowance>();
	/** The run of each device's system that shall end. */
	readonly #reboots = new Map<number, string>();
	#timer: Timer | undefined;

	constructor(options: AgentBookOptions) {
		super();
		this.#options = options;
	}

	async start(): Promise<void> {
		const { store, parse } = this.#options;
		for (const row of await store.writes.inventories()) {
			const inventory = parse(row.inventory);
			if (inventory !== undefined) this.#facts.set(row.deviceKey, { ...row, inventory });
		}
		this.#arm();
	}

	async stop(): Promise<void> {
		this.#timer?.cancel();
	}

	/**
	 * An agent has begun, or its Pi has changed. Stored when it resolves.
	 *
	 * @returns whether it is the first that is heard of this run of the Pi's system.
	 * @throws WriteError `unavailable` when it says so all the time.
	 */
	async greet(caller: AgentCaller, { version, inventory }: AgentHello): Promise<boolean> {
		const { device, bootId } = caller;
		const { registry, store, clock } = this.#options;
		const heardAt = clock.now();
		this.#limitHellos(device);
		if (inventory.serial !== "") registry.learnSerial(device, inventory.serial);
		const row = { deviceKey: device.key, bootId, version, heardAt, inventory: JSON.stringify(inventory) };
		await store.writes.saveInventory(row);
		const isKnown = this.#facts.get(device.key)?.bootId === bootId;
		const before = this.runOf(caller);
		this.#facts.set(device.key, { bootId, version, heardAt, inventory });
		this.hear(device);
		registry.fact(device, { kind: "agent", bootId });
		this.emit("changed", { deviceKey: device.key });
		return !isKnown || before !== this.runOf(caller);
	}

	#limitHellos({ key, name }: Device): void {
		const allowance = this.#hellos.get(key) ?? new Allowance(this.#options.clock, HELLOS);
		this.#hellos.set(key, allowance);
		if (!allowance.take())
			throw new WriteError("unavailable", `The agent of ${name} says hello all the time.`, "Ask later.");
	}

	/** It said something. */
	hear(device: Device): void {
		this.#heard.set(device.key, this.#options.clock.monotonic());
		const facts = this.#facts.get(device.key);
		if (facts !== undefined) this.#facts.set(device.key, { ...facts, heardAt: this.#options.clock.now() });
		if (!this.#online.has(device.key)) this.#tell(device.key, true);
	}

	/** Takes in how a Pi feels. A change of a degree is no news. */
	feel(device: Device, { temperature, throttled }: PiHealth): void {
		const facts = this.#facts.get(device.key);
		if (facts === undefined) return;
		const { inventory } = facts;
		const now = {
			...inventory,
			temperature: temperature ?? inventory.temperature,
			throttled: throttled ?? inventory.throttled,
		};
		const isNews =
			Math.abs(now.temperature - inventory.temperature) >= NEWS_DEGREES || now.throttled !== inventory.throttled;
		if (!isNews) return;
		this.#facts.set(device.key, { ...facts, inventory: now });
		this.emit("changed", { deviceKey: device.key });
	}

	/** What is known of the agent of a device; undefined before it was ever heard. */
	of(deviceKey: number): AgentFacts | undefined {
		return this.#facts.get(deviceKey);
	}

	isOnline(deviceKey: number): boolean {
		const heard = this.#heard.get(deviceKey);
		return heard !== undefined && this.#options.clock.monotonic() - heard < AWAY_MS;
	}

	/**
	 * Names the run of a Pi's system that an agent speaks for: another one after each reboot, also of an agent that was
	 * installed and keeps its id.
	 */
	runOf({ device, bootId }: Pick<AgentCaller, "device" | "bootId">): string {
		return `${bootId} ${this.#facts.get(device.key)?.inventory.bootId ?? ""}`.trimEnd();
	}

	/** This run shall end, as soon as its agent asks for work. */
	orderReboot(deviceKey: number, run: string): void {
		this.#reboots.set(deviceKey, run);
	}

	/** Stays true until the run is over: an answer can be lost. */
	shallReboot(deviceKey: number, run: string): boolean {
		return this.#reboots.get(deviceKey) === run;
	}

	#tell(deviceKey: number, isOnline: boolean): void {
		if (isOnline) this.#online.add(deviceKey);
		else this.#online.delete(deviceKey);
		this.emit("changed", { deviceKey });
	}

	#arm(): void {
		this.#timer = this.#options.clock.after(SWEEP_MS, () => {
			for (const key of this.#online) if (!this.isOnline(key)) this.#tell(key, false);
			this.#arm();
		});
	}
}
