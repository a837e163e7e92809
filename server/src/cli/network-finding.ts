/** Where the server would be reached, as `pi-netboot doctor` tells it. */
import type { Config } from "../config.ts";
import { interfaceNames, type ServedInterface } from "../net/index.ts";
import { type Finding, finding } from "./finding.ts";

type Asked = Pick<Config, "interface" | "serverIp">;

/** @param served what the settings come to on this machine. */
export async function networkFinding(asked: Asked, served: readonly ServedInterface[]): Promise<Finding> {
	const [first] = served;
	if (first === undefined) return nowhereFinding(asked);
	const names = served.map(({ interface: { name, kind }, address }) => `${address} on ${name} (${kind})`).join(", ");
	const kinds = new Set(served.map(({ interface: { kind } }) => kind));
	if (kinds.has("loopback") && kinds.size === 1) {
		return finding("note", "network", `only ${names}: virtual Pis can boot, real ones not`);
	}
	if (kinds.has("wireless") && kinds.size === 1) return finding("note", "network", `${names}. ${ONLY_WIFI}`);
	return finding("good", "network", names);
}

const ONLY_WIFI =
	"That is Wi-Fi alone, and Pis boot over a cable alone: plug theirs into the router of this Wi-Fi. Where that router keeps Wi-Fi and cables apart, or it is slow, give this machine a cable too";

/** The server waits for an address; an interface that is not there at all is a mistake. */
async function nowhereFinding({ interface: name, serverIp }: Asked): Promise<Finding> {
	const names = await interfaceNames();
	if (name !== undefined && !names.includes(name)) {
		return finding("bad", "network", `there is no interface ${name}; there are ${names.join(", ")}`, ["ip link"]);
	}
	if (serverIp !== undefined) {
		return finding("bad", "network", `this machine does not have the address ${serverIp}`, ["ip -4 address"]);
	}
	const what = name === undefined ? "no interface has" : `${name} does not have`;
	return finding("bad", "network", `${what} an IPv4 address yet: the server waits for one`, ["ip -4 address"]);
}
