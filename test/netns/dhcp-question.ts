/**
 * For `full-dhcp.test.ts`: sends a DHCP message (hex) from an address of this machine, port 68, to a server, and prints the
 * answer as hex. Arguments: the address, the server, the message.
 */
import { createSocket } from "node:dgram";

const [, , own = "", server = "", hex = ""] = process.argv;
const socket = createSocket({ type: "udp4", reuseAddr: true });
const patience = setTimeout(() => socket.close(), 5000);
socket.on("message", (bytes, from) => {
	clearTimeout(patience);
	process.stdout.write(`from ${from.address}: ${bytes.toString("hex")}\n`);
	socket.close();
});
socket.bind(68, own, () => socket.send(Buffer.from(hex, "hex"), 67, server));
