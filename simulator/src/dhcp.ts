/**
 * DHCP messages (RFC 2131, RFC 2132), as a client makes and reads them.
 *
 *     op(1) htype(1) hlen(1) hops(1) xid(4) secs(2) flags(2) ciaddr(4) yiaddr(4) siaddr(4) giaddr(4)
 *     chaddr(16) sname(64) file(128) | 63 82 53 63 | options: code(1) length(1) data ... 255
 */
import { ANY, ipv4FromBytes, ipv4ToBytes } from "./addresses.ts";
import { ProtocolError } from "./errors.ts";

export interface DhcpOption {
	readonly code: number;
	readonly data: Buffer;
}

export interface DhcpMessage {
	readonly op: number;
	readonly xid: number;
	/** Seconds since the client began. */
	readonly secs: number;
	readonly flags: number;
	readonly ciaddr: string;
	readonly yiaddr: string;
	readonly siaddr: string;
	readonly giaddr: string;
	/** The first six bytes: an Ethernet address. */
	readonly chaddr: Buffer;
	/** In the order of the wire: a Pi 3 believes the last one. */
	readonly options: readonly DhcpOption[];
}

export const BOOTREQUEST = 1;
export const BOOTREPLY = 2;

export const MessageType = { DISCOVER: 1, OFFER: 2, REQUEST: 3, DECLINE: 4, ACK: 5, NAK: 6 } as const;

/** RFC 2132, RFC 4578. */
export const Code = {
	PAD: 0,
	SUBNET_MASK: 1,
	ROUTER: 3,
	HOST_NAME: 12,
	REQUESTED_ADDRESS: 50,
	MESSAGE_TYPE: 53,
	SERVER_IDENTIFIER: 54,
	PARAMETER_REQUEST_LIST: 55,
	VENDOR_SPECIFIC: 43,
	MAXIMUM_SIZE: 57,
	VENDOR_CLASS: 60,
	CLIENT_IDENTIFIER: 61,
	TFTP_SERVER_NAME: 66,
	CLIENT_ARCHITECTURE: 93,
	CLIENT_NDI: 94,
	CLIENT_UUID: 97,
	END: 255,
} as const;

const COOKIE = Buffer.from([0x63, 0x82, 0x53, 0x63]);
const CHADDR = 28;
const OPTIONS = 240;
const COOKIE_AT = 236;

/** @param length pads the message with zeros behind the end option; what is longer stays longer. */
export function encodeDhcp(message: DhcpMessage, length = 0): Buffer {
	const header = Buffer.alloc(OPTIONS);
	header.set([message.op, 1, 6, 0]);
	header.writeUInt32BE(message.xid, 4);
	header.writeUInt16BE(message.secs, 8);
	header.writeUInt16BE(message.flags, 10);
	header.set(ipv4ToBytes(message.ciaddr), 12);
	header.set(ipv4ToBytes(message.yiaddr), 16);
	header.set(ipv4ToBytes(message.siaddr), 20);
	header.set(ipv4ToBytes(message.giaddr), 24);
	header.set(message.chaddr, CHADDR);
	header.set(COOKIE, COOKIE_AT);
	const options = message.options.flatMap(({ code, data }) => [Buffer.from([code, data.length]), data]);
	const bytes = Buffer.concat([header, ...options, Buffer.from([Code.END])]);
	return bytes.length >= length ? bytes : Buffer.concat([bytes, Buffer.alloc(length - bytes.length)]);
}

/** @throws ProtocolError when it is not a DHCP message over Ethernet. */
export function decodeDhcp(bytes: Buffer): DhcpMessage {
	if (bytes.length < OPTIONS) throw new ProtocolError(`DHCP: ${bytes.length} bytes, expected at least ${OPTIONS}`);
	if (bytes[1] !== 1 || bytes[2] !== 6) throw new ProtocolError(`DHCP: hardware type ${bytes[1]}, expected Ethernet`);
	if (!bytes.subarray(COOKIE_AT, OPTIONS).equals(COOKIE)) throw new ProtocolError("DHCP: no magic cookie");
	const address = (offset: number) => ipv4FromBytes(bytes.subarray(offset, offset + 4));
	return {
		op: bytes.readUInt8(0),
		xid: bytes.readUInt32BE(4),
		secs: bytes.readUInt16BE(8),
		flags: bytes.readUInt16BE(10),
		ciaddr: address(12),
		yiaddr: address(16),
		siaddr: address(20),
		giaddr: address(24),
		chaddr: Buffer.from(bytes.subarray(CHADDR, CHADDR + 6)),
		options: decodeOptions(bytes, OPTIONS),
	};
}

function decodeOptions(bytes: Buffer, start: number): DhcpOption[] {
	const options: DhcpOption[] = [];
	for (let at = start; at < bytes.length && bytes[at] !== Code.END; ) {
		const code = bytes.readUInt8(at++);
		if (code === Code.PAD) continue;
		const length = bytes[at];
		const end = at + 1 + (length ?? 0);
		if (length === undefined || end > bytes.length) {
			throw new ProtocolError(`DHCP: option ${code} at byte ${at - 1} is longer than the message`);
		}
		options.push({ code, data: Buffer.from(bytes.subarray(at + 1, end)) });
		at = end;
	}
	return options;
}

/** The data of an option; parts of a split one are joined (RFC 3396). */
export function optionOf(message: DhcpMessage, code: number): Buffer | undefined {
	const parts = message.options.filter((option) => option.code === code);
	return parts.length === 0 ? undefined : Buffer.concat(parts.map(({ data }) => data));
}

export function messageType(message: DhcpMessage): number | undefined {
	const data = optionOf(message, Code.MESSAGE_TYPE);
	return data?.length === 1 ? data[0] : undefined;
}

/** An option that holds an address, or several of which the first counts. */
export function addressOf(message: DhcpMessage, code: number): string | undefined {
	const data = optionOf(message, code);
	return data === undefined || data.length < 4 ? undefined : ipv4FromBytes(data.subarray(0, 4));
}

/** What all our requests have in common. */
export function request(fields: Pick<DhcpMessage, "xid" | "chaddr" | "options"> & Partial<DhcpMessage>): DhcpMessage {
	const zeros = { secs: 0, flags: 0, ciaddr: ANY, yiaddr: ANY, siaddr: ANY, giaddr: ANY };
	return { op: BOOTREQUEST, ...zeros, ...fields };
}
