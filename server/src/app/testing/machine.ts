/** A machine whose interfaces, addresses and files a test decides. */
import assert from "node:assert/strict";
import type { InterfaceSource } from "../../net/index.ts";

export type Addresses = ReturnType<InterfaceSource["addresses"]>;

export function ipv4(address: string, netmask: string, internal = false) {
	const mac = internal ? "00:00:00:00:00:00" : "02:00:00:00:00:01";
	return [{ address, netmask, family: "IPv4" as const, mac, internal, cidr: null }];
}

export const LO: Addresses = { lo: ipv4("127.0.0.1", "255.0.0.0", true) };

export const TWO: Addresses = {
	...LO,
	eth0: ipv4("192.0.2.5", "255.255.255.0"),
	eth1: ipv4("10.1.128.1", "255.255.128.0"),
};

/** The cables eth0 to eth2 are there whether they have an address or not; eth0 has the default route. */
export function machine(addresses: Addresses) {
	const files = new Map<string, string>([
		...["eth0", "eth1", "eth2"].map((name) => [`/sys/class/net/${name}/type`, "1\n"] as const),
		["/proc/net/route", "Iface\tDestination\neth0\t00000000\t010200C0\t0003\t0\t0\t100\t00000000\n"],
	]);
	const state = { addresses, files };
	const source: InterfaceSource = {
		platform: "linux",
		addresses: () => state.addresses,
		read: async (path) => files.get(path),
		list: async (path) => {
			if (path === "/sys/class/net") return ["lo", "eth0", "eth1", "eth2"];
			return /\/eth\d$/.test(path) ? ["device", "type"] : [];
		},
		run: async () => assert.fail("no program is run on Linux"),
	};
	return { state, source };
}

/** Lets what waits for the machine's answers end. */
export async function settled(): Promise<void> {
	for (let turn = 0; turn < 8; turn++) await new Promise((resolve) => setImmediate(resolve));
}
