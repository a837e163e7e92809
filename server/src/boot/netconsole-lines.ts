/** Lines out of what a bootloader sends over the network (`NETCONSOLE` in its configuration), and whose they are. */

/** Longer lines are cut in two. */
const LINE_MAX = 500;

/** Puts lines together out of datagrams, which begin and end anywhere. What is no printable ASCII is shown as its code. */
export class LineAssembler {
	#pending = "";

	/** @returns the lines that are whole now. */
	take(bytes: Uint8Array): string[] {
		const parts = (this.#pending + Buffer.from(bytes).toString("latin1")).split(/\r*\n/);
		this.#pending = parts.pop() ?? "";
		while (this.#pending.length > LINE_MAX) {
			parts.push(this.#pending.slice(0, LINE_MAX));
			this.#pending = this.#pending.slice(LINE_MAX);
		}
		return parts.flatMap(pieces).map(clean).filter(isSaid);
	}

	/** What has no end yet. */
	flush(): string[] {
		const rest = clean(this.#pending);
		this.#pending = "";
		return isSaid(rest) ? [rest] : [];
	}
}

function pieces(line: string): string[] {
	return line.match(/.{1,500}/gs) ?? [];
}

function clean(line: string): string {
	return line
		.replaceAll("\t", "    ")
		.replaceAll(/[^\x20-\x7e]/g, (sign) => `\\x${sign.charCodeAt(0).toString(16).padStart(2, "0")}`)
		.trimEnd();
}

function isSaid(line: string): boolean {
	return line !== "";
}

/** What a line tells of the Pi that sends it. */
export type Clue =
	| { readonly kind: "serial"; readonly serial: string }
	| { readonly kind: "mac"; readonly mac: string }
	| { readonly kind: "address"; readonly address: string }
	/** The bootloader begins: another Pi may be sending from this address now. */
	| { readonly kind: "begin" };

/**
 * As the bootloaders of the Pi 4 and Pi 5 have it. The older ones name the serial behind the time of their build:
 *
 *     RPi: BOOTLOADER release VERSION:c258ef8f DATE: Jul  6 2021 ... BUILD_TIMESTAMP=1625568293 0x97533126 0x00c03140
 *     BOOTMODE: 0x06 partition 0 build-ts BUILD_TIMESTAMP=1681903226 serial c9c5bcb3 boardrev c03114
 *     NET_BOOT: dc:a6:32:b8:04:5c wait for link TFTP: 0.0.0.0
 *     NET 192.168.1.17 255.255.255.0 gw 0.0.0.0 tftp 192.168.1.3
 */
export function clueOf(line: string): Clue | undefined {
	const serial =
		/\bserial ([0-9a-f]{8,16})\b/.exec(line)?.[1] ?? /\bBUILD_TIMESTAMP=\d+ 0x([0-9a-f]{8}) /.exec(line)?.[1];
	if (serial !== undefined) return { kind: "serial", serial: serial.slice(-8) };
	const mac = /\bNET_BOOT: ((?:[0-9a-f]{2}:){5}[0-9a-f]{2})\b/.exec(line)?.[1];
	if (mac !== undefined) return { kind: "mac", mac };
	const address = /\bNET (\d{1,3}(?:\.\d{1,3}){3}) \d/.exec(line)?.[1];
	if (address !== undefined) return { kind: "address", address };
	return /\bRPi: BOOT(?:LOADER|SYS) /.test(line) ? { kind: "begin" } : undefined;
}
