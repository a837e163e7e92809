/** A virtual Pi, the program of the simulator, on a host of the lab whose cable is all that it has. */
import { fileURLToPath } from "node:url";
import { Background, run } from "./command.ts";
import type { Lab } from "./lab.ts";

const PROGRAM = fileURLToPath(new URL("../../simulator/src/main.ts", import.meta.url));

export interface VirtualPi {
	/** As the simulator has them: `pi3bp`, `pi4-2021`, ... */
	readonly model: string;
	readonly mac: string;
	/** 8 or 16 hex digits. */
	readonly serial: string;
}

/** What the Pi says of its boot, as far as tests look at it. */
export interface PiReport {
	readonly mac: string;
	readonly ok: boolean;
	readonly error?: string;
	/** What happened, for the message of a test that fails. */
	readonly steps: readonly { readonly atMs: number; readonly step: string; readonly detail: string }[];
	readonly address?: string;
	/** Each address that it had: of its firmware, its kernel and its system. */
	readonly addresses: readonly string[];
	/** Where the boot files came from. */
	readonly serverAddress?: string;
	/** The names of the files that it fetched, as it asked for them. */
	readonly files: readonly string[];
	readonly cmdline?: string;
	readonly kernelName?: string;
	readonly initramfsName?: string;
	readonly osRelease?: Readonly<Record<string, string>>;
	readonly hostname?: string;
	readonly rootEntries?: readonly string[];
}

export interface PowerOn {
	/** A folder for the files that the firmware fetches. */
	readonly saveTo?: string;
	/** Further flags of the simulator: what is set in the EEPROM, what the system is. */
	readonly flags?: readonly string[];
	/** Seconds after which the plug is pulled, 60 if not given. */
	readonly seconds?: number;
}

/** Boots a Pi once. @param host of the lab, which has the Pi's MAC and no address. */
export async function powerOn(lab: Lab, host: string, pi: VirtualPi, options: PowerOn = {}): Promise<PiReport> {
	const words = ["--interface", `${host}0`, "--model", pi.model, "--mac", pi.mac, "--serial", pi.serial, "--json"];
	const save = options.saveTo === undefined ? [] : ["--save-to", options.saveTo];
	// In the foreground it signals once; otherwise a second time to the group, which ends the Pi before it reports.
	words.push(...(options.flags ?? []));
	const limit = ["timeout", "--foreground", "-k", "5", String(options.seconds ?? 60)];
	const { status, stdout, stderr } = await run(lab.on(host, [...limit, process.execPath, PROGRAM, ...words, ...save]));
	if (stdout === "") throw new Error(`the virtual ${pi.model} ended with ${status}: ${stderr}`);
	const report = JSON.parse(stdout);
	return { ...report, files: report.files.map(({ name }: { name: string }) => name) };
}

/** Lets a Pi play a failure until it is switched off (`stop`), or boot with further flags; its story is in the output. */
export function switchOn(lab: Lab, host: string, pi: VirtualPi, flags: readonly string[]): Background {
	const words = ["--interface", `${host}0`, "--model", pi.model, "--mac", pi.mac, "--serial", pi.serial, ...flags];
	return new Background(lab.on(host, [process.execPath, PROGRAM, ...words]));
}

/** Fails with the whole story unless the Pi booted. */
export function assertBooted(report: PiReport): void {
	if (!report.ok) throw new Error(`the Pi does not boot: ${report.error}\n${story(report)}`);
}

/** What happened, in lines. */
export function story({ mac, address, steps }: PiReport): string {
	const lines = steps.map(({ atMs, step, detail }) => `${atMs} ms  ${step}  ${detail}`);
	return [`${mac} at ${address ?? "no address"}`, ...lines].join("\n");
}
