/**
 * For `bystanders.test.ts`: broadcasts messages (hex, one per argument) as DHCP clients do that have no address, from
 * 0.0.0.0:68 to 255.255.255.255:67, one after the other.
 */
import { createSocket } from "node:dgram";

const socket = createSocket({ type: "udp4", reuseAddr: true });
socket.bind(68, "0.0.0.0", async () => {
	socket.setBroadcast(true);
	for (const hex of process.argv.slice(2)) {
		await new Promise((resolve) => socket.send(Buffer.from(hex, "hex"), 67, "255.255.255.255", resolve));
	}
	socket.close();
});
