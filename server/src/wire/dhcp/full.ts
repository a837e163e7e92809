/** The answers of a DHCP server that gives out addresses: OFFER, ACK and NAK of RFC 2131 section 4.3. */
import { IPV4_ANY, ipv4FromNumber, ipv4ToBytes, ipv4ToNumber } from "./addresses.ts";
import type { PiClient } from "./classify.ts";
import { BOOTREPLY, FLAG_BROADCAST, HTYPE_ETHERNET, MessageType, OptionCode } from "./constants.ts";
import { requireLength } from "./options.ts";
import type { DhcpPacket } from "./packet.ts";
import { menuText } from "./proxy.ts";
import { bootMenu } from "./pxe.ts";

/** What a client is told of its network. Addresses are dotted quads. */
export interface LeaseTerms {
	/** Ours: server identifier, and for a firmware the TFTP server. */
	readonly serverAddress: string;
	readonly netmask: string;
	readonly router?: string | undefined;
	readonly dns: readonly string[];
	readonly leaseSeconds: number;
	/** Given to those who ask for it. */
	readonly hostName?: string | undefined;
	/** The firmware of a Pi that shall boot from us; everybody else is told nothing of booting. */
	readonly boot?: PiClient | undefined;
}

/** An OFFER or ACK that gives the address. */
export function leaseReply(
	request: DhcpPacket,
	type: typeof MessageType.OFFER | typeof MessageType.ACK,
	address: string,
	terms: LeaseTerms,
): DhcpPacket {
	const options = new Map([
		...head(type, terms.serverAddress),
		[OptionCode.LEASE_TIME, seconds(terms.leaseSeconds)] as const,
		// The defaults of RFC 2131 section 4.4.5.
		[OptionCode.RENEWAL_TIME, seconds(terms.leaseSeconds * 0.5)] as const,
		[OptionCode.REBINDING_TIME, seconds(terms.leaseSeconds * 0.875)] as const,
		...networkOptions(request, address, terms),
		...bootOptions(request, terms),
	]);
	const fields = { yiaddr: address, siaddr: terms.boot === undefined ? IPV4_ANY : terms.serverAddress };
	const isAck = type === MessageType.ACK;
	return reply(request, options, { ...fields, ciaddr: isAck ? request.ciaddr : IPV4_ANY, ...flagsFor(request, terms) });
}

/** The ACK to an INFORM: RFC 2131 section 4.3.5 wants neither an address nor a lease time in it. */
export function informReply(request: DhcpPacket, terms: LeaseTerms): DhcpPacket {
	const options = new Map([
		...head(MessageType.ACK, terms.serverAddress),
		...networkOptions(request, request.ciaddr, terms),
	]);
	return reply(request, options, { ciaddr: request.ciaddr });
}

/** @param message why, for the client's log: plain ASCII. */
export function nakReply(request: DhcpPacket, serverAddress: string, message: string): DhcpPacket {
	const options = new Map([
		...head(MessageType.NAK, serverAddress),
		[OptionCode.MESSAGE, Buffer.from(message, "latin1")] as const,
	]);
	// RFC 2131 section 4.3.2: behind a relay "the server MUST set the broadcast bit [...] so that the relay agent will
	// broadcast the DHCPNAK", because the client may have no correct address.
	return reply(request, options, request.giaddr === IPV4_ANY ? {} : { flags: request.flags | FLAG_BROADCAST });
}

type Option = readonly [number, Buffer];

function head(type: number, serverAddress: string): Option[] {
	return [
		[OptionCode.MESSAGE_TYPE, Buffer.of(type)],
		[OptionCode.SERVER_IDENTIFIER, ipv4ToBytes(serverAddress)],
	];
}

function seconds(number: number): Buffer {
	const bytes = Buffer.alloc(4);
	bytes.writeUInt32BE(Math.floor(number));
	return bytes;
}

