/** What a firmware does: ask for an address, ask for files. The models write their boots with these words. */

import type { Identity, Model } from "./board.ts";
import { shortSerial } from "./board.ts";
import { type BootConfig, readConfig } from "./config-txt.ts";
import { type FirmwareDhcpStyle, type FirmwareDhcpTiming, firmwareDhcp } from "./dhcp-firmware.ts";
import { BootError, errorText } from "./errors.ts";
import type { Network } from "./network.ts";
import type { Journal } from "./report.ts";
import { type TftpResult, type TftpStyle, type TftpTiming, transfer } from "./tftp-client.ts";
import type { UdpPort } from "./udp.ts";

/** A program of the boot that has a TFTP client of its own: the ROM, the EEPROM, start4.elf. */
export interface TftpStage extends TftpStyle {
	/** Its first source port; each request takes the next one. Undefined for one out of the blue. */
	readonly firstPort: number | undefined;
	/** Whether all requests leave from the first port. */
	readonly onePort?: boolean;
}

/** What the firmware has in memory at its end. */
export interface Loaded {
	kernel?: string;
	initramfs?: string;
	cmdline?: Buffer | undefined;
	/** Whether the kernel gets a device tree. */
	deviceTree?: boolean;
}

/** DHCP of a mask ROM that differs from what comes after it. */
export interface EarlyDhcp {
	readonly style: FirmwareDhcpStyle;
	readonly guid: Buffer;
	readonly timing: FirmwareDhcpTiming;
}

export interface FirmwareTiming {
	readonly dhcp: FirmwareDhcpTiming;
	readonly tftp: TftpTiming;
}

export interface FirmwareOptions {
	readonly model: Model;
	readonly identity: Identity;
	readonly network: Network;
	readonly journal: Journal;
	readonly timing: FirmwareTiming;
}

export class Firmware {
	readonly model: Model;
	readonly identity: Identity;
	/** What stands before each name: `91cdf03d/`, or nothing. */
	prefix = "";
	/** What config.txt said when it was read last. */
	config: BootConfig = { values: new Map(), overlays: [], initramfs: undefined, includes: [] };
	/** What the kernel gets. */
	readonly loaded: Loaded = {};
	readonly #network: Network;
	readonly #journal: Journal;
	readonly #timing: FirmwareTiming;
	#stage: TftpStage | undefined;
	#nextPort = 0;
	#tftpServer = "";

	constructor(options: FirmwareOptions) {
		this.model = options.model;
		this.identity = options.identity;
		this.#network = options.network;
		this.#journal = options.journal;
		this.#timing = options.timing;
	}

	/** The directory of this Pi: its serial with a slash. */
	get ownPrefix(): string {
		return `${shortSerial(this.identity)}/`;
	}

	/** Where it looks for its files, for a message. */
	get where(): string {
		return this.prefix === "" ? "the top folder" : this.prefix;
	}

	/** Asks for an address and the TFTP server. @param early how an earlier program than the usual one asks. */
	async dhcp(early?: EarlyDhcp): Promise<void> {
		const { model, identity } = this;
		const style = early?.style ?? model.dhcp;
		const port = await this.#network.openDhcp(style.ttl);
		try {
			const { lease, tftpServer } = await firmwareDhcp({
				port,
				mac: identity.mac,
				guid: early?.guid ?? model.guid(model, identity),
				style,
				timing: early?.timing ?? this.#timing.dhcp,
				needsLease: this.#network.needsLease,
				onStep: (detail) => this.#journal.step("dhcp", detail),
			});
			await port.close();
			if (lease !== undefined) await this.#network.configure(lease);
			this.#tftpServer = tftpServer;
		} catch (error) {
			await port.close().catch(() => undefined);
			throw error;
		}
		this.#journal.address(this.#network.address, this.#tftpServer);
	}

	/** Hands over to the next program, which counts its ports anew. */
	start(stage: TftpStage): void {
		this.#stage = stage;
		this.#nextPort = stage.firstPort ?? 1024 + Math.floor(Math.random() * 60000);
	}

	/** Whether the file is there: the request is broken off at its first answer. */
	async probe(name: string): Promise<boolean> {
		const result = await this.#ask(name, "answer");
		this.#journal.step("tftp", `${this.prefix}${name}: ${result.kind === "present" ? "is there" : reasonOf(result)}`);
		return result.kind === "present";
	}

	/** As `probe`, but broken off only at the first block. */
	async probeWithBlock(name: string): Promise<boolean> {
		const result = await this.#ask(name, "block");
		this.#journal.step("tftp", `${this.prefix}${name}: ${result.kind === "present" ? "is there" : reasonOf(result)}`);
		return result.kind === "present";
	}

	/** The whole file, or undefined when the server has none. */
	async get(name: string): Promise<Buffer | undefined> {
		const result = await this.#ask(name, undefined);
		if (result.kind !== "file") {
			this.#journal.step("tftp", `${this.prefix}${name}: ${reasonOf(result)}`);
			return undefined;
		}
		const { content, milliseconds } = result;
		this.#journal.file(`${this.prefix}${name}`, content, milliseconds);
		return content;
	}

	/** A file without which the firmware does not go on. */
	async need(name: string): Promise<Buffer> {
		const content = await this.get(name);
		if (content === undefined)
			throw new BootError(
				`${this.prefix}${name} is not on the server, and ${this.model.title} cannot go on without it`,
			);
		return content;
	}

	/** A file that changes the whole boot when the server has one: none of a stock image. */
	async refuse(name: string): Promise<void> {
		if ((await this.get(name)) !== undefined) {
			throw new BootError(`the server has ${this.prefix}${name}: the Pi would start that in place of its system`);
		}
	}

	/** Fetches config.txt and what it includes, and takes what it says. @returns false when there is none. */
	async readConfig(name = "config.txt"): Promise<boolean> {
		const content = await this.get(name);
		if (content === undefined) return false;
		const { revision, filters } = this.model;
		const own = { models: new Set(filters), serial: shortSerial(this.identity), boardType: (revision >> 4) & 0xff };
		const include = async (file: string) => (await this.get(file))?.toString("latin1");
		this.config = await readConfig(content.toString("latin1"), own, include);
		return true;
	}

	/** A value of config.txt. */
	setting(name: string): string | undefined {
		return this.config.values.get(name);
	}

	async #ask(name: string, stopAt: "answer" | "block" | undefined): Promise<TftpResult> {
		const socket = await this.#openPort();
		try {
			return await transfer(socket, {
				name: `${this.prefix}${name}`,
				server: this.#tftpServer,
				port: this.#network.ports.tftp,
				style: this.#stageNow(),
				timing: this.#timing.tftp,
				stopAt,
			});
		} catch (error) {
			if (error instanceof BootError || error instanceof TypeError || this.#journal.isStopped) throw error;
			throw new BootError(`${this.prefix}${name}: ${errorText(error)}`, { cause: error });
		} finally {
			await socket.close();
		}
	}

	async #openPort(): Promise<UdpPort> {
		const { onePort = false, ttl } = this.#stageNow();
		const socket = await this.#network.udp(this.#nextPort, ttl);
		if (!onePort) this.#nextPort = socket.port >= 65535 ? 1024 : socket.port + 1;
		return socket;
	}

	#stageNow(): TftpStage {
		if (this.#stage === undefined) throw new TypeError("no stage of the boot has started");
		return this.#stage;
	}
}

function reasonOf(result: TftpResult): string {
	return result.kind === "absent" ? `not there (${result.reason})` : "is there";
}
