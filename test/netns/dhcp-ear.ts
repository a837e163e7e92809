/**
 * For `bystanders.test.ts`: hears everything that is broadcast to DHCP clients in its namespace, and prints a line for each
 * message: who sent it, the hardware address that it is for, its xid, and its BOOTP operation.
 */
import { createSocket } from "node:dgram";

const socket = createSocket({ type: "udp4", reuseAddr: true });
socket.on("message", (bytes, sender) => {
	const chaddr = bytes
		.subarray(28, 34)
		.toString("hex")
		.replace(/..(?!$)/g, "$&:");
	process.stdout.write(
		`from ${sender.address} for ${chaddr} xid ${bytes.subarray(4, 8).toString("hex")} op ${bytes[0]}\n`,
	);
});
socket.bind(68, "0.0.0.0", () => process.stdout.write("listening\n"));
