/**
 * Proxy DHCP: another server gives the addresses, we only say where to boot from. The answer is, option for option, the
 * one that dnsmasq gives, because that is the one which every generation of firmware is known to boot with.
 */
import { IPV4_ANY, ipv4ToBytes } from "./addresses.ts";
import { classify, isDiscover, type PiClient } from "./classify.ts";
import { BOOTREPLY, FLAG_BROADCAST, HTYPE_ETHERNET, MessageType, OptionCode } from "./constants.ts";
import type { DhcpPacket } from "./packet.ts";
import { bootMenu, MASK_ROM_BOOT_MENU_TEXT, PI_BOOT_MENU_TEXT } from "./pxe.ts";

/** What a proxy does about a message: answer this Pi, or stay silent, and why. */
export type ProxyDecision =
	| { readonly kind: "answer"; readonly client: PiClient }
	| { readonly kind: "silent"; readonly reason: string };

/**
 * Decides about a message. Only DISCOVERs of a Pi's firmware are answered. Above all not those without `PXEClient`: the
 * Linux kernel's `ip=dhcp` takes the first OFFER with its xid, even one that gives no address.
 *
 * @throws MalformedError when option 53 has not one byte.
 */
export function decideProxy(packet: DhcpPacket): ProxyDecision {
	if (!isDiscover(packet)) return { kind: "silent", reason: "not a DISCOVER" };
	const client = classify(packet);
	if (client.kind === "other") return { kind: "silent", reason: client.reason };
	// Firmware that boots over HTTP says PXEClient too, but does not ask for option 43: a boot server is no use to it.
	const asked = packet.options.get(OptionCode.PARAMETER_REQUEST_LIST);
	if (asked !== undefined && !asked.includes(OptionCode.VENDOR_SPECIFIC)) {
		return { kind: "silent", reason: "asks for no boot server (HTTP boot)" };
	}
	return { kind: "answer", client };
}

/**
 * The OFFER of a proxy.
 *
 * @param serverAddress where our TFTP server answers; also the address that the OFFER must be sent from.
 */
export function proxyOffer(discover: DhcpPacket, client: PiClient, serverAddress: string): DhcpPacket {
	const options = new Map<number, Buffer>([
		[OptionCode.MESSAGE_TYPE, Buffer.of(MessageType.OFFER)],
		[OptionCode.SERVER_IDENTIFIER, ipv4ToBytes(serverAddress)],
		[OptionCode.VENDOR_CLASS, Buffer.from("PXEClient", "latin1")],
	]);
	const guid = discover.options.get(OptionCode.CLIENT_MACHINE_IDENTIFIER);
	if (guid !== undefined) options.set(OptionCode.CLIENT_MACHINE_IDENTIFIER, guid);
	options.set(OptionCode.VENDOR_SPECIFIC, bootMenu(menuText(client)));
	return {
		op: BOOTREPLY,
		htype: HTYPE_ETHERNET,
		hops: 0,
		xid: discover.xid,
		secs: 0,
		// The Pi leaves the bit clear, but has no address that a normal socket could reach: the answer is a broadcast.
		flags: FLAG_BROADCAST,
		ciaddr: IPV4_ANY,
		yiaddr: IPV4_ANY,
		siaddr: IPV4_ANY,
		giaddr: discover.giaddr,
		chaddr: discover.chaddr,
		sname: "",
		file: "",
		options,
	};
}

/**
 * The longer text for the ROM that needs it, and for a Pi of unknown shape: it works everywhere. The others get the text
 * that they were captured booting with.
 */
export function menuText(client: PiClient): string {
	const isPlain = client.generation === "eeprom" || client.generation === "pi3";
	return isPlain ? PI_BOOT_MENU_TEXT : MASK_ROM_BOOT_MENU_TEXT;
}

/**
 * When to send the OFFER, in milliseconds after the DISCOVER, as often as there are entries. The mask ROM of the Pi 3B only
 * acts on an OFFER when a packet arrives more than a second after its DISCOVER.
 */
export function offerDelays(client: PiClient): readonly number[] {
	return client.generation === "mask-rom" ? [1150, 1600] : [0];
}
