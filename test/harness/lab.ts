/**
 * A network of its own, out of namespaces: a switch (bridge), a server and a home router. Nothing in it has a route outside.
 * Needs root and iproute2.
 */
import { must, run } from "./command.ts";

/** The lab's addresses. */
export const SERVER_ADDRESS = "10.77.0.1";
export const ROUTER_ADDRESS = "10.77.0.254";

/** What is plugged in where. */
export interface Plug {
	readonly mac: string;
	/** With its prefix length: 10.77.0.1/24. */
	readonly address?: string;
	/** The switch; `br0` if not given. */
	readonly bridge?: string;
}

export class Lab {
	/** The namespace of the switch: the bridge is `br0`. */
	readonly name: string;
	#hosts: string[] = [];
	/** The switch's end of each cable, by the host's. */
	readonly #ports = new Map<string, string>();
	#next = 0;

	private constructor(name: string) {
		this.name = name;
	}

	/** Makes the switch, the server's namespace (`srv0`, 10.77.0.1) and the router's (`rtr0`, 10.77.0.254). */
	static async create(): Promise<Lab> {
		const lab = new Lab(`pn${process.pid}`);
		await lab.#namespace(lab.name);
		await lab.addSwitch("br0");
		await lab.addHost("srv", { mac: "02:00:00:00:00:01", address: `${SERVER_ADDRESS}/24` });
		await lab.addHost("rtr", { mac: "02:00:00:00:00:fe", address: `${ROUTER_ADDRESS}/24` });
		return lab;
	}

	async #namespace(name: string): Promise<void> {
		await must(["ip", "netns", "add", name]);
		await must(["ip", "-n", name, "link", "set", "lo", "up"]);
	}

	/** The namespace of a host. */
	host(host: string): string {
		return `${this.name}-${host}`;
	}

	/** Makes another switch, for a network of its own. */
	async addSwitch(name: string): Promise<void> {
		await must(["ip", "-n", this.name, "link", "add", name, "type", "bridge", "forward_delay", "0", "stp_state", "0"]);
		await must(["ip", "-n", this.name, "link", "set", name, "up"]);
	}

	/** Plugs a host into the switch, with an interface `HOST0`; without an address it has only its cable. */
	async addHost(host: string, plug: Plug): Promise<void> {
		await this.#namespace(this.host(host));
		this.#hosts.push(this.host(host));
		await this.addCable(host, `${host}0`, plug);
	}

	/** Gives a host one more interface, with a cable to a switch. */
	async addCable(host: string, device: string, options: Plug): Promise<void> {
		const namespace = this.host(host);
		const port = `v${this.#next++}`;
		this.#ports.set(device, port);
		await must([
			"ip",
			"-n",
			this.name,
			"link",
			"add",
			port,
			"type",
			"veth",
			"peer",
			"name",
			device,
			"netns",
			namespace,
		]);
		await must(["ip", "-n", this.name, "link", "set", port, "master", options.bridge ?? "br0", "up"]);
		await must(["ip", "-n", namespace, "link", "set", device, "address", options.mac, "up"]);
		if (options.address !== undefined) {
			await must(["ip", "-n", namespace, "addr", "add", options.address, "brd", "+", "dev", device]);
		}
		// without this UDP checksums stay unfilled, and a guest's DHCP client drops what it gets
		await run(["ip", "netns", "exec", namespace, "ethtool", "-K", device, "tx", "off"]);
	}

	/** Lets no more than so many Mbit/s come to a host, by its interface; all of them again without a number. */
	async limit(device: string, mbits?: number): Promise<void> {
		const words = ["tc", "-n", this.name, "qdisc", mbits === undefined ? "del" : "replace", "dev"];
		const port = this.#ports.get(device) ?? device;
		const rate = mbits === undefined ? [] : ["tbf", "rate", `${mbits}mbit`, "burst", "128kb", "latency", "50ms"];
		await must([...words, port, "root", ...rate]);
	}

	/** Unplugs a host and takes its namespace away. */
	async removeHost(host: string): Promise<void> {
		await this.#removeNamespace(this.host(host));
		this.#hosts = this.#hosts.filter((namespace) => namespace !== this.host(host));
	}

	/** Makes a tap on the switch, for a guest. */
	async addTap(name: string): Promise<void> {
		await must(["ip", "-n", this.name, "tuntap", "add", name, "mode", "tap"]);
		await must(["ip", "-n", this.name, "link", "set", name, "master", "br0", "up"]);
	}

	async removeTap(name: string): Promise<void> {
		await run(["ip", "-n", this.name, "link", "del", name]);
	}

	/** The command that runs another command on a host (`srv`, `rtr`, ...) or on the switch (`""`). */
	on(host: string, command: readonly string[]): string[] {
		return ["ip", "netns", "exec", host === "" ? this.name : this.host(host), ...command];
	}

	/** Takes it all down, with what still runs in it. */
	async remove(): Promise<void> {
		for (const namespace of [...this.#hosts, this.name]) await this.#removeNamespace(namespace);
	}

	async #removeNamespace(namespace: string): Promise<void> {
		const pids = await run(["ip", "netns", "pids", namespace]);
		for (const pid of pids.stdout.split("\n").filter((line) => line !== "")) await run(["kill", "-9", pid]);
		await run(["ip", "netns", "del", namespace]);
	}
}
