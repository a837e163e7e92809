/** What clients broadcast, byte for byte, made here without the server's codec. */

export interface Frame {
	/** Who sends it. */
	readonly name: string;
	readonly mac: string;
	readonly bytes: Buffer;
}

const DISCOVER = "350101";
const REQUEST = "350103";
const INFORM = "350108";
/** GUID of a PC: a UUID. */
const UUID = "611100 4c4c4544004d3510805ac4c04f4d3532";

function vendorClass(text: string): string {
	return option(60, Buffer.from(text));
}

function option(code: number, value: Buffer): string {
	return Buffer.concat([Buffer.of(code, value.length), value]).toString("hex");
}

function asks(...codes: number[]): string {
	return option(55, Buffer.from(codes));
}

let number = 0;

/** @param length of the message; padded with zeros. */
function frame(name: string, mac: string, options: readonly string[], length = 300, xid?: string): Frame {
	const id = xid ?? (0x51000000 + ++number).toString(16);
	const address = mac.replaceAll(":", "");
	const head = `01010600${id}00000000${"00".repeat(16)}${address}${"00".repeat(10 + 64 + 128)}63825363`;
	const body = Buffer.from(`${head}${options.join("").replaceAll(" ", "")}ff`, "hex");
	return { name, mac, bytes: Buffer.concat([body, Buffer.alloc(Math.max(0, length - body.length))]) };
}

const PI_CLASS = vendorClass("PXEClient:Arch:00000:UNDI:002001");
const PI_LIST = asks(1, 3, 43, 60, 66, 67, 128, 129, 130, 131, 132, 133, 134, 135);
const ARCH_0 = "5d020000";
const UNDI = "5e03010201";
const PC_LIST = asks(1, 2, 3, 5, 6, 11, 12, 13, 15, 16, 17, 18, 43, 54, 60, 67, 128, 129, 130, 131, 132, 133, 134, 135);
const PI_4_GUID = "611100 34695052 1431d000 010902f7 3df0cd91";

/** The DISCOVER of a Pi 4 with a bootloader of 2026: the one that must be answered. */
export function piDiscover(xid: string): Frame {
	const options = [DISCOVER, PI_LIST, PI_CLASS, ARCH_0, UNDI, PI_4_GUID];
	return frame("a Pi 4", "e4:5f:01:09:02:f7", options, 0, xid);
}

/** Everybody who must be left alone. */
export const BYSTANDERS: readonly Frame[] = [
	frame("Linux with ip=dhcp", "02:00:5e:00:53:10", [DISCOVER, asks(1, 3, 6, 12, 15, 17, 26, 40)], 548),
	frame("Linux with ip=dhcp on a Pi", "e4:5f:01:09:02:f7", [DISCOVER, asks(1, 3, 6, 12, 15, 17, 26, 40)], 548),
	frame("klibc's ipconfig on a Pi", "e4:5f:01:09:02:f7", [
		DISCOVER,
		vendorClass("Linux ipconfig"),
		asks(1, 3, 6, 12, 15, 17, 26, 28, 40, 119, 121),
	]),
	frame("a PC's PXE ROM", "02:00:5e:00:53:11", [DISCOVER, PC_LIST, "39020548", UUID, ARCH_0, UNDI, PI_CLASS], 548),
	frame("a PC's UEFI", "02:00:5e:00:53:12", [
		DISCOVER,
		PC_LIST,
		UUID,
		"5d020007",
		"5e03010310",
		vendorClass("PXEClient:Arch:00007:UNDI:003016"),
	]),
	frame("a PC's UEFI over HTTP", "02:00:5e:00:53:13", [
		DISCOVER,
		PC_LIST,
		UUID,
		"5d020010",
		"5e03010310",
		vendorClass("HTTPClient:Arch:00016:UNDI:003016"),
	]),
	frame("iPXE on a PC", "02:00:5e:00:53:14", [
		DISCOVER,
		"390205c0",
		ARCH_0,
		UNDI,
		PI_CLASS,
		option(77, Buffer.from("iPXE")),
		asks(1, 3, 6, 7, 12, 15, 17, 26, 43, 60, 66, 67, 119, 128, 129, 130, 131, 132, 133, 134, 135, 175, 203),
		"af0a b105011af41000eb0101",
		UUID,
	]),
	frame("UEFI on a Pi 4", "dc:a6:32:01:02:03", [
		DISCOVER,
		PC_LIST,
		"611100 52506934 1431c000 32010203 01020304",
		"5d02000b",
		"5e03010300",
		vendorClass("PXEClient:Arch:00011:UNDI:003000"),
	]),
	frame("U-Boot on a Pi 4", "dc:a6:32:01:02:04", [
		DISCOVER,
		vendorClass("U-Boot.armv8"),
		"5d020016",
		asks(1, 3, 6, 12, 17, 28, 40, 42),
	]),
	frame("a Pi 5 that boots over HTTP", "88:a2:9e:11:4e:cc", [
		DISCOVER,
		asks(1, 3, 60, 66, 67),
		PI_CLASS,
		ARCH_0,
		UNDI,
		"611100 35695052 7041d000 9e114ecc 798ff17b",
	]),
	frame("Windows", "02:00:5e:00:53:15", [
		DISCOVER,
		"3d0701 02005e005315",
		option(12, Buffer.from("DESKTOP-1")),
		vendorClass("MSFT 5.0"),
		asks(1, 3, 6, 15, 31, 33, 43, 44, 46, 47, 119, 121, 249, 252),
	]),
	frame("a Pi's Linux with dhcpcd", "dc:a6:32:01:02:05", [
		DISCOVER,
		"3d0701 dca632010205",
		vendorClass("dhcpcd-9.4.1:Linux-6.12.47+rpt-rpi-v8:aarch64:BCM2835"),
		asks(1, 2, 3, 6, 12, 15, 26, 28, 42, 43),
	]),
	frame("a Pi's REQUEST, which is for the router", "e4:5f:01:09:02:f7", [
		REQUEST,
		"3204 0a4d0033 3604 0a4d00fe",
		PI_CLASS,
		PI_4_GUID,
	]),
	frame("a Pi's INFORM", "e4:5f:01:09:02:f7", [INFORM, PI_LIST, PI_CLASS, ARCH_0, UNDI, PI_4_GUID]),
	{ name: "half a message", mac: "e4:5f:01:09:02:f7", bytes: piDiscover("51ffffff").bytes.subarray(0, 260) },
];
