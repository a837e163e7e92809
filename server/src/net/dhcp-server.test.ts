import assert from "node:assert/strict";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { test } from "node:test";
import { ManualClock, silentLogger } from "../base/index.ts";
import { type DhcpPacket, decodePacket, encodePacket, lanProbe } from "../wire/dhcp/index.ts";
import { type DhcpHandler, DhcpServer } from "./dhcp-server.ts";
import { askLan } from "./lan-probe.ts";

/** Answers everything with itself, its `op` turned round and the server's address in `siaddr`. */
function echo(delays: readonly number[], seen: DhcpPacket[] = []): DhcpHandler {
	return {
		handle(packet) {
			seen.push(packet);
			return delays.map((delay) => ({ delay, packet: (address) => ({ ...packet, op: 2, siaddr: address }) }));
		},
	};
}

async function withServer(
	handler: DhcpHandler,
	addresses: readonly string[],
	work: (port: number, client: Socket, clock: ManualClock) => Promise<void>,
): Promise<void> {
	const clock = new ManualClock();
	const server = new DhcpServer({ addresses, port: 0, handler, clock, log: silentLogger });
	const client = createSocket("udp4");
	await server.start();
	try {
		await work(server.port, client, clock);
	} finally {
		client.close();
		await server.stop();
	}
}

const question = lanProbe();

test("a client on loopback is answered at its own address and port, from the served address", async () => {
	await withServer(echo([0]), ["127.0.0.1"], async (port, client) => {
		client.bind(0, "127.0.0.7");
		await once(client, "listening");
		client.send(encodePacket(question), port, "127.0.0.1");
		const [bytes, from] = await once(client, "message");
		assert.deepEqual(decodePacket(bytes), { ...question, op: 2, siaddr: "127.0.0.1" });
		assert.deepEqual([from.address, from.port], ["127.0.0.1", port]);
	});
});

test("a client that asks another address of the machine is answered from the served one", async () => {
	await withServer(echo([0]), ["127.0.0.1"], async (port, client) => {
		client.send(encodePacket(question), port, "127.0.0.9");
		const [, from] = await once(client, "message");
		assert.equal(from.address, "127.0.0.1");
	});
});

test("answers wait for their time", async () => {
	const seen: DhcpPacket[] = [];
	await withServer(echo([0, 1150, 1600], seen), ["127.0.0.1"], async (port, client, clock) => {
		let answers = 0;
		client.on("message", () => answers++);
		client.send(encodePacket(question), port, "127.0.0.1");
		await once(client, "message");
		assert.equal(answers, 1);
		clock.advance(1150);
		await once(client, "message");
		assert.equal(answers, 2);
		assert.equal(seen.length, 1);
	});
});

test("an answer that takes its time is sent when it is there, from those addresses that have one", async () => {
	const handler: DhcpHandler = {
		handle: async (packet) => [
			{ delay: 0, packet: () => undefined },
			{ delay: 0, packet: (address) => (address === "127.0.0.2" ? { ...packet, op: 2 } : undefined) },
		],
	};
	await withServer(handler, ["127.0.0.1", "127.0.0.2"], async (port, client) => {
		client.send(encodePacket(question), port, "127.0.0.9");
		const [, from] = await once(client, "message");
		assert.equal(from.address, "127.0.0.2");
	});
});

test("malformed messages and a handler that throws do no harm", async () => {
	let calls = 0;
	const handler: DhcpHandler = {
		handle(packet) {
			if (calls++ === 0) throw new Error("a bug");
			return [{ delay: 0, packet: () => packet }];
		},
	};
	await withServer(handler, ["127.0.0.1"], async (port, client) => {
		client.send(Buffer.from("junk"), port, "127.0.0.1");
		client.send(Buffer.alloc(0), port, "127.0.0.1");
		client.send(encodePacket(question), port, "127.0.0.1");
		client.send(encodePacket(question), port, "127.0.0.1");
		await once(client, "message");
		assert.equal(calls, 2);
	});
});

