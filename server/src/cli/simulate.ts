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
	/** All of these throw a sentence for what they do not take: a model that cannot boot from the network, to begin with. */
	chooseModels(names: string): unknown;
	readSettings(flags: SettingFlags): unknown;
	readSystem(name: string | undefined): unknown;
	readPlay(name: string | undefined): unknown;
	readonly playList: readonly (readonly [name: string, does: string])[];
}

/** As the simulator's own command line has them. */
interface SettingFlags {
	readonly "tftp-prefix": string | undefined;
	readonly option97: string | undefined;
	readonly tryboot: boolean;
	readonly netconsole: boolean;
}

interface SimulationOptions {
	/** Address of the server. */
	readonly server: string;
	readonly model: string;
	readonly count: number;
	/** The number of the first one, from 1. */
	readonly first: number;
	readonly ports: { readonly dhcp: number; readonly tftp: number; readonly portmap: number; readonly nfs: number };
	readonly json: boolean;
	/** Seconds from the first power-on to the last, and until a plug is pulled. */
	readonly ramp: number;
	readonly patience: number;
	/** The simulator's own, as it made them. */
	readonly settings: unknown;
	readonly system: unknown;
	readonly play: unknown;
	readonly signal?: AbortSignal;
}

interface SimulateFlags extends ClientFlags {
	readonly model: string;
	readonly count: number;
	readonly first: number;
	readonly server?: string;
	readonly json?: true;
	readonly ramp: number;
	readonly seconds: number;
	readonly system?: string;
	readonly plays?: string;
	readonly tftpPrefix?: string;
	readonly option97?: string;
	readonly tryboot?: true;
	readonly netconsole?: true;
	readonly dhcpPort?: number;
	readonly tftpPort?: number;
	readonly nfsPort?: number;
	readonly portmapPort?: number;
}

const MODELS =
	"pi1b, pi2b, pi3b, pi3bp, pi4, pi400, cm4, pi5, pi500, cm5 ...; with the date of a bootloader (pi4-2021-04), several (pi4,pi5), mixed or all";

export function addSimulate(program: Command, terminal: Terminal, setExitCode: (code: number) => void): void {
	addClientFlags(program.command("simulate").description("boot virtual Pis from the running server"))
		.option("--model <model>", MODELS, "pi4")
		.option("--count <number>", "how many, powered on at once", number(1, 1000), 1)
		.option("--first <number>", "the number of the first one: each is a Pi of its own", number(1, 1000), 1)
		.option("--ramp <seconds>", "from the first power-on to the last", number(0, 3600), 0)
		.option("--seconds <seconds>", "pull the plug of a Pi that has not booted by then", number(1, 3600), 300)
		.option("--tftp-prefix <how>", "as set in the EEPROM: serial, mac, none or string:TEXT")
		.option("--option97 <how>", "as set in the EEPROM: serial, or four letters")
		.option("--netconsole", "the bootloader sends its own log, which the server shows")
		.option("--tryboot", "the Pi reads tryboot.txt in place of config.txt")
		.option("--system <name>", "asks DHCP again once it runs: networkmanager, networkd or dhcpcd")
		.option("--plays <failure>", "what goes wrong with it (`--plays list` shows all)")
		.option("--server <address>", "address of the server (default: the host of --url)")
		.option("--dhcp-port <port>", "DHCP (default: the one that the server uses)", number(1, 65535))
		.option("--tftp-port <port>", "TFTP, likewise", number(1, 65535))
		.option("--nfs-port <port>", "NFS, likewise", number(1, 65535))
		.option("--portmap-port <port>", "portmapper, likewise", number(1, 65535))
		.option("--json", "as JSON")
		.action(async (flags: SimulateFlags) => {
			const simulator = await loadSimulator();
			if (flags.plays === "list") return terminal.out(playLines(simulator));
			setExitCode(await simulator.runSimulation(await simulationOptions(flags, terminal, simulator)));
		});
}

async function simulationOptions(
	flags: SimulateFlags,
	terminal: Terminal,
	simulator: Simulator,
): Promise<SimulationOptions> {
	const chosen = readChosen(flags, simulator);
	const client = clientOptions(flags, terminal);
	const { services } = await call(client, "getHealth");
	return {
		server: flags.server ?? new URL(client.url).hostname,
		model: flags.model,
		count: flags.count,
		first: flags.first,
		ports: {
			dhcp: flags.dhcpPort ?? services.dhcp.port,
			tftp: flags.tftpPort ?? services.tftp.port,
			portmap: flags.portmapPort ?? services.portmap.port,
			nfs: flags.nfsPort ?? services.nfs.port,
		},
		json: flags.json ?? false,
		ramp: flags.ramp,
		patience: flags.seconds,
		...chosen,
	};
}

function playLines({ playList }: Simulator): string {
	return playList.map(([name, does]) => `${name.padEnd(16)}${does}\n`).join("");
}

/** Before the server is asked for anything. */
function readChosen(
	flags: SimulateFlags,
	simulator: Simulator,
): Pick<SimulationOptions, "settings" | "system" | "play"> {
	const { tftpPrefix, option97, tryboot = false, netconsole = false } = flags;
	try {
		simulator.chooseModels(flags.model);
		const settings = simulator.readSettings({ "tftp-prefix": tftpPrefix, option97, tryboot, netconsole });
		return { settings, system: simulator.readSystem(flags.system), play: simulator.readPlay(flags.plays) };
	} catch (error) {
		throw new CommandError(exitCodes.usage, errorText(error), { cause: error });
	}
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
	return typeof loaded === "object" && loaded !== null && "runSimulation" in loaded && "readSettings" in loaded;
}

function number(least: number, most: number): (text: string) => number {
	return (text) => {
		const value = Number(text);
		if (Number.isInteger(value) && value >= least && value <= most) return value;
		throw new InvalidArgumentError(`Expected a whole number from ${least} to ${most}.`);
	};
}
