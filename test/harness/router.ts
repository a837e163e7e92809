/** A home router: dnsmasq with plain DHCP and no boot options, in the lab's router namespace. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Background } from "./command.ts";
import type { Lab } from "./lab.ts";

export interface RouterOptions {
	/** How long an address is leased, as dnsmasq says it: `2m`, `1h`. */
	readonly lease?: string;
	/** Addresses that belong to somebody, by MAC. */
	readonly reserved?: Readonly<Record<string, string>>;
}

export class Router {
	readonly #program: Background;
	readonly #folder: string;

	private constructor(program: Background, folder: string) {
		this.#program = program;
		this.#folder = folder;
	}

	static async start(lab: Lab, options: RouterOptions = {}): Promise<Router> {
		const folder = await mkdtemp(join(tmpdir(), "router-"));
		const settings = [
			"port=0",
			"no-resolv",
			"no-hosts",
			"log-dhcp",
			"log-facility=-",
			"interface=rtr0",
			"bind-interfaces",
			`dhcp-leasefile=${folder}/leases`,
			`dhcp-range=10.77.0.50,10.77.0.250,255.255.255.0,${options.lease ?? "1h"}`,
			"dhcp-option=3,10.77.0.254",
			"dhcp-authoritative",
			"dhcp-no-override",
			...Object.entries(options.reserved ?? {}).map(([mac, address]) => `dhcp-host=${mac},${address}`),
		];
		await writeFile(`${folder}/conf`, `${settings.join("\n")}\n`);
		const program = new Background(
			lab.on("rtr", ["dnsmasq", "-k", `--conf-file=${folder}/conf`, "--user=root", "--group=root"]),
		);
		await program.waitFor(/DHCP, sockets bound|DHCP, IP range/, 10_000);
		return new Router(program, folder);
	}

	/** What it logged: a line for every DHCP message. */
	get log(): string {
		return this.#program.output;
	}

	async stop(): Promise<void> {
		await this.#program.stop();
		await rm(this.#folder, { recursive: true, force: true });
	}
}
