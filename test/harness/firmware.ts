/** The firmware of a Pi, played by a virtual one in a namespace of its own: what a guest's kernel is then started with. */
import { mkdtemp, readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { must, run } from "./command.ts";
import type { Lab } from "./lab.ts";

const SIMULATOR = fileURLToPath(new URL("../../simulator/src/main.ts", import.meta.url));

export interface FirmwareOptions {
	readonly model: string;
	readonly mac: string;
	/** 8 hex digits. */
	readonly serial: string;
}

export interface FirmwareResult {
	/** Where the fetched files are, by their names without the serial. */
	readonly folder: string;
	readonly cmdline: string;
	/** `config.txt` as it was served. */
	readonly config: string;
	/** What was fetched. */
	readonly names: readonly string[];
	/** The path in `nfsroot=`. */
	readonly exportPath: string;
}

let counter = 0;

/** Powers a virtual Pi on until it would start the kernel. Its cable is pulled again afterwards. */
export async function runFirmware(lab: Lab, options: FirmwareOptions): Promise<FirmwareResult> {
	const host = `fw${++counter}`;
	const folder = await mkdtemp(join(tmpdir(), "firmware-"));
	await lab.addHost(host, { mac: options.mac });
	try {
		const command = [process.execPath, SIMULATOR, "--interface", `${host}0`, "--firmware-only", "--save-to", folder];
		command.push("--model", options.model, "--mac", options.mac, "--serial", options.serial);
		await must(lab.on(host, command), { timeout: 120_000 });
	} finally {
		await lab.removeHost(host);
	}
	const cmdline = (await readFile(join(folder, "cmdline.txt"), "utf8")).trim();
	const exportPath = /nfsroot=[\d.]+:([^,]+),/.exec(cmdline)?.[1];
	if (exportPath === undefined) throw new Error(`no nfsroot in the command line: ${cmdline}`);
	const config = await readFile(join(folder, "config.txt"), "utf8");
	return { folder, cmdline, config, names: await readdir(folder), exportPath };
}

/** Removes what `runFirmware` saved. */
export async function removeFirmware(result: FirmwareResult): Promise<void> {
	await run(["rm", "-rf", result.folder]);
}
