/** What a firmware does: ask for an address, ask for files. The models write their boots with these words. */

import { sameSubnet } from "./addresses.ts";
import { type Identity, type Model, shortSerial } from "./board.ts";
import { type BootConfig, readConfig } from "./config-txt.ts";
import {
	type FirmwareDhcpResult,
	type FirmwareDhcpStyle,
	type FirmwareDhcpTiming,
	firmwareDhcp,
} from "./dhcp-firmware.ts";
import { BootError, errorText } from "./errors.ts";
import { Netconsole } from "./netconsole.ts";
import type { Lease, Network } from "./network.ts";
import type { Play } from "./plays.ts";
import type { FetchedFile, Journal } from "./report.ts";
import { type EepromSettings, guidOf, prefixOf } from "./settings.ts";
import {
	type Fault,
	type TftpRequest,
	type TftpResult,
	type TftpStyle,
	type TftpTiming,
	transfer,
} from "./tftp-client.ts";
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

/** DHCP of one program of a boot, where it differs from what the model has. */
export interface OwnDhcp {
	readonly style?: FirmwareDhcpStyle;
	readonly guid?: Buffer;
	readonly timing?: Partial<FirmwareDhcpTiming>;
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
	readonly settings?: EepromSettings | undefined;
	/** Throws away what no program of the boot reads, once it is counted: kernels above all. */
	readonly discard?: boolean | undefined;
	/** Whether a bootloader that nobody answers asks again from the beginning, for as long as it has power. */
	readonly startsOver?: boolean | undefined;
	readonly play?: Play | undefined;
}

