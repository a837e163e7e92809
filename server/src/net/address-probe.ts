/**
 * Finds out whether somebody has an address, without raw sockets: a datagram to it makes the kernel ask who has it (ARP), and
 * its neighbour table says who answered.
 */
import type { Socket } from "node:dgram";
import { type Clock, systemClock, systemCode } from "../base/index.ts";
import { IPV4_ANY } from "../wire/dhcp/index.ts";
import { type InterfaceSource, systemSource } from "./interfaces.ts";
import { type Neighbours, readNeighbours } from "./neighbours.ts";
import { bindUdp, closeUdp, connectUdp } from "./udp.ts";

/** Somebody who has the address; `mac` is empty where no neighbour of ours has it: he is behind a router. */
export type AddressHolder = { readonly mac: string } | undefined;

/** A machine on the same wire answers within a few; a Pi's bootloader waits for us for four seconds. */
const PATIENCE_MS = 400;

/** Between two looks at the table. */
const LOOK_MS = 40;

/** The discard port: whoever is there says that nobody listens, or nothing. */
const PORT = 9;

const NO_WAY: ReadonlySet<string> = new Set(["ENETUNREACH", "EHOSTUNREACH", "ENETDOWN", "EACCES"]);

export class AddressProbe {
	readonly #clock: Clock;
	readonly #source: InterfaceSource;
	/** One look serves all who wait. */
	#table: { readonly at: number; readonly read: Promise<Neighbours> } | undefined;

	constructor(clock: Clock = systemClock, source: InterfaceSource = systemSource) {
		this.#clock = clock;
		this.#source = source;
	}

	/**
	 * Looks for somebody else than `mac` at an address. What the table has from before counts too; after our datagram the
	 * kernel finds out within seconds whether it still holds, so that the next look knows better.
	 */
	async find(address: string, mac: string): Promise<AddressHolder> {
		let socket: Socket | undefined;
		let isRefused = false;
		try {
			socket = await bindUdp({ address: IPV4_ANY, port: 0 });
			// "Nobody listens at that port" comes back as an error of the socket: so somebody is there.
			socket.on("error", () => {
				isRefused = true;
			});
			await connectUdp(socket, address, PORT);
			socket.send(Buffer.alloc(1), () => undefined);
			return await this.#wait(address, mac, () => isRefused);
		} catch (error) {
			// Where no way leads, nobody can be found.
			if (!NO_WAY.has(systemCode(error) ?? "")) throw error;
			return undefined;
		} finally {
			if (socket !== undefined) await closeUdp(socket);
		}
	}

	async #wait(address: string, mac: string, isRefused: () => boolean): Promise<AddressHolder> {
		for (let left = PATIENCE_MS; left > 0; left -= LOOK_MS) {
			await new Promise<void>((resolve) => void this.#clock.after(LOOK_MS, resolve));
			const found = (await this.#neighbours()).get(address);
			if (found !== undefined) return found === mac ? undefined : { mac: found };
			if (isRefused()) return { mac: "" };
		}
		return undefined;
	}

	#neighbours(): Promise<Neighbours> {
		const now = this.#clock.monotonic();
		if (this.#table === undefined || now - this.#table.at >= LOOK_MS / 2) {
			this.#table = { at: now, read: readNeighbours(this.#source) };
		}
		return this.#table.read;
	}
}
