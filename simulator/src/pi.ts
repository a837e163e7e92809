/** A boot of a virtual Pi, from power-on to a root that can be read. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Identity, Model } from "./board.ts";
import { type LinuxDhcpStyle, SYSTEMS } from "./dhcp-linux.ts";
import { BootError, errorText } from "./errors.ts";
import { Firmware, type FirmwareTiming } from "./firmware.ts";
import { bootKernel, type KernelOptions, type KernelTiming, type RootFindings, systemDhcp } from "./kernel.ts";
import type { Network } from "./network.ts";
import { beginsAnew, type Play } from "./plays.ts";
import { type BootReport, type BootStep, Journal } from "./report.ts";
import { plainName, saveFiles } from "./save.ts";
import type { EepromSettings } from "./settings.ts";

export interface BootOptions {
	readonly model: Model;
	readonly identity: Identity;
	/** Plugged in by the caller, who unplugs it. */
	readonly network: Network;
	/** Stops where the firmware would start the kernel. */
	readonly firmwareOnly?: boolean;
	/** A folder for the files that were fetched, by their names without the serial. */
	readonly saveTo?: string | undefined;
	/** Gives what a file must be, by its name without the serial; undefined where the caller does not know. */
	readonly checkFiles?: ((name: string) => Promise<Buffer | undefined>) | undefined;
	/** What its owner has set in the EEPROM. */
	readonly settings?: EepromSettings | undefined;
	/** The program that asks DHCP once more when the system runs; left out where the system keeps what the kernel got. */
	readonly system?: LinuxDhcpStyle | undefined;
	/** Throws away what no program of the boot reads, once it is counted. */
	readonly discard?: boolean | undefined;
	/** Whether a bootloader that nobody answered begins again, as BOOT_ORDER has it do, and does not end as a boot that failed. */
	readonly startsOver?: boolean | undefined;
	/** What goes wrong with it; some of that goes on until the plug is pulled. */
	readonly play?: Play | undefined;
	readonly timing?: BootTiming;
	readonly onStep?: (step: BootStep) => void;
	readonly signal?: AbortSignal | undefined;
}

export interface BootTiming {
	readonly firmware: FirmwareTiming;
	readonly kernel: KernelTiming;
}

/** The bootloader's DHCP_REQ_TIMEOUT, DHCP_TIMEOUT and TFTP_FILE_TIMEOUT, and what the kernel and klibc have. */
export const REAL_TIMING: BootTiming = {
	firmware: { dhcp: { retry: 4000, total: 45_000 }, tftp: { retry: 2000, file: 30_000 } },
	kernel: {
		dhcp: { retry: 5000, tries: 6 },
		nfs: { jukebox: 5000, jukeboxRetries: 6 },
		call: 20_000,
		udpRetry: 1000,
		udpCall: 5000,
	},
};

/** Milliseconds that a Pi takes to begin anew. */
const RESTART = 1000;

/** Boots once. A boot that fails is a report with `ok: false`; it rejects for a defect of the simulator only. */
export async function bootPi(options: BootOptions): Promise<BootReport> {
	const journal = new Journal({ onStep: options.onStep, signal: options.signal });
	for (;;) {
		const outcome = await bootOnce(options, journal);
		if (outcome.error === undefined || !beginsAnew(options.play) || journal.isStopped) return report(journal, outcome);
		await sleep(RESTART);
	}
}

async function bootOnce(options: BootOptions, journal: Journal): Promise<Outcome> {
	const { model, identity, network, settings, discard, startsOver, play } = options;
	const timing = options.timing?.firmware ?? REAL_TIMING.firmware;
	const own = { settings, discard, startsOver, play };
	const firmware = new Firmware({ model, identity, network, journal, timing, ...own });
	let findings: RootFindings | undefined;
	let error: string | undefined;
	try {
		if (play?.failure === "own-disk") await bootOwnDisk(options, journal);
		else findings = await bootFromNetwork(firmware, journal, options);
		const runs = findings !== undefined || play?.failure === "own-disk";
		journal.step("done", runs ? "the system runs" : "the kernel would start now");
	} catch (cause) {
		if (cause instanceof TypeError) throw cause;
		error = errorText(cause);
		journal.step("failed", error);
	}
	return { firmware, findings, error };
}

