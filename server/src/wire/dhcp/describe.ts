/** DHCP messages for people: one line for the log, and all of it for a bug report. */
import { IPV4_ANY, ipv4FromBytes, macFromBytes } from "./addresses.ts";
import { BOOTREQUEST, MessageType, OptionCode } from "./constants.ts";
import { type DhcpPacket, textOption } from "./packet.ts";

const TYPE_NAMES = new Map<number, string>(Object.entries(MessageType).map(([name, value]) => [value, name]));
const OPTION_NAMES = new Map<number, string>(Object.entries(OptionCode).map(([name, code]) => [code, name]));

const ADDRESS_OPTIONS: ReadonlySet<number> = new Set([
	OptionCode.SUBNET_MASK,
	OptionCode.ROUTER,
	OptionCode.DOMAIN_NAME_SERVER,
	OptionCode.BROADCAST_ADDRESS,
	OptionCode.REQUESTED_IP_ADDRESS,
	OptionCode.SERVER_IDENTIFIER,
]);

const TEXT_OPTIONS: ReadonlySet<number> = new Set([
	OptionCode.HOST_NAME,
	OptionCode.VENDOR_CLASS,
	OptionCode.TFTP_SERVER_NAME,
]);

/** Text from the network with everything but printable ASCII escaped, so that it cannot forge log lines. */
export function printable(text: string): string {
	return text.replace(/[^\x20-\x7e]/g, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`);
}

function typeName(packet: DhcpPacket): string {
	const type = packet.options.get(OptionCode.MESSAGE_TYPE)?.[0];
	if (type === undefined) return packet.op === BOOTREQUEST ? "BOOTREQUEST" : "BOOTREPLY";
	return TYPE_NAMES.get(type) ?? `type ${type}`;
}

/** `DISCOVER dc:a6:32:ec:fc:3c xid d0e3497c "PXEClient:Arch:00000:UNDI:002001"`. Never throws. */
export function summarisePacket(packet: DhcpPacket): string {
	const words = [typeName(packet), macFromBytes(packet.chaddr), `xid ${packet.xid.toString(16).padStart(8, "0")}`];
	for (const field of ["ciaddr", "yiaddr", "siaddr", "giaddr"] as const) {
		if (packet[field] !== IPV4_ANY) words.push(`${field} ${packet[field]}`);
	}
	const server = packet.options.get(OptionCode.SERVER_IDENTIFIER);
	if (server?.length === 4) words.push(`server ${ipv4FromBytes(server)}`);
	const vendor = textOption(packet, OptionCode.VENDOR_CLASS);
	if (vendor !== undefined) words.push(`"${printable(vendor)}"`);
	return words.join(" ");
}

function describeOption(code: number, data: Buffer): string {
	const name = OPTION_NAMES.get(code) ?? "option";
	return `  ${code} ${name} (${data.length}): ${optionValue(code, data)}`;
}

function optionValue(code: number, data: Buffer): string {
	if (TEXT_OPTIONS.has(code)) return `"${printable(data.toString("latin1"))}"`;
	if (code === OptionCode.PARAMETER_REQUEST_LIST) return data.join(",");
	if (!ADDRESS_OPTIONS.has(code) || data.length === 0 || data.length % 4 !== 0) return data.toString("hex");
	const addresses: string[] = [];
	for (let at = 0; at < data.length; at += 4) addresses.push(ipv4FromBytes(data.subarray(at, at + 4)));
	return addresses.join(",");
}

/** Every field and option, one per line. Never throws. */
export function describePacket(packet: DhcpPacket): string {
	const flags = packet.flags.toString(16).padStart(4, "0");
	const header = `  op ${packet.op} htype ${packet.htype} hops ${packet.hops} secs ${packet.secs} flags ${flags}`;
	const names = `  sname "${printable(packet.sname)}" file "${printable(packet.file)}"`;
	const options = [...packet.options].map(([code, data]) => describeOption(code, data));
	return [summarisePacket(packet), header, names, ...options].join("\n");
}
