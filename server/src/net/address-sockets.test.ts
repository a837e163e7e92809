import assert from "node:assert/strict";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { test } from "node:test";
import { ManualClock, silentLogger } from "../base/index.ts";
import { decodePacket, encodePacket, lanProbe } from "../wire/dhcp/index.ts";
import { AddressSockets } from "./address-sockets.ts";
import { DhcpServer } from "./dhcp-server.ts";
import { bindUdp } from "./udp.ts";

function sockets() {
	const opened: string[] = [];
	const made = new AddressSockets(async (address) => {
		const socket = await bindUdp({ address, port: 0 });
		opened.push(address);
		return socket;
	});
	return { made, opened };
}

test("sockets follow the addresses: those that stay are not touched, those that go are closed", async () => {
	const { made, opened } = sockets();
	assert.deepEqual(await made.start(["127.0.0.1", "127.0.0.2"]), []);
	const [first, second] = [made.get("127.0.0.1"), made.get("127.0.0.2")];
	assert.ok(first && second);
	const closed = once(first, "close");
	await made.set(["127.0.0.2", "127.0.0.3", "127.0.0.3"]);
	await closed;
	assert.deepEqual([made.get("127.0.0.1"), made.get("127.0.0.2")], [undefined, second]);
	assert.deepEqual(opened, ["127.0.0.1", "127.0.0.2", "127.0.0.3"]);
	await made.close();
	assert.equal(made.first, undefined);
});

test("an address that is not there any more is told, and keeps no other from being bound", async () => {
	const { made } = sockets();
	const unbound = await made.start(["192.0.2.1", "127.0.0.1"]);
	assert.deepEqual(
		unbound.map(({ address }) => address),
		["192.0.2.1"],
	);
	assert.ok(made.get("127.0.0.1"));
	await made.close();
});

test("changes run one after the other, and none comes behind the end", async () => {
	const { made } = sockets();
	assert.deepEqual(await made.set(["192.0.2.1"]), [], "nothing is bound before the start");
	const changes = [made.start(["127.0.0.1"]), made.set(["127.0.0.2"]), made.close(), made.set(["127.0.0.3"])];
	await Promise.all(changes);
	for (const address of ["127.0.0.1", "127.0.0.2", "127.0.0.3"]) assert.equal(made.get(address), undefined, address);
});

async function opened(): Promise<Socket> {
	const client = createSocket("udp4");
	client.bind(0, "127.0.0.7");
	await once(client, "listening");
	return client;
}

test("a DHCP server answers from the address that it got while it ran", async () => {
	const server = new DhcpServer({
		addresses: ["127.0.0.1"],
		port: 0,
		handler: { handle: (packet) => [{ delay: 0, packet: (siaddr) => ({ ...packet, op: 2, siaddr }) }] },
		clock: new ManualClock(),
		log: silentLogger,
	});
	await server.start();
	const client = await opened();
	try {
		await server.setAddresses(["127.0.0.2"]);
		client.send(encodePacket(lanProbe()), server.port, "127.0.0.1");
		const [bytes, from] = await once(client, "message");
		assert.deepEqual([decodePacket(bytes).siaddr, from.address], ["127.0.0.2", "127.0.0.2"]);
	} finally {
		client.close();
		await server.stop();
	}
});