/** @returns what is in the root; undefined where no kernel is to start. */
async function bootFromNetwork(
	firmware: Firmware,
	journal: Journal,
	options: BootOptions,
): Promise<RootFindings | undefined> {
	const cmdline = await bootFirmware(firmware, journal, options);
	if (options.firmwareOnly === true) return undefined;
	const kernel = kernelOptions(options, journal, cmdline, firmware.loaded.initramfs !== undefined);
	const findings = await bootKernel(kernel);
	if (options.system !== undefined) await systemDhcp(kernel, options.system);
	return findings;
}

/** All that the network sees of it is a system that asks for an address. */
async function bootOwnDisk(options: BootOptions, journal: Journal): Promise<void> {
	const [stock] = SYSTEMS;
	const system = options.system ?? stock;
	if (system !== undefined) await systemDhcp(kernelOptions(options, journal, "", false), system);
}

function kernelOptions(
	{ identity, network, timing = REAL_TIMING, play, signal }: BootOptions,
	journal: Journal,
	cmdline: string,
	hasInitramfs: boolean,
): KernelOptions {
	return { identity, network, journal, timing: timing.kernel, cmdline, hasInitramfs, play, signal };
}

/** @returns the command line that the kernel gets. */
async function bootFirmware(firmware: Firmware, journal: Journal, options: BootOptions): Promise<string> {
	await firmware.model.boot(firmware).finally(() => firmware.end());
	if (options.saveTo !== undefined) await saveFiles(options.saveTo, journal.files, firmware.ownPrefix);
	if (options.checkFiles !== undefined) await checkFiles(firmware, journal, options.checkFiles);
	const { deviceTree, cmdline } = firmware.loaded;
	if (deviceTree !== true) throw new BootError("the server has no device tree for this Pi, and no kernel runs without");
	if (cmdline === undefined) throw new BootError("the server has no cmdline.txt: the kernel would not find its root");
	return commandLine(cmdline);
}

/** The firmware takes the first line. */
function commandLine(cmdline: Buffer): string {
	return (cmdline.toString("latin1").split(/[\r\n]/, 1)[0] ?? "").trim();
}

async function checkFiles(
	firmware: Firmware,
	journal: Journal,
	expected: (name: string) => Promise<Buffer | undefined>,
): Promise<void> {
	for (const [asked, content] of journal.files) {
		const right = await expected(plainName(asked, firmware.ownPrefix));
		if (right === undefined || right.equals(content)) continue;
		const at = content.findIndex((byte, index) => byte !== right[index]);
		throw new BootError(
			`${asked} came wrong: ${content.length} bytes, expected ${right.length}; the first difference is at ${at < 0 ? content.length : at}`,
		);
	}
}

interface Outcome {
	readonly firmware: Firmware;
	readonly findings: RootFindings | undefined;
	readonly error: string | undefined;
}

function report(journal: Journal, { firmware, findings, error }: Outcome): BootReport {
	const { model, identity, loaded } = firmware;
	return {
		model: model.name,
		mac: identity.mac,
		serial: identity.serial,
		address: journal.ownAddress,
		serverAddress: journal.serverAddress,
		steps: journal.steps,
		addresses: [...journal.addresses],
		files: journal.files,
		sizes: journal.sizes,
		cmdline: loaded.cmdline && commandLine(loaded.cmdline),
		config: journal.files.get(`${firmware.prefix}${firmware.configName}`)?.toString("latin1"),
		kernelName: loaded.kernel,
		initramfsName: loaded.initramfs,
		osRelease: findings?.osRelease,
		hostname: findings?.hostname,
		rootEntries: findings?.entries,
		ok: error === undefined,
		error,
	};
}