function networkOptions(request: DhcpPacket, address: string, terms: LeaseTerms): Option[] {
	const { netmask, router, dns, hostName } = terms;
	const wantsName = request.options.get(OptionCode.PARAMETER_REQUEST_LIST)?.includes(OptionCode.HOST_NAME) ?? false;
	const broadcast = (ipv4ToNumber(address) | ~ipv4ToNumber(netmask)) >>> 0;
	const options: Option[] = [
		[OptionCode.SUBNET_MASK, ipv4ToBytes(netmask)],
		[OptionCode.BROADCAST_ADDRESS, ipv4ToBytes(ipv4FromNumber(broadcast))],
	];
	if (router !== undefined) options.push([OptionCode.ROUTER, ipv4ToBytes(router)]);
	if (dns.length > 0) options.push([OptionCode.DOMAIN_NAME_SERVER, Buffer.concat(dns.map(ipv4ToBytes))]);
	if (hostName !== undefined && wantsName) options.push([OptionCode.HOST_NAME, Buffer.from(hostName, "latin1")]);
	return options;
}

/**
 * What makes a Pi boot. Option 66 stands behind 43 because the firmware of a Pi 3 takes the server of the last one in the
 * packet; both mean the same one. It is text, without a NUL.
 */
function bootOptions(request: DhcpPacket, { boot, serverAddress }: LeaseTerms): Option[] {
	if (boot === undefined) return [];
	const guid = request.options.get(OptionCode.CLIENT_MACHINE_IDENTIFIER);
	return [
		[OptionCode.VENDOR_CLASS, Buffer.from("PXEClient", "latin1")],
		...(guid === undefined ? [] : [[OptionCode.CLIENT_MACHINE_IDENTIFIER, guid] as const]),
		[OptionCode.VENDOR_SPECIFIC, bootMenu(menuText(boot))],
		[OptionCode.TFTP_SERVER_NAME, Buffer.from(serverAddress, "latin1")],
	];
}

/** A firmware leaves the bit clear, but has no address that a normal socket could reach: the answer is a broadcast. */
function flagsFor(request: DhcpPacket, { boot }: LeaseTerms): Partial<DhcpPacket> {
	return boot !== undefined && request.giaddr === IPV4_ANY ? { flags: FLAG_BROADCAST } : {};
}

/** What RFC 2131 lets every client take; option 57 of a request allows more. */
const MINIMUM_MAXIMUM = 576;
/** What IP and UDP take of it. */
const HEADERS = 28;
/** The fixed fields, the cookie and END. */
const FIXED = 241;

function reply(request: DhcpPacket, own: Map<number, Buffer>, fields: Partial<DhcpPacket>): DhcpPacket {
	return {
		op: BOOTREPLY,
		htype: HTYPE_ETHERNET,
		hops: 0,
		xid: request.xid,
		secs: 0,
		flags: request.flags,
		ciaddr: IPV4_ANY,
		yiaddr: IPV4_ANY,
		siaddr: IPV4_ANY,
		giaddr: request.giaddr,
		chaddr: request.chaddr,
		sname: "",
		file: "",
		options: withEchoes(request, own),
		...fields,
	};
}

/** The client's identifier (RFC 6842) and, as the last one, the relay's information (RFC 3046), where they fit. */
function withEchoes(request: DhcpPacket, own: Map<number, Buffer>): Map<number, Buffer> {
	const asked = requireLength(request.options, OptionCode.MAXIMUM_MESSAGE_SIZE, 2)?.readUInt16BE(0) ?? 0;
	const options = new Map(own);
	let room = Math.max(asked, MINIMUM_MAXIMUM) - HEADERS - FIXED;
	for (const data of own.values()) room -= data.length + 2;
	for (const code of [OptionCode.CLIENT_IDENTIFIER, OptionCode.RELAY_AGENT_INFORMATION]) {
		const data = request.options.get(code);
		if (data === undefined || data.length > 255 || data.length + 2 > room) continue;
		options.set(code, data);
		room -= data.length + 2;
	}
	return options;
}
