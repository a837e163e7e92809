/** What can be said to the simulator on its command line, besides where it runs: the owner's settings and the system. */
import { isIPv4 } from "node:net";
import { prefixLength } from "./addresses.ts";
import { type LinuxDhcpStyle, SYSTEMS } from "./dhcp-linux.ts";
import { BootError } from "./errors.ts";
import type { Lease } from "./network.ts";
import { type EepromSettings, parseOption97, parsePrefix } from "./settings.ts";

/** As they are typed. */
export interface SettingFlags {
	readonly "tftp-prefix"?: string | undefined;
	readonly option97?: string | undefined;
	readonly "tftp-ip"?: string | undefined;
	readonly "client-ip"?: string | undefined;
	readonly subnet?: string | undefined;
	readonly gateway?: string | undefined;
	readonly tryboot?: boolean | undefined;
	readonly netconsole?: boolean | undefined;
}

/** @throws BootError with a sentence for what a bootloader would not take. */
export function readSettings(flags: SettingFlags): EepromSettings {
	const { "tftp-prefix": prefix, option97, "tftp-ip": tftpServer } = flags;
	return {
		prefix: prefix === undefined ? undefined : parsePrefix(prefix),
		option97: option97 === undefined ? undefined : parseOption97(option97),
		tftpServer: tftpServer === undefined ? undefined : address("tftp-ip", tftpServer),
		client: readClient(flags),
		tryboot: flags.tryboot === true ? true : undefined,
		netconsole: flags.netconsole === true ? true : undefined,
	};
}

/** The bootloader asks DHCP unless all of CLIENT_IP, SUBNET, GATEWAY and TFTP_IP are set. */
function readClient(flags: SettingFlags): Lease | undefined {
	const { "client-ip": clientIp, subnet, gateway, "tftp-ip": tftpIp } = flags;
	if (clientIp === undefined && subnet === undefined && gateway === undefined) return undefined;
	if (clientIp === undefined || subnet === undefined || gateway === undefined || tftpIp === undefined) {
		throw new BootError("a boot without DHCP needs --client-ip, --subnet, --gateway and --tftp-ip");
	}
	prefixLength(subnet);
	return { address: address("client-ip", clientIp), mask: subnet, router: address("gateway", gateway) };
}

function address(flag: string, text: string): string {
	if (isIPv4(text)) return text;
	throw new BootError(`--${flag} ${text}: expected an IPv4 address`);
}

/** @param name of a program that does DHCP in a running system; undefined for none. */
export function readSystem(name: string | undefined): LinuxDhcpStyle | undefined {
	if (name === undefined) return undefined;
	const found = SYSTEMS.find((system) => system.name === name);
	if (found !== undefined) return found;
	throw new BootError(`--system ${name}: expected ${SYSTEMS.map((system) => system.name).join(", ")}`);
}
