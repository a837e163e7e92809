/**
 * The bootloader's own log, which it sends to everybody where its configuration says so. It comes from an address that a
 * person made up, often the same on all Pis, so what the lines say tells whose they are. Nobody can prove it: it is shown, and
 * nothing is decided by it.
 */
import { Allowance, type Clock, type Logger, type Timer } from "../base/index.ts";
import type { Device, DeviceRegistry } from "../devices/index.ts";
import { type Clue, clueOf, LineAssembler } from "./netconsole-lines.ts";

export interface NetconsoleOptions {
	readonly registry: Pick<DeviceRegistry, "get" | "byMac" | "deviceAt">;
	readonly clock: Clock;
	readonly log: Logger;
}

/** Addresses that are followed at a time; the one that was silent longest goes. */
const SOURCES_MAX = 64;

/** Lines that wait until it is known whose they are. */
const HELD_MAX = 100;

/** Without a further word for so long, what waits is shown as it is. */
const SILENCE_MS = 2000;

/** Lines that pass at once, and then per second: of one address, and of all. A boot has some 200. */
const ONE = { burst: 500, perSecond: 20 };
const ALL = { burst: 1500, perSecond: 60 };

interface Source {
	readonly address: string;
	readonly lines: LineAssembler;
	readonly allowance: Allowance;
	device: Device | undefined;
	held: string[];
	timer: Timer | undefined;
}

export class Netconsole {
	readonly #options: NetconsoleOptions;
	readonly #sources = new Map<string, Source>();
	readonly #all: Allowance;

	constructor(options: NetconsoleOptions) {
		this.#options = options;
		this.#all = new Allowance(options.clock, ALL);
	}

	/** A datagram came. */
	heard(bytes: Uint8Array, address: string): void {
		const source = this.#sourceAt(address);
		for (const line of source.lines.take(bytes)) this.#take(source, line);
		source.timer?.cancel();
		source.timer = this.#options.clock.after(SILENCE_MS, () => this.#settle(source));
	}

	stop(): void {
		for (const source of this.#sources.values()) source.timer?.cancel();
		this.#sources.clear();
	}

	#sourceAt(address: string): Source {
		const known = this.#sources.get(address);
		// Behind all others: it was heard last.
		this.#sources.delete(address);
		const source = known ?? this.#begin(address);
		this.#sources.set(address, source);
		return source;
	}

	#begin(address: string): Source {
		const [oldest] = this.#sources.values();
		if (oldest !== undefined && this.#sources.size >= SOURCES_MAX) {
			oldest.timer?.cancel();
			this.#settle(oldest);
			this.#sources.delete(oldest.address);
		}
		const allowance = new Allowance(this.#options.clock, ONE);
		return { address, lines: new LineAssembler(), allowance, device: undefined, held: [], timer: undefined };
	}

	#take(source: Source, line: string): void {
		if (!source.allowance.take() || !this.#all.take()) return;
		const clue = clueOf(line);
		if (clue?.kind === "begin" || (clue?.kind === "serial" && this.#find(clue) !== source.device)) this.#newPi(source);
		source.device ??= clue === undefined ? undefined : this.#find(clue);
		source.device ??= this.#options.registry.deviceAt(source.address);
		source.held.push(line);
		if (source.device !== undefined || source.held.length >= HELD_MAX) this.#show(source);
	}

	/** Another one may be sending from there: what was said until now is not its. */
	#newPi(source: Source): void {
		if (source.device !== undefined) this.#show(source);
		source.device = undefined;
	}

	#find(clue: Clue): Device | undefined {
		const { registry } = this.#options;
		switch (clue.kind) {
			case "serial":
				return registry.get(clue.serial);
			case "mac":
				return registry.byMac(clue.mac);
			case "address":
				return registry.deviceAt(clue.address);
			case "begin":
				return undefined;
		}
	}

	/** It is silent: nothing more will tell whose lines these are. */
	#settle(source: Source): void {
		for (const line of source.lines.flush()) this.#take(source, line);
		this.#show(source);
	}

	#show(source: Source): void {
		const { log } = this.#options;
		for (const line of source.held) {
			if (source.device === undefined) log.info(`${source.address}: ${line}`);
			else log.info({ device: source.device.id }, line);
		}
		source.held = [];
	}
}
