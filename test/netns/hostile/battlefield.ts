/** A lab with a router, our server, an honest Pi and an attacker on one switch, and the means to see what an attack does. */
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Background, must } from "../../harness/command.ts";
import { Lab, SERVER_ADDRESS } from "../../harness/lab.ts";
import { Router } from "../../harness/router.ts";
import { Server } from "../../harness/server.ts";
import { makeSmallImage } from "../../harness/small-image.ts";
import { assertBooted, type PiReport, powerOn, type VirtualPi } from "../../harness/virtual-pi.ts";

export const VICTIM: VirtualPi = { model: "pi4-2026", mac: "e4:5f:01:09:02:f7", serial: "1000000091cdf03d" };
export const VICTIM_ADDRESS = "10.77.0.60";
/** A Pi that the server sees for the first time when the worst is over. */
export const NEWCOMER: VirtualPi = { model: "pi3bp", mac: "b8:27:eb:12:00:07", serial: "100000002a120007" };
/** A Pi whose ROM wants its answers late. */
export const PI_3B: VirtualPi = { model: "pi3b", mac: "b8:27:eb:ef:56:44", serial: "00000000ffef5644" };

/** Addresses of the attacker: as many as the router does not give away. */
const FIRST_ADDRESS = 2;
export const ADDRESSES = 40;

/** Lines that an attack may make the server log at once, and then in each second: 100 and 1 of each kind. */
const LINES = 600;
const LINES_A_SECOND = 10;

export interface BattlefieldOptions {
	readonly flags?: readonly string[];
	readonly hasRouter?: boolean;
}

/** What an attack did, to the server and to the Pi that booted meanwhile. */
export interface Aftermath {
	/** Of the attacker. */
	readonly counts: Readonly<Record<string, number>>;
	readonly pi: PiReport;
	/** Megabytes of the server's memory: before, and the most that it had. */
	readonly before: number;
	readonly peak: number;
	/** Lines that the server logged. */
	readonly lines: number;
	/** As many as it may log in that time, whoever attacks, those of the honest Pi among them. */
	readonly mostLines: number;
	/** Those of them that say a fault of ours. */
	readonly faults: readonly string[];
}

export class Battlefield {
	readonly lab: Lab;
	readonly server: Server;
	readonly token: string;
	readonly #folder: string;
	readonly #router: Router | undefined;
	readonly #attackers = new Set<Background>();

	private constructor(lab: Lab, folder: string, router: Router | undefined, server: Server) {
		this.lab = lab;
		this.server = server;
		this.#folder = folder;
		this.#router = router;
		this.token = readFileSync(join(folder, "data", "token"), "utf8").trim();
	}

	/** @param flags of the server. Without a router it gives out the addresses itself. */
	static async open({ flags = [], hasRouter = true }: BattlefieldOptions = {}): Promise<Battlefield> {
		const folder = await mkdtemp(join(tmpdir(), "battlefield-"));
		const [images, data] = [join(folder, "images"), join(folder, "data")];
		mkdirSync(images);
		mkdirSync(data);
		makeSmallImage(images, folder, { kernelBytes: 400_000, forAllModels: true });
		const lab = await Lab.create();
		// The router is not what is tried here: it does not spend its addresses on those that are not there.
		const reserved = { [VICTIM.mac]: VICTIM_ADDRESS, [NEWCOMER.mac]: "10.77.0.61", [PI_3B.mac]: "10.77.0.62" };
		const router = hasRouter ? await Router.start(lab, { reserved, onlyReserved: true }) : undefined;
		const server = await Server.start(lab, { images, data, flags });
		await server.waitForImage("small");
		await lab.addHost("pi", { mac: VICTIM.mac });
		await lab.addHost("new", { mac: NEWCOMER.mac });
		await lab.addHost("rom", { mac: PI_3B.mac });
		await lab.addHost("bad", { mac: "02:00:00:00:00:66" });
		const field = new Battlefield(lab, folder, router, server);
		await field.giveAddresses("bad", FIRST_ADDRESS, ADDRESSES);
		return field;
	}

