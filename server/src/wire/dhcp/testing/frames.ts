/** DHCP messages as they were captured on the wire, rebuilt from their fields. */
import { type DhcpPacket, decodePacket } from "../packet.ts";

/** What is constant in the DISCOVER of every Pi: 28 bytes of header, then sname and file, all zero, then the cookie. */
function frame(op: number, xid: string, flags: string, mac: string, options: string): Buffer {
	const header = `0${op}010600${xid}0000${flags}${"00".repeat(16)}`;
	const rest = `${mac.replaceAll(":", "")}${"00".repeat(10 + 64 + 128)}63825363`;
	return Buffer.from(`${header}${rest}${options.replace(/[\s|]/g, "")}`, "hex");
}

const VENDOR = `3c20${Buffer.from("PXEClient:Arch:00000:UNDI:002001").toString("hex")}`;
const ARCH_AND_UNDI = "5d020000 | 5e03010201";
const EEPROM_LIST = "370e 01032b3c4243 8081828384858687";

/** A DISCOVER of an EEPROM bootloader, with the 16 bytes of its GUID. */
export function eepromDiscover(mac: string, guid: string, xid = "d0e3497c"): Buffer {
	return frame(1, xid, "0000", mac, `350101 | ${EEPROM_LIST} | ${VENDOR} | ${ARCH_AND_UNDI} | 611100${guid} | ff`);
}

export const PI_400_MAC = "dc:a6:32:ec:fc:3c";
export const PI_400_GUID = "52506934 3031c000 32ecfc3c da06ffe0";

/** 322 bytes. */
export const pi400Discover = eepromDiscover(PI_400_MAC, PI_400_GUID);

/** 309 bytes: neither option 55 nor 93. */
export const pi400Request = frame(
	1,
	"d0e3497c",
	"0000",
	PI_400_MAC,
	`350103 | 3204c0a80228 | 3604c0a80201 | ${VENDOR} | 611100${PI_400_GUID} | ff`,
);

/** The OFFER of dnsmasq as a proxy to it: 314 bytes. */
export const pi400ProxyOffer = frame(
	2,
	"d0e3497c",
	"8000",
	PI_400_MAC,
	`350102 3604c0a80234 3c09505845436c69656e74 611100525069343031c00032ecfc3cda06ffe0
	2b200601030a0400505845091400001152617370626572727920506920426f6f74ff ff`.replace(/\s/g, ""),
);

/** The home router's OFFER: 300 bytes, with zeros behind END. */
export const routerOffer = Buffer.concat([
	frame(
		2,
		"d0e3497c",
		"0000",
		PI_400_MAC,
		"350102 3604c0a80201 330400001c20 3a0400000e10 3b040000189c 0104ffffff00 1c04c0a802ff 0304c0a80201 ff",
	),
	Buffer.alloc(14),
]);

/** 322 bytes; the serial of 8 hex digits comes back as little-endian bytes, four times. */
export function pi3Discover(mac: string, serial: string): Buffer {
	const guid = Buffer.from(serial, "hex").reverse().toString("hex").repeat(4);
	const list = "370e 2b3c43 8081828384858687 42 01 03";
	return frame(1, "26f30339", "0000", mac, `350101 | ${list} | ${ARCH_AND_UNDI} | 611100${guid} | ${VENDOR} | ff`);
}

/** The Pi 3B's mask ROM: 320 bytes. */
export const pi3RomDiscover = frame(
	1,
	"26f30339",
	"0000",
	"b8:27:eb:ef:56:44",
	`350101 | 370c 2b3c43 8081828384858687 42 | ${ARCH_AND_UNDI} | 611100${"44".repeat(16)} | ${VENDOR} | ff`,
);

/** A DISCOVER with just these options, in hex, from a MAC address that belongs to nobody. */
export function otherDiscover(options: string, mac = "02:00:5e:00:53:01"): DhcpPacket {
	return decodePacket(frame(1, "12345678", "0000", mac, `350101 ${options} ff`));
}

/** A PC's PXE ROM: the same vendor class and architecture as a Pi, another GUID and another list. */
export const pcDiscover = otherDiscover(
	`${VENDOR} ${ARCH_AND_UNDI} 370401032b3c 6111 00 4c4c4544004d3510805ac4c04f4d3532`,
);
