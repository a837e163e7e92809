/**
 * The bootloader's own log over the network (NETCONSOLE in its EEPROM). A real one sends from a made-up address as soon as its
 * link is up; a virtual Pi has no address to send from before DHCP, so it says then what it has kept until then.
 */
import { type Identity, type Model, shortSerial } from "./board.ts";
import type { DhcpPort, Network } from "./network.ts";

export class Netconsole {
	readonly #network: Network;
	#kept: string[];
	#port: DhcpPort | undefined;

	constructor(network: Network, { revision }: Model, identity: Identity) {
		this.#network = network;
		this.#kept = [
			`BOOTMODE: 0x02 partition 0 build-ts BUILD_TIMESTAMP=1681903226 serial ${shortSerial(identity)} boardrev ${revision.toString(16)}`,
			`NET_BOOT: ${identity.mac.toLowerCase()} wait for link TFTP: 0.0.0.0`,
		];
	}

	/** It has an address, and says what it kept. */
	async open(): Promise<void> {
		this.#port ??= await this.#network.openNetconsole();
		for (const line of this.#kept.splice(0)) this.say(line);
	}

	say(line: string): void {
		if (this.#port === undefined) this.#kept.push(line);
		else this.#port.socket.send(Buffer.from(`${line}\r\n`), this.#port.port, this.#port.address);
	}

	async close(): Promise<void> {
		await this.#port?.close();
		this.#port = undefined;
	}
}
