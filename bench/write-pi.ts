/** A Pi for benches: the agent as the server put it into the root of this boot, in a namespace of its own, with one disk. */
import { setTimeout } from "node:timers/promises";
import { eventually } from "../test/harness/eventually.ts";
import { fetchCmdline, type PiOnCable } from "../test/harness/export.ts";
import { Imager } from "../test/harness/imager.ts";
import type { Lab } from "../test/harness/lab.ts";
import type { Server } from "../test/harness/server.ts";
import { agentConfig } from "../test/harness/working-pi.ts";

const LONGEST_MS = 1_200_000;

/** What of a write's answer counts here. */
export interface WriteState {
	readonly id: string;
	readonly stage: string;
	readonly waiting?: object;
	readonly bytesTotal: number;
	readonly zeroBytes: number;
	readonly wireBytes: number;
	readonly createdAt: number;
	readonly endedAt: number | null;
	readonly times: readonly { readonly stage: string; readonly at: number }[];
	readonly error?: { readonly message: string };
}

export type Verify = "full" | "none";

export class BenchPi {
	readonly #lab: Lab;
	readonly #server: Server;
	readonly #cable: PiOnCable;
	readonly host: string;

	/** @param number 1 to 99. */
	constructor(lab: Lab, server: Server, number: number) {
		const hex = number.toString(16).padStart(2, "0");
		this.#lab = lab;
		this.#server = server;
		this.#cable = { mac: `dc:a6:32:00:be:${hex}`, address: `10.77.0.${100 + number}`, serial: `be5e06${hex}` };
		this.host = `w${number}`;
	}

	/** Boots it from the network, with one disk, and waits until the server knows of both. @returns its agent. */
	async boot(folder: string, disk: string): Promise<Imager> {
		// It is known when it has booted before, and then it may be set to its own disk.
		const known = await this.#server.find(this.#path);
		if (known !== undefined) await this.#server.api("PATCH", this.#path, { intent: "netboot" });
		await this.#lab.removeHost(this.host);
		const { exportPath } = await fetchCmdline(this.#lab, this.#cable);
		await this.#lab.addHost(this.host, { mac: this.#cable.mac, address: `${this.#cable.address}/24` });
		const config = { ...(await agentConfig(this.#lab, this.host, exportPath)), devices: disk };
		const agent = await Imager.start(folder, { as: this.#lab.on(this.host, []), config });
		const isKnown = async () => {
			const device = (await this.#server.api("GET", this.#path)) as {
				agent?: { online: boolean; inventory: { disks: { path: string }[] } };
			};
			const { online = false, inventory } = device.agent ?? {};
			return (online && inventory?.disks.some(({ path }) => path === disk)) || undefined;
		};
		await eventually(`the agent of ${this.host}`, isKnown);
		return agent;
	}

	get #path(): string {
		return `/api/v1/devices/${this.#cable.serial}`;
	}

	async order(target: string, verify: Verify): Promise<WriteState> {
		const body = { target, verify, confirm: true };
		return this.#server.api("POST", `${this.#path}/writes`, body);
	}

	/** Waits for a write until it is over. @throws Error when it failed. */
	async end({ id }: WriteState): Promise<WriteState> {
		const write = await this.#until(id, (now) => now.endedAt !== null);
		if (write.error !== undefined) throw new Error(`the write failed: ${write.error.message}`);
		return write;
	}

	/** Has the server prepare what is written, which it does once. */
	async prepare(disk: string): Promise<void> {
		const { id } = await this.order(disk, "none");
		await this.#until(id, (now) => now.waiting === undefined);
		await this.#server.api("POST", `/api/v1/writes/${id}/cancel`);
		await this.#until(id, (now) => now.endedAt !== null);
	}

	/** Looks seldom: each look starts programs, which would take the processors from what is measured. */
	async #until(id: string, test: (now: WriteState) => boolean): Promise<WriteState> {
		const deadline = Date.now() + LONGEST_MS;
		while (Date.now() < deadline) {
			const now = await this.#server.api<WriteState>("GET", `/api/v1/writes/${id}`);
			if (test(now)) return now;
			await setTimeout(1000);
		}
		throw new Error(`the write ${id} takes longer than ${LONGEST_MS / 1000} seconds`);
	}
}
