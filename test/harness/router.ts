/** A home router: dnsmasq with plain DHCP and no boot options, in the lab's router namespace. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Background } from "./command.ts";
import { type Lab, ROUTER_ADDRESS } from "./lab.ts";

export interface RouterOptions {
	/** Where it stands, the lab's router if not given. */
	readonly at?: RouterPlace;
	/** Its upstream DHCP servers, in place of addresses of its own: it relays. */
	readonly relayTo?: readonly string[];
	/** How long an address is leased, as dnsmasq says it: `2m`, `1h`. */
	readonly lease?: string;
	/** Addresses that belong to somebody, by MAC. */
	readonly reserved?: Readonly<Record<string, string>>;
	/** Whoever has no address of his own gets no answer. */
	readonly onlyReserved?: boolean;
}

export interface RouterPlace {
	readonly host: string;
	readonly device: string;
	/** Its own address there, in a subnet of 24 bits. */
	readonly address: string;
	/** The subnet that it gives addresses of, as 10.77.20; that of its address if not given. Elsewhere it is relayed. */
	readonly subnet?: string;
}

const HOME: RouterPlace = { host: "rtr", device: "rtr0", address: ROUTER_ADDRESS };

/** What it gives out, or to whom it relays. */
function service(
	{ address, subnet = address.slice(0, address.lastIndexOf(".")) }: RouterPlace,
	options: RouterOptions,
) {
	if (options.relayTo !== undefined) return options.relayTo.map((server) => `dhcp-relay=${address},${server}`);
	return [
		`dhcp-range=${subnet}.50,${subnet}.250,255.255.255.0,${options.lease ?? "1h"}`,
		`dhcp-option=3,${subnet}.254`,
	];
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
		const place = options.at ?? HOME;
		const settings = [
			"port=0",
			"no-resolv",
			"no-hosts",
			"log-dhcp",
			"log-facility=-",
			`interface=${place.device}`,
			"bind-interfaces",
			`dhcp-leasefile=${folder}/leases`,
			...service(place, options),
			"dhcp-authoritative",
			"dhcp-no-override",
			...(options.onlyReserved === true ? ["dhcp-ignore=tag:!known"] : []),
			...Object.entries(options.reserved ?? {}).map(([mac, address]) => `dhcp-host=${mac},${address}`),
		];
		await writeFile(`${folder}/conf`, `${settings.join("\n")}\n`);
		const program = new Background(
			lab.on(place.host, ["dnsmasq", "-k", `--conf-file=${folder}/conf`, "--user=root", "--group=root"]),
		);
		await program.waitFor(/DHCP, sockets bound|DHCP, IP range|DHCP relay from/, 10_000);
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
