/**
 * A virtual Pi that has booted from the network, and our agent at work for it: with what the server put into the root of this
 * boot, and with disks of this machine.
 */
import { fileURLToPath } from "node:url";
import { must } from "./command.ts";
import { Imager } from "./imager.ts";
import { type Lab, SERVER_ADDRESS } from "./lab.ts";
import { assertBooted, powerOn, type VirtualPi } from "./virtual-pi.ts";

const READER = fileURLToPath(new URL("root-reader.ts", import.meta.url));
const CONFIG = "/opt/netboot-imager/config.json";

/** What the agent of a boot is told, but for the rule that it runs only on a Pi. @param host of the Pi, with its address. */
export async function agentConfig(lab: Lab, host: string, exportPath: string): Promise<Record<string, unknown>> {
	const read = [process.execPath, READER, SERVER_ADDRESS, exportPath, CONFIG];
	const files = JSON.parse(await must(lab.on(host, read)));
	const { only_when_netbooted: _here, ...config } = JSON.parse(files[CONFIG]);
	return { ...config, port: 0 };
}

export class WorkingPi {
	readonly #lab: Lab;
	/** Of the lab; its cable is `HOST0`. */
	readonly host: string;
	readonly id: string;
	readonly #pi: VirtualPi;
	readonly #disks: readonly string[];
	readonly #folder: string;
	#config: Readonly<Record<string, unknown>> = {};
	#agent: Imager | undefined;

	/** @param disks their paths. @param folder for what the agent needs. */
	constructor(lab: Lab, host: string, pi: VirtualPi, disks: readonly string[], folder: string) {
		this.#lab = lab;
		this.host = host;
		this.id = pi.serial;
		this.#pi = pi;
		this.#disks = disks;
		this.#folder = folder;
	}

	/** Power on: it boots, and its agent begins. */
	async boot(): Promise<void> {
		await this.powerOff();
		await this.#lab.addHost(this.host, { mac: this.#pi.mac });
		const report = await powerOn(this.#lab, this.host, this.#pi);
		assertBooted(report);
		const exportPath = /nfsroot=[\d.]+:([^,]+),/.exec(report.cmdline ?? "")?.[1] ?? "";
		await must(this.#lab.on(this.host, ["ip", "addr", "add", `${report.address}/24`, "dev", `${this.host}0`]));
		this.#config = await agentConfig(this.#lab, this.host, exportPath);
		await this.startAgent();
	}

	async startAgent(): Promise<void> {
		const config = { ...this.#config, devices: this.#disks.join("|") };
		this.#agent = await Imager.start(this.#folder, { as: this.#lab.on(this.host, []), config });
	}

	get agent(): Imager {
		if (this.#agent === undefined) throw new Error(`${this.host} is off`);
		return this.#agent;
	}

	/** Ends the agent, and nothing else. */
	async stopAgent(): Promise<void> {
		await this.#agent?.stop();
		this.#agent = undefined;
	}

	async powerOff(): Promise<void> {
		await this.stopAgent();
		await this.#lab.removeHost(this.host);
	}
}
