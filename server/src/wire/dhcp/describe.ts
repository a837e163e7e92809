/** DHCP messages for people: one line for the log. */
import { IPV4_ANY, ipv4FromBytes, macFromBytes } from "./addresses.ts";
import { BOOTREQUEST, MessageType, OptionCode } from "./constants.ts";
import { type DhcpPacket, textOption } from "./packet.ts";

const TYPE_NAMES = new Map<number, string>(Object.entries(MessageType).map(([name, value]) => [value, name]));

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