	/** Gives a host of the lab addresses, one after the other. */
	async giveAddresses(host: string, first: number, count: number): Promise<void> {
		for (let each = 0; each < count; each++) {
			const address = `10.77.0.${first + each}/24`;
			await must(["ip", "-n", this.lab.host(host), "addr", "add", address, "brd", "+", "dev", `${host}0`]);
		}
	}

	/** Starts an attacker and waits until its attack has its full weight. @param program a file of this folder. */
	async attack(program: string, ...words: readonly (string | number)[]): Promise<Background> {
		return this.attackFrom("bad", FIRST_ADDRESS, program, ...words);
	}

	async attackFrom(
		host: string,
		first: number,
		program: string,
		...words: readonly (string | number)[]
	): Promise<Background> {
		const path = fileURLToPath(new URL(program, import.meta.url));
		const interpreter = program.endsWith(".py") ? "python3" : process.execPath;
		const command = [interpreter, path, SERVER_ADDRESS, ...words.map(String)];
		const environment = { FIRST_ADDRESS: String(first), TOKEN: this.token };
		const attacker = new Background(this.lab.on(host, command), { environment });
		this.#attackers.add(attacker);
		try {
			await attacker.waitFor(/^under way\n/m, 60_000);
		} catch (error) {
			await attacker.stop("SIGKILL");
			throw error;
		}
		return attacker;
	}

	/** Ends an attack. @returns what it did. */
	async end(attacker: Background): Promise<Record<string, number>> {
		await attacker.stop("SIGTERM");
		this.#attackers.delete(attacker);
		return JSON.parse(/^\{.*\}$/m.exec(attacker.output)?.[0] ?? assert.fail(attacker.output));
	}

	/** Boots the victim while the attack, or some of them, go on. */
	under(...start: readonly (() => Promise<Background>)[]): Promise<Aftermath> {
		return this.underWith("pi", VICTIM, ...start);
	}

	/** Boots a Pi while the attack, or some of them, go on. */
	async underWith(host: string, who: VirtualPi, ...start: readonly (() => Promise<Background>)[]): Promise<Aftermath> {
		const before = this.#memory("VmRSS");
		const logged = this.server.log.length;
		const began = performance.now();
		// proc(5): 5 sets the peak of the resident memory to what it is now.
		writeFileSync(`/proc/${this.server.pid}/clear_refs`, "5");
		const attackers: Background[] = [];
		for (const one of start) attackers.push(await one());
		const pi = await powerOn(this.lab, host, who, { seconds: 90 });
		const counts: Record<string, number> = {};
		for (const attacker of attackers) {
			for (const [what, times] of Object.entries(await this.end(attacker))) counts[what] = (counts[what] ?? 0) + times;
		}
		assertBooted(pi);
		const lines = this.server.log.slice(logged).split("\n");
		const faults = lines.filter((line) => /^[\d:]+ (error|fatal) /.test(line));
		const mostLines = LINES + (LINES_A_SECOND * (performance.now() - began)) / 1000;
		return { counts, pi, before, peak: this.#memory("VmHWM"), lines: lines.length - 1, mostLines, faults };
	}

	#memory(field: "VmRSS" | "VmHWM"): number {
		const status = readFileSync(`/proc/${this.server.pid}/status`, "utf8");
		const kibibytes = new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(status)?.[1] ?? assert.fail(status);
		return (Number(kibibytes) * 1024) / 1_000_000;
	}

	/** Megabytes of memory that the server has. */
	get memory(): number {
		return this.#memory("VmRSS");
	}

	/** Bytes that came to a host of the lab over its cable. */
	async received(host: string): Promise<number> {
		const path = `/sys/class/net/${host}0/statistics/rx_bytes`;
		return Number(await must(this.lab.on(host, ["cat", path])));
	}

	/** File descriptors that the server has. */
	get descriptors(): number {
		return readdirSync(`/proc/${this.server.pid}/fd`).length;
	}

	async close(): Promise<void> {
		try {
			for (const attacker of this.#attackers) await attacker.stop("SIGKILL");
			await this.server.stop();
			await this.#router?.stop();
		} finally {
			await this.lab.remove();
			await rm(this.#folder, { recursive: true });
		}
	}
}
