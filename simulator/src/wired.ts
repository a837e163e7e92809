/**
 * A virtual Pi on a real interface, as root: meant for a network namespace of its own, whose interface has no address.
 *
 * A plain socket must send from 0.0.0.0 and hear a reply that goes to an address which the Pi does not have yet. Three
 * settings make Linux do it while DHCP runs: a default route into the interface, so that 255.255.255.255 has a way out and no
 * source address; a rule that takes whatever comes in by the interface for local; and arp_ignore, so that this rule does
 * not make the Pi answer for everybody's address.
 */
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import type { Socket } from "node:net";
import { promisify } from "node:util";
import { ANY, prefixLength } from "./addresses.ts";
import { BootError } from "./errors.ts";
import { type DhcpPort, type Lease, NETCONSOLE_PORTS, type Network, type ServerPorts } from "./network.ts";
import { connectTcp, openUdpFrom } from "./sockets.ts";
import { UdpPort } from "./udp.ts";

const execute = promisify(execFile);

/** Routing table of the rule. */
const TABLE = "6700";
const BROADCAST = "255.255.255.255";
const DHCP_CLIENT_PORT = 68;
const CONNECT_TIMEOUT = 10_000;
/** Linux's ip-sysctl: "8 - do not reply for all local addresses". */
const ARP_IGNORE_ALL = "8";

export interface WiredOptions {
	readonly name: string;
	readonly mac: string;
	readonly ports: ServerPorts;
	readonly signal?: AbortSignal | undefined;
}

export class WiredNetwork implements Network {
	readonly needsLease = true;
	readonly ports: ServerPorts;
	readonly #name: string;
	readonly #signal: AbortSignal | undefined;
	#lease: Lease | undefined;

	private constructor(options: WiredOptions) {
		this.#name = options.name;
		this.ports = options.ports;
		this.#signal = options.signal;
	}

	/**
	 * Brings the interface up with the Pi's MAC.
	 * @throws BootError when the interface has an address: it is somebody's, and a Pi would take it away.
	 */
	static async open(options: WiredOptions): Promise<WiredNetwork> {
		const network = new WiredNetwork(options);
		const { name, mac } = options;
		const used = (await ip("-4", "-o", "addr", "show", "dev", name)).trim();
		if (used !== "") {
			throw new BootError(`${name} has an address already (${used}); a virtual Pi needs an interface of its own`);
		}
		const current = (await readFile(`/sys/class/net/${name}/address`, "utf8")).trim();
		if (current !== mac.toLowerCase()) await ip("link", "set", name, "address", mac);
		await ip("link", "set", name, "up");
		return network;
	}

	get address(): string | undefined {
		return this.#lease?.address;
	}

	async openDhcp(ttl: number): Promise<DhcpPort> {
		await this.#forget();
		const restore = await this.#openEars();
		try {
			const options = { address: ANY, port: DHCP_CLIENT_PORT, broadcast: true, ttl, signal: this.#signal };
			const socket = await UdpPort.open(options);
			const close = async () => {
				await socket.close();
				await restore();
			};
			return { socket, address: BROADCAST, port: this.ports.dhcp, close };
		} catch (error) {
			await restore();
			throw error;
		}
	}

	/** @returns what takes the three settings back. */
	async #openEars(): Promise<() => Promise<void>> {
		const before = await readFile(this.#arpIgnore, "utf8");
		await writeFile(this.#arpIgnore, "1");
		await ip("route", "replace", "default", "dev", this.#name, "metric", "9999");
		await ip("route", "replace", "local", "0.0.0.0/0", "dev", "lo", "table", TABLE);
		await ip("rule", "add", "iif", this.#name, "lookup", TABLE);
		return async () => {
			await ip("rule", "del", "iif", this.#name, "lookup", TABLE);
			await ip("route", "flush", "table", TABLE);
			await ip("route", "del", "default", "dev", this.#name, "metric", "9999");
			await writeFile(this.#arpIgnore, before);
		};
	}

	async configure(lease: Lease): Promise<void> {
		await this.#forget();
		await ip("addr", "add", `${lease.address}/${prefixLength(lease.mask)}`, "brd", "+", "dev", this.#name);
		this.#lease = lease;
		if (lease.router !== undefined) await ip("route", "replace", "default", "via", lease.router, "dev", this.#name);
	}

	async #forget(): Promise<void> {
		if (this.#lease === undefined) return;
		this.#lease = undefined;
		await ip("addr", "flush", "dev", this.#name);
	}

	async answerArp(answers: boolean): Promise<void> {
		await writeFile(this.#arpIgnore, answers ? "0" : ARP_IGNORE_ALL);
	}

	get #arpIgnore(): string {
		return `/proc/sys/net/ipv4/conf/${this.#name}/arp_ignore`;
	}

	async openNetconsole(): Promise<DhcpPort> {
		const { from: port, to } = NETCONSOLE_PORTS;
		const options = { address: this.#ownAddress(), port, broadcast: true, signal: this.#signal };
		const socket = await UdpPort.open(options);
		return { socket, address: BROADCAST, port: to, close: () => socket.close() };
	}

	udp(port: number, ttl: number): Promise<UdpPort> {
		return openUdpFrom(port, { address: this.#ownAddress(), ttl, signal: this.#signal });
	}

	tcp(server: string, port: number): Promise<Socket> {
		const address = this.#ownAddress();
		return connectTcp({
			server,
			port,
			address,
			localPorts: reservedPorts(),
			timeout: CONNECT_TIMEOUT,
			signal: this.#signal,
		});
	}

	#ownAddress(): string {
		if (this.#lease === undefined) throw new BootError("the Pi has no address");
		return this.#lease.address;
	}

	async close(): Promise<void> {
		await this.#forget();
	}
}

/** Ports of root, from 1023 down, as Linux's NFS client takes them (`sunrpc.max_resvport`, `min_resvport`). */
function* reservedPorts(): Generator<number> {
	for (let port = 1023; port >= 665; port--) yield port;
}

async function ip(...words: string[]): Promise<string> {
	try {
		return (await execute("ip", words)).stdout;
	} catch (error) {
		const stderr = error instanceof Error && "stderr" in error ? String(error.stderr).trim() : String(error);
		throw new BootError(`ip ${words.join(" ")}: ${stderr}`, { cause: error });
	}
}