/** What a failure that is played does to the transfers of the firmware. */
const FAULTS: Readonly<Partial<Record<Play["failure"], Fault>>> = { "no-acks": "deaf", slow: "slow", stops: "silent" };

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
	readonly #settings: EepromSettings;
	readonly #discard: boolean;
	readonly #startsOver: boolean;
	readonly #play: Play | undefined;
	readonly #console: Netconsole | undefined;
	#stage: TftpStage | undefined;
	#nextPort = 0;
	#tftpServer = "";

	constructor(options: FirmwareOptions) {
		this.model = options.model;
		this.identity = options.identity;
		this.#network = options.network;
		this.#journal = options.journal;
		this.#timing = options.timing;
		this.#settings = options.settings ?? {};
		this.#discard = options.discard ?? false;
		this.#startsOver = options.startsOver ?? false;
		this.#play = options.play;
		const { network, model, identity } = options;
		this.#console = this.#settings.netconsole === true ? new Netconsole(network, model, identity) : undefined;
	}

	/** The directory of this Pi: its serial with a slash, unless its EEPROM says otherwise. */
	get ownPrefix(): string {
		return prefixOf(this.identity, this.#settings);
	}

	/** Where it looks for its files, for a message. */
	get where(): string {
		return this.prefix === "" ? "the top folder" : this.prefix;
	}

	/** Asks for an address and the TFTP server, unless the EEPROM tells both. @param own how this program differs. */
	async dhcp(own: OwnDhcp = {}): Promise<void> {
		await this.#network.answerArp(true);
		const { client, tftpServer } = this.#settings;
		const style = own.style ?? this.model.dhcp;
		const isSet = client !== undefined && tftpServer !== undefined;
		const result = isSet ? { lease: client, tftpServer } : await this.#askUntilAnswered(style, own);
		if (isSet) this.#journal.step("dhcp", `none: the EEPROM says ${client.address}, and ${tftpServer} for the files`);
		if (result.lease !== undefined) await this.#configure(result.lease, result.tftpServer, style);
		this.#tftpServer = result.tftpServer;
		this.#journal.address(this.#network.address);
		this.#journal.serverAddress = this.#tftpServer;
		await this.#console?.open();
		const { mask, router = "0.0.0.0" } = result.lease ?? { mask: "255.0.0.0" };
		this.#console?.say(`NET ${this.#network.address} ${mask} gw ${router} tftp ${this.#tftpServer}`);
	}

	/** The kernel takes over: the bootloader says nothing more. */
	async end(): Promise<void> {
		await this.#console?.close();
	}

	/** The bootloader in an EEPROM goes on to what BOOT_ORDER names next, and from its end to the beginning. */
	async #askUntilAnswered(style: FirmwareDhcpStyle, own: OwnDhcp): Promise<FirmwareDhcpResult> {
		for (;;) {
			try {
				return await this.#askDhcp(style, own);
			} catch (error) {
				const isOver = !(error instanceof BootError) || !this.#startsOver || !this.model.hasSettings;
				if (isOver || this.#journal.isStopped) throw error;
				this.#journal.step("dhcp", "nobody told it where its files are: it starts over");
			}
		}
	}

	async #askDhcp(style: FirmwareDhcpStyle, own: OwnDhcp): Promise<FirmwareDhcpResult> {
		const { model, identity } = this;
		const port = await this.#network.openDhcp(style.ttl);
		const asked = firmwareDhcp({
			port,
			mac: identity.mac,
			guid: own.guid ?? guidOf(model, identity, this.#settings),
			style,
			timing: { ...this.#timing.dhcp, ...own.timing },
			needsLease: this.#network.needsLease,
			tftpServer: this.#settings.tftpServer,
			isDeaf: this.#play?.failure === "deaf",
			claims: this.#play?.failure === "claims" ? this.#play.address : undefined,
			onStep: (detail) => this.#journal.step("dhcp", detail),
		});
		return asked.finally(() => port.close());
	}

	async #configure(lease: Lease, tftpServer: string, { knowsRouters }: FirmwareDhcpStyle): Promise<void> {
		if (!knowsRouters && this.#network.needsLease && !sameSubnet(lease, tftpServer)) {
			throw new BootError(
				`the TFTP server ${tftpServer} is in another subnet than ${lease.address}, and this ROM knows no routers`,
			);
		}
		await this.#network.configure(knowsRouters ? lease : { ...lease, router: undefined });
	}

	/** The ROM of a Pi 3B is deaf for ARP while it fetches its file. */
	async refuseArp(): Promise<void> {
		await this.#network.answerArp(false);
	}

	/** Hands over to the next program, which counts its ports anew. */
	start(stage: TftpStage): void {
		this.#stage = stage;
		this.#nextPort = stage.firstPort ?? 1024 + Math.floor(Math.random() * 60000);
	}

	/** Whether the file is there: the request is broken off at its first answer. */
	async probe(name: string): Promise<boolean> {
		const result = await this.#ask(name, { stopAt: "answer" });
		this.#journal.step("tftp", `${this.prefix}${name}: ${result.kind === "present" ? "is there" : reasonOf(result)}`);
		return result.kind === "present";
	}

	/** As `probe`, but broken off only at the first block. */
	async probeWithBlock(name: string): Promise<boolean> {
		const result = await this.#ask(name, { stopAt: "block" });
		this.#journal.step("tftp", `${this.prefix}${name}: ${result.kind === "present" ? "is there" : reasonOf(result)}`);
		return result.kind === "present";
	}

	/** A whole file that the boot itself reads, or undefined when the server has none. */
	async read(name: string): Promise<Buffer | undefined> {
		return (await this.#fetch(name, false))?.content;
	}

	/** A whole file that goes into the memory of the Pi unread. @returns false when the server has none. */
	async get(name: string): Promise<boolean> {
		return (await this.#fetch(name, this.#discard)) !== undefined;
	}

	async #fetch(name: string, discard: boolean): Promise<FetchedFile | undefined> {
		const result = await this.#ask(name, { discard });
		if (result.kind !== "file") {
			this.#journal.step("tftp", `${this.prefix}${name}: ${reasonOf(result)}`);
			return undefined;
		}
		this.#journal.file(`${this.prefix}${name}`, result);
		return result;
	}

	/** A file without which the firmware does not go on. */
	async need(name: string): Promise<void> {
		if (await this.get(name)) return;
		throw new BootError(`${this.prefix}${name} is not on the server, and ${this.model.title} cannot go on without it`);
	}

	/** A file that changes the whole boot when the server has one: none of a stock image. */
	async refuse(name: string): Promise<void> {
		if (await this.get(name)) {
			throw new BootError(`the server has ${this.prefix}${name}: the Pi would start that in place of its system`);
		}
	}

	/** The name of the file that is read for config.txt: another one when a system asked for it before it rebooted. */
	get configName(): string {
		return this.#settings.tryboot ? "tryboot.txt" : "config.txt";
	}

	/** Fetches config.txt and what it includes, and takes what it says. @returns false when there is none. */
	async readConfig(name = this.configName): Promise<boolean> {
		const content = await this.read(name);
		if (content === undefined) return false;
		const { revision, filters } = this.model;
		const own = { models: new Set(filters), serial: shortSerial(this.identity), boardType: (revision >> 4) & 0xff };
		const include = async (file: string) => (await this.read(file))?.toString("latin1");
		this.config = await readConfig(content.toString("latin1"), own, include);
		return true;
	}

	/** A value of config.txt. */
	setting(name: string): string | undefined {
		return this.config.values.get(name);
	}

	async #ask(name: string, how: Pick<TftpRequest, "stopAt" | "discard">): Promise<TftpResult> {
		if (this.#play?.failure === "config-loop" && /(^|\/)kernel[^/]*$/.test(name)) {
			throw new BootError(`it does not take ${name} for a kernel`);
		}
		this.#console?.say(`TFTP_GET: ${this.identity.mac} ${this.#tftpServer} ${this.prefix}${name}`);
		const socket = await this.#openPort();
		try {
			return await transfer(socket, {
				name: `${this.prefix}${name}`,
				server: this.#tftpServer,
				port: this.#network.ports.tftp,
				style: this.#stageNow(),
				timing: this.#timing.tftp,
				fault: this.#play && FAULTS[this.#play.failure],
				...how,
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
