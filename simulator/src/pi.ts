/** A boot of a virtual Pi, from power-on to a root that can be read. */
import type { Identity, Model } from "./board.ts";
import { BootError, errorText } from "./errors.ts";
import { Firmware, type FirmwareTiming } from "./firmware.ts";
import type { Network } from "./network.ts";
import { type BootReport, type BootStep, Journal } from "./report.ts";
import { saveFiles } from "./save.ts";

export interface BootOptions {
	readonly model: Model;
	readonly identity: Identity;
	/** Plugged in by the caller, who unplugs it. */
	readonly network: Network;
	/** Stops where the firmware would start the kernel. */
	readonly firmwareOnly?: boolean;
	/** A folder for the files that were fetched, by their names without the serial. */
	readonly saveTo?: string | undefined;
	/** What a fetched file must be; undefined where the caller does not know. `name` has no serial in it. */
	readonly checkFile?: ((name: string, content: Buffer) => Promise<string | undefined>) | undefined;
	readonly timing?: FirmwareTiming;
	readonly onStep?: (step: BootStep) => void;
	readonly signal?: AbortSignal | undefined;
}

/** The timers of all firmware: docs of the bootloader, DHCP_TIMEOUT, DHCP_REQ_TIMEOUT, TFTP_FILE_TIMEOUT. */
export const FIRMWARE_TIMING: FirmwareTiming = {
	dhcp: { retry: 4000, total: 45_000 },
	tftp: { retry: 2000, file: 30_000 },
};

/** Boots once. A boot that fails is a report with `ok: false`; it never rejects but for a defect of the simulator. */
export async function bootPi(options: BootOptions): Promise<BootReport> {
	const { model, identity, network, signal } = options;
	const journal = new Journal({ onStep: options.onStep, signal });
	const timing = options.timing ?? FIRMWARE_TIMING;
	const firmware = new Firmware({ model, identity, network, journal, timing });
	let error: string | undefined;
	try {
		await bootFirmware(firmware, journal, options);
		journal.step("done", "the firmware starts the kernel");
	} catch (cause) {
		if (cause instanceof TypeError) throw cause;
		error = errorText(cause);
		journal.step("failed", error);
	}
	return report(firmware, journal, error);
}

async function bootFirmware(firmware: Firmware, journal: Journal, options: BootOptions): Promise<void> {
	await firmware.model.boot(firmware);
	if (options.saveTo !== undefined) await saveFiles(options.saveTo, journal.files, firmware.ownPrefix);
	const { loaded } = firmware;
	if (loaded.deviceTree !== true)
		throw new BootError("the server has no device tree for this Pi: no kernel runs without");
	if (loaded.cmdline === undefined)
		throw new BootError("the server has no cmdline.txt: the kernel would not find its root");
}

function report(firmware: Firmware, journal: Journal, error: string | undefined): BootReport {
	const { model, identity, loaded } = firmware;
	return {
		model: model.name,
		mac: identity.mac,
		serial: identity.serial,
		address: journal.ownAddress,
		serverAddress: journal.serverAddress,
		steps: journal.steps,
		files: journal.files,
		cmdline: loaded.cmdline?.toString("latin1").trim(),
		config: journal.files.get(`${firmware.prefix}config.txt`)?.toString("latin1"),
		kernelName: loaded.kernel,
		initramfsName: loaded.initramfs,
		osRelease: undefined,
		hostname: undefined,
		rootEntries: undefined,
		ok: error === undefined,
		error,
	};
}
