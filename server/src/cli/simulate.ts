/** `pi-netboot simulate` */
import { type Command, InvalidArgumentError } from "commander";
import { errorText, systemCode } from "../base/index.ts";
import { call } from "./client.ts";
import { addClientFlags, type ClientFlags, clientOptions } from "./client-options.ts";
import { CommandError, exitCodes } from "./command-error.ts";
import type { Terminal } from "./terminal.ts";

/** What the simulator, a package of its own that shares no code with the server, offers us. */
interface Simulator {
	runSimulation(options: SimulationOptions): Promise<number>;
}

interface SimulationOptions {
	/** Address of the server. */
	readonly server: string;
	readonly model: string;
	readonly count: number;
	readonly ports: { readonly dhcp: number; readonly tftp: number; readonly portmap: number; readonly nfs: number };
	readonly json: boolean;
	readonly signal?: AbortSignal;
}

interface SimulateFlags extends ClientFlags {
	readonly model: string;
	readonly count: number;
	readonly server?: string;
	readonly json?: true;
	readonly dhcpPort?: number;
	readonly tftpPort?: number;
	readonly nfsPort?: number;
	readonly portmapPort?: number;
}

export function addSimulate(program: Command, terminal: Terminal, setExitCode: (code: number) => void): void {
	addClientFlags(program.command("simulate").description("boot virtual Pis from the running server"))
		.option("--model <model>", "pi3b, pi3bp, pi4, pi400, pi5, or mixed", "pi4")
		.option("--count <number>", "how many, powered on at once", number(1, 1000), 1)
		.option("--server <address>", "address of the server (default: the host of --url)")
		.option("--dhcp-port <port>", "DHCP (default: the one that the server uses)", number(1, 65535))
		.option("--tftp-port <port>", "TFTP, likewise", number(1, 65535))
		.option("--nfs-port <port>", "NFS, likewise", number(1, 65535))
		.option("--portmap-port <port>", "portmapper, likewise", number(1, 65535))
		.option("--json", "as JSON")
		.action(async (flags: SimulateFlags) => {
			const { runSimulation } = await loadSimulator();
			setExitCode(await runSimulation(await simulationOptions(flags, terminal)));
		});
}

async function simulationOptions(flags: SimulateFlags, terminal: Terminal): Promise<SimulationOptions> {
	const client = clientOptions(flags, terminal);
	const { services } = await call(client, "getHealth");
	return {
		server: flags.server ?? new URL(client.url).hostname,
		model: flags.model,
		count: flags.count,
		ports: {
			dhcp: flags.dhcpPort ?? services.dhcp.port,
			tftp: flags.tftpPort ?? services.tftp.port,
			portmap: flags.portmapPort ?? services.portmap.port,
			nfs: flags.nfsPort ?? services.nfs.port,
		},
		json: flags.json ?? false,
	};
}

/** Loaded when it is asked for: the server runs without it. */
async function loadSimulator(): Promise<Simulator> {
	const name: string = "@pi-netboot/simulator";
	try {
		const loaded: unknown = await import(name);
		if (isSimulator(loaded)) return loaded;
	} catch (error) {
		if (systemCode(error) !== "ERR_MODULE_NOT_FOUND") throw error;
		throw new CommandError(exitCodes.failed, `the simulator is not installed: ${errorText(error)}`, { cause: error });
	}
	throw new CommandError(exitCodes.failed, `${name} is not the simulator of this version`);
}

function isSimulator(loaded: unknown): loaded is Simulator {
	return typeof loaded === "object" && loaded !== null && "runSimulation" in loaded;
}

function number(least: number, most: number): (text: string) => number {
	return (text) => {
		const value = Number(text);
		if (Number.isInteger(value) && value >= least && value <= most) return value;
		throw new InvalidArgumentError(`Expected a whole number from ${least} to ${most}.`);
	};
}
