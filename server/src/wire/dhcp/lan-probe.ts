/**
 * Asking the LAN which DHCP servers it has. On a switch, their unicast OFFERs to a Pi never reach us; so we ask ourselves,
 * as a client that was never seen before, and never take what is offered.
 */
import { randomBytes } from "node:crypto";
import { IPV4_ANY } from "./addresses.ts";
import { BOOTREPLY, BOOTREQUEST, FLAG_BROADCAST, HTYPE_ETHERNET, MessageType, OptionCode } from "./constants.ts";
import { addressOption, type DhcpPacket, messageType } from "./packet.ts";

/** An answer to our question. */
export interface LanOffer {
	/** The server that answered, by its own word (option 54). */
	readonly server: string;
	/** The address that it would give; `0.0.0.0` from a proxy. */
	readonly offered: string;
	/** True when it calls itself a PXE server (option 60 is `PXEClient`): another proxy, or a full server that boots. */
	readonly isBootServer: boolean;
}

/** A DISCOVER under a random, locally administered MAC address. */
export function lanProbe(): DhcpPacket {
	const random = randomBytes(10);
	const chaddr = Buffer.from(random.subarray(0, 6));
	// Bit 1 of the first byte is "locally administered", bit 0 is "group", which a station's own address may not have.
	chaddr[0] = (random.readUInt8(0) & 0xfc) | 0x02;
	return {
		op: BOOTREQUEST,
		htype: HTYPE_ETHERNET,
		hops: 0,
		xid: random.readUInt32BE(6),
		secs: 0,
		flags: FLAG_BROADCAST,
		ciaddr: IPV4_ANY,
		yiaddr: IPV4_ANY,
		siaddr: IPV4_ANY,
		giaddr: IPV4_ANY,
		chaddr,
		sname: "",
		file: "",
		options: new Map([
			[OptionCode.MESSAGE_TYPE, Buffer.of(MessageType.DISCOVER)],
			[
				OptionCode.PARAMETER_REQUEST_LIST,
				Buffer.of(OptionCode.SUBNET_MASK, OptionCode.ROUTER, OptionCode.DOMAIN_NAME_SERVER),
			],
		]),
	};
}

/**
 * Reads an answer to the probe, or gives undefined for a message to somebody else.
 *
 * @throws MalformedError when an option that matters has the wrong length.
 */
export function readLanOffer(packet: DhcpPacket, probe: DhcpPacket): LanOffer | undefined {
	if (packet.op !== BOOTREPLY || packet.xid !== probe.xid || !packet.chaddr.equals(probe.chaddr)) return undefined;
	if (messageType(packet) !== MessageType.OFFER) return undefined;
	const server = addressOption(packet, OptionCode.SERVER_IDENTIFIER);
	if (server === undefined) return undefined;
	const vendor = packet.options.get(OptionCode.VENDOR_CLASS)?.toString("latin1") ?? "";
	return { server, offered: packet.yiaddr, isBootServer: vendor.startsWith("PXEClient") };
}
