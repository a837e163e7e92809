/** A proxy DHCP server on port 67 of two addresses, run in a namespace by `dhcp.test.ts`; then it asks the first LAN. */
import { silentLogger, systemClock } from "../../server/src/base/index.ts";
import { askLan, DhcpServer } from "../../server/src/net/index.ts";
import { decideProxy, offerDelays, proxyOffer } from "../../server/src/wire/dhcp/index.ts";

const addresses = process.argv.slice(2);
const server = new DhcpServer({
	addresses,
	port: 67,
	clock: systemClock,
	log: silentLogger,
	handler: {
		handle(packet) {
			const decision = decideProxy(packet);
			if (decision.kind === "silent") return [];
			const { client } = decision;
			return offerDelays(client).map((delay) => ({ delay, packet: (own) => proxyOffer(packet, client, own) }));
		},
	},
});
await server.start();
process.stdout.write("ready\n");
process.stdin.once("data", async () => {
	const answer = await askLan({ address: addresses[0] ?? "", clock: systemClock });
	process.stdout.write(`${JSON.stringify(answer)}\n`);
	await server.stop();
	process.exit(0);
});
