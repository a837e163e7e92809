/** The root of a device, without a virtual Pi: its command line, fetched by `curl` from the device's own MAC and address. */
import { must } from "./command.ts";
import { type Lab, SERVER_ADDRESS } from "./lab.ts";

export interface PiOnCable {
	readonly mac: string;
	/** Without the length of the prefix. */
	readonly address: string;
	/** 8 hex digits. */
	readonly serial: string;
}

export interface Served {
	readonly cmdline: string;
	/** The path in `nfsroot=`. */
	readonly exportPath: string;
}

let counter = 0;

/** Asks for the configuration, and behind it for the command line, as the firmware does; a boot begins. */
export async function fetchCmdline(lab: Lab, pi: PiOnCable): Promise<Served> {
	const host = `pi${++counter}`;
	await lab.addHost(host, { mac: pi.mac, address: `${pi.address}/24` });
	try {
		const fetch = (name: string) =>
			must(lab.on(host, ["curl", "-sS", "-m", "20", `tftp://${SERVER_ADDRESS}/${pi.serial}/${name}`]));
		await fetch("config.txt");
		const cmdline = (await fetch("cmdline.txt")).trim();
		const exportPath = /nfsroot=[\d.]+:([^,]+),/.exec(cmdline)?.[1];
		if (exportPath === undefined) throw new Error(`no nfsroot in the command line: ${cmdline}`);
		return { cmdline, exportPath };
	} finally {
		await lab.removeHost(host);
	}
}