test("an answer that cannot be made, at once or later, does no harm", async () => {
	const handler: DhcpHandler = {
		handle: (packet) => [
			{ delay: 5, packet: () => ({ ...packet, sname: "x".repeat(65) }) },
			{ delay: 0, packet: () => assert.fail("a bug") },
			{ delay: 9, packet: () => packet },
		],
	};
	await withServer(handler, ["127.0.0.1"], async (port, client, clock) => {
		client.send(encodePacket(question), port, "127.0.0.1");
		const answer = once(client, "message");
		// The message arrives at some time from now on; only then does its timer run.
		const hand = setInterval(() => clock.advance(10), 5);
		await answer;
		clearInterval(hand);
	});
});

test("a second server beside the first works, and knows that it is not alone", async () => {
	await withServer(echo([]), ["127.0.0.1"], async (port) => {
		const options = { addresses: ["127.0.0.1"], handler: echo([]), clock: new ManualClock(), log: silentLogger };
		const beside = new DhcpServer({ ...options, port });
		await assert.doesNotReject(beside.start());
		assert.equal(beside.isShared, true);
		await beside.stop();
		await beside.stop();
	});
});

test("an address that this machine does not have is refused, and nothing stays open", async () => {
	const server = new DhcpServer({
		addresses: ["192.0.2.1"],
		port: 0,
		handler: echo([]),
		clock: new ManualClock(),
		log: silentLogger,
	});
	await assert.rejects(server.start(), { code: "EADDRNOTAVAIL" });
	assert.equal(server.port, 0);
});

async function freePort(): Promise<number> {
	const socket = createSocket("udp4").bind(0, "127.0.0.1");
	await once(socket, "listening");
	const { port } = socket.address();
	socket.close();
	await once(socket, "close");
	return port;
}

test("asking the LAN: each server that answers is named once", async () => {
	const router = createSocket("udp4");
	router.bind(0, "127.0.0.1");
	await once(router, "listening");
	const clock = new ManualClock();
	const clientPort = await freePort();
	const answers = new Map([
		[53, Buffer.of(2)],
		[54, Buffer.of(192, 0, 2, 1)],
	]);
	router.on("message", (bytes, from) => {
		const discover = decodePacket(bytes);
		const offer = encodePacket({ ...discover, op: 2, yiaddr: "192.0.2.40", options: answers });
		router.send(Buffer.from("junk"), from.port, from.address);
		router.send(offer, from.port, from.address);
		router.send(offer, from.port, from.address, () => setTimeout(() => clock.advance(6000), 20));
	});
	const answer = await askLan({
		address: "127.0.0.1",
		clock,
		clientPort,
		serverPort: router.address().port,
		destination: "127.0.0.1",
	});
	router.close();
	assert.deepEqual(answer, {
		kind: "asked",
		offers: [{ server: "192.0.2.1", offered: "192.0.2.40", isBootServer: false }],
	});
});

test("waiting for the LAN ends with its signal, and leaves no socket behind", async () => {
	const stop = new AbortController();
	const router = createSocket("udp4");
	router.bind(0, "127.0.0.1");
	await once(router, "listening");
	router.once("message", () => stop.abort());
	const clientPort = await freePort();
	const place = { address: "127.0.0.1", destination: "127.0.0.1", serverPort: router.address().port, clientPort };
	const answer = await askLan({ ...place, clock: new ManualClock(), signal: stop.signal });
	assert.deepEqual(answer, { kind: "asked", offers: [] });
	// The port is free again: it can be had alone.
	const alone = createSocket("udp4").bind(clientPort, "127.0.0.1");
	await once(alone, "listening");
	alone.close();
	router.close();
});

test("a LAN that cannot be asked is a result, not an error", async () => {
	const answer = await askLan({ address: "192.0.2.1", clock: new ManualClock(), clientPort: 0 });
	assert.equal(answer.kind, "not-asked");
	assert.match(answer.kind === "not-asked" ? answer.reason : "", /cannot bind udp 192\.0\.2\.1/);
});
