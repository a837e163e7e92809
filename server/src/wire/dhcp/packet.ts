/**
 * The DHCP message of RFC 2131 section 2:
 *
 *      0  op(1) htype(1) hlen(1) hops(1)
 *      4  xid(4)
 *      8  secs(2) flags(2)
 *     12  ciaddr(4)  16 yiaddr(4)  20 siaddr(4)  24 giaddr(4)
 *     28  chaddr(16)
 *     44  sname(64)
 *    108  file(128)
 *    236  magic cookie 63 82 53 63, then options
 */
import { BugError, ByteReader, ByteWriter, MalformedError } from "../../base/index.ts";
import { ipv4FromBytes, ipv4ToBytes } from "./addresses.ts";
import { OptionCode } from "./constants.ts";
import { type DhcpOptions, OptionCollector, requireLength, writeOptions } from "./options.ts";

const MAGIC_COOKIE = 0x63825363;
const CHADDR_LENGTH = 16;
const SNAME_LENGTH = 64;
const FILE_LENGTH = 128;

/** Everything ever seen a Pi accept was at least this long, and RFC 951 makes BOOTP messages 300 bytes. */
export const MINIMUM_LENGTH = 300;

/** A DHCP message. Addresses are dotted quads; `0.0.0.0` is "none". */
export interface DhcpPacket {
	readonly op: number;
	readonly htype: number;
	readonly hops: number;
	/** The client's number for this exchange, 32 bits. */
	readonly xid: number;
	/** Seconds since the client began. */
	readonly secs: number;
	readonly flags: number;
	readonly ciaddr: string;
	readonly yiaddr: string;
	readonly siaddr: string;
	readonly giaddr: string;
	/** The client's hardware address, `hlen` bytes. */
	readonly chaddr: Buffer;
	/** Byte strings up to the first NUL; empty when the field held options (RFC 2132 section 9.3, overload). */
	readonly sname: string;
	readonly file: string;
	/** All options of the message, also those that we do not know, without PAD, END and OVERLOAD. */
	readonly options: DhcpOptions;
}

/**
 * Reads a message.
 *
 * @throws MalformedError when it is shorter than its fixed part, has no magic cookie, names a hardware address longer than
 * `chaddr`, or has an option that reaches behind its field.
 */
export function decodePacket(bytes: Uint8Array): DhcpPacket {
	const reader = new ByteReader(bytes, "dhcp");
	const op = reader.u8("op");
	const htype = reader.u8("htype");
	const hlen = reader.u8("hlen");
	if (hlen > CHADDR_LENGTH)
		throw new MalformedError("dhcp", `dhcp: hlen is ${hlen}, expected at most ${CHADDR_LENGTH}`);
	const header = {
		op,
		htype,
		hops: reader.u8("hops"),
		xid: reader.u32("xid"),
		secs: reader.u16("secs"),
		flags: reader.u16("flags"),
		ciaddr: ipv4FromBytes(reader.bytes(4, "ciaddr")),
		yiaddr: ipv4FromBytes(reader.bytes(4, "yiaddr")),
		siaddr: ipv4FromBytes(reader.bytes(4, "siaddr")),
		giaddr: ipv4FromBytes(reader.bytes(4, "giaddr")),
		chaddr: Buffer.from(reader.bytes(CHADDR_LENGTH, "chaddr").subarray(0, hlen)),
	};
	const sname = reader.bytes(SNAME_LENGTH, "sname");
	const file = reader.bytes(FILE_LENGTH, "file");
	const cookie = reader.u32("magic cookie");
	if (cookie !== MAGIC_COOKIE) {
		throw new MalformedError(
			"dhcp",
			`dhcp: magic cookie at offset 236 is 0x${cookie.toString(16)}, expected 0x63825363`,
		);
	}
	return { ...header, ...readVariablePart(reader.rest(), sname, file) };
}

/** Bits of the OVERLOAD option: which of the fixed fields hold options as well. */
const OVERLOAD_FILE = 1;
const OVERLOAD_SNAME = 2;

function readVariablePart(rest: Buffer, sname: Buffer, file: Buffer): Pick<DhcpPacket, "sname" | "file" | "options"> {
	const collector = new OptionCollector();
	collector.readField(rest, "options");
	const overload = collector.get(OptionCode.OVERLOAD)?.[0] ?? 0;
	const inFile = (overload & OVERLOAD_FILE) !== 0;
	const inSname = (overload & OVERLOAD_SNAME) !== 0;
	// RFC 3396 section 5: "the options field first, then the file field, then the sname field".
	if (inFile) collector.readField(file, "file");
	if (inSname) collector.readField(sname, "sname");
	const options = collector.finish();
	options.delete(OptionCode.OVERLOAD);
	return { sname: inSname ? "" : byteString(sname), file: inFile ? "" : byteString(file), options };
}

function byteString(field: Buffer): string {
	const end = field.indexOf(0);
	return field.toString("latin1", 0, end === -1 ? field.length : end);
}

/**
 * Writes a message, with zeros behind END up to `minimumLength` bytes. All options go into the options field: nothing that
 * we send is so long that it needs the overload of `sname` and `file`.
 *
 * @throws BugError when a field does not fit.
 */
export function encodePacket(packet: DhcpPacket, minimumLength = MINIMUM_LENGTH): Buffer {
	if (packet.chaddr.length > CHADDR_LENGTH)
		throw new BugError(`chaddr has ${packet.chaddr.length} bytes, at most 16 fit`);
	const writer = new ByteWriter(512);
	writer.u8(packet.op).u8(packet.htype).u8(packet.chaddr.length).u8(packet.hops);
	writer.u32(packet.xid).u16(packet.secs).u16(packet.flags);
	for (const address of [packet.ciaddr, packet.yiaddr, packet.siaddr, packet.giaddr])
		writer.bytes(ipv4ToBytes(address));
	writeField(writer, packet.chaddr, CHADDR_LENGTH, "chaddr");
	writeField(writer, Buffer.from(packet.sname, "latin1"), SNAME_LENGTH, "sname");
	writeField(writer, Buffer.from(packet.file, "latin1"), FILE_LENGTH, "file");
	writer.u32(MAGIC_COOKIE);
	writeOptions(writer, packet.options);
	writer.zeros(Math.max(0, minimumLength - writer.length));
	return writer.finish();
}

function writeField(writer: ByteWriter, value: Uint8Array, length: number, name: string): void {
	if (value.length > length) throw new BugError(`${name} has ${value.length} bytes, at most ${length} fit`);
	writer.bytes(value).zeros(length - value.length);
}

/** The message type of option 53, or undefined for a plain BOOTP message. @throws MalformedError. */
export function messageType(packet: DhcpPacket): number | undefined {
	return requireLength(packet.options, OptionCode.MESSAGE_TYPE, 1)?.[0];
}

/** The address in an option that holds exactly one. @throws MalformedError. */
export function addressOption(packet: DhcpPacket, code: number): string | undefined {
	const data = requireLength(packet.options, code, 4);
	return data === undefined ? undefined : ipv4FromBytes(data);
}

/** An option that holds text, as a byte string; trailing NULs, which some clients send, are no part of it. */
export function textOption(packet: DhcpPacket, code: number): string | undefined {
	return packet.options.get(code)?.toString("latin1").replace(/\0+$/, "");
}
