import assert from "node:assert/strict";
import { test } from "node:test";
import { classify, type PiClient } from "./classify.ts";
import { summarisePacket } from "./describe.ts";
import { lanProbe, readLanOffer } from "./lan-probe.ts";
import { type DhcpPacket, decodePacket, encodePacket } from "./packet.ts";
import { decideProxy, offerDelays, proxyOffer } from "./proxy.ts";
import {
	otherDiscover,
	pcDiscover,
	pi3Discover,
	pi3RomDiscover,
	pi400Discover,
	pi400ProxyOffer,
	pi400Request,
	routerOffer,
} from "./testing/frames.ts";

function clientOf(packet: DhcpPacket): PiClient {
	const decision = decideProxy(packet);
	assert.equal(decision.kind, "answer");
	return decision.kind === "answer" ? decision.client : assert.fail();
}

function offerTo(bytes: Buffer): Buffer {
	const discover = decodePacket(bytes);
	return encodePacket(proxyOffer(discover, clientOf(discover), "192.168.2.52"));
}

test("the OFFER to a Pi 400 is, byte for byte, the one that it was captured booting with", () => {
	assert.deepEqual(offerTo(pi400Discover), pi400ProxyOffer);
});

test("the OFFER to a Pi 3B+ has its GUID and the plain menu", () => {
	const offer = decodePacket(offerTo(pi3Discover("b8:27:eb:6c:4c:16", "b66c4c16")));
	assert.equal(offer.xid, 0x26f30339);
	assert.equal(offer.options.get(97)?.toString("hex"), `00${"164c6cb6".repeat(4)}`);
	assert.equal(offer.options.get(43)?.length, 32);
});

test("the mask ROM gets three more spaces, and its OFFER late and twice", () => {
	const menu = decodePacket(offerTo(pi3RomDiscover)).options.get(43);
	const expected =
		"06:01:03:0a:04:00:50:58:45:09:17:00:00:14:52:61:73:70:62:65:72:72:79:20:50:69:20:42:6f:6f:74:20:20:20:ff";
	assert.equal(menu?.toString("hex"), expected.replaceAll(":", ""));
	assert.deepEqual(offerDelays(clientOf(decodePacket(pi3RomDiscover))), [1150, 1600]);
	assert.deepEqual(offerDelays(clientOf(decodePacket(pi400Discover))), [0]);
});

test("a proxy is silent to REQUESTs, PCs, kernels and plain clients", () => {
	const cases = [decodePacket(pi400Request), decodePacket(routerOffer), pcDiscover, otherDiscover("")];
	for (const packet of cases) assert.equal(decideProxy(packet).kind, "silent");
});

test("a proxy is silent to firmware that boots over HTTP", () => {
	const packet = decodePacket(pi400Discover);
	const options = new Map(packet.options).set(55, Buffer.of(1, 3, 60, 66, 67));
	assert.equal(classify({ ...packet, options }).kind, "pi");
	assert.deepEqual(decideProxy({ ...packet, options }), {
		kind: "silent",
		reason: "asks for no boot server (HTTP boot)",
	});
});

test("the LAN is asked under a new, locally administered address each time", () => {
	const [first, second] = [lanProbe(), lanProbe()];
	assert.notDeepEqual(first.chaddr, second.chaddr);
	assert.equal((first.chaddr[0] ?? 0) & 0x03, 0x02);
	assert.deepEqual(decodePacket(encodePacket(first)), first);
	assert.equal(decideProxy(first).kind, "silent");
});

test("only OFFERs to our own question count", () => {
	const probe = lanProbe();
	const offer = { ...decodePacket(routerOffer), xid: probe.xid, chaddr: probe.chaddr, yiaddr: "192.168.2.40" };
	assert.deepEqual(readLanOffer(offer, probe), {
		server: "192.168.2.1",
		offered: "192.168.2.40",
		isBootServer: false,
	});
	assert.equal(readLanOffer({ ...offer, xid: 1 }, probe), undefined);
	assert.equal(readLanOffer({ ...offer, chaddr: Buffer.alloc(6) }, probe), undefined);
	assert.equal(readLanOffer({ ...offer, op: 1 }, probe), undefined);
	assert.equal(readLanOffer({ ...offer, options: new Map([[53, Buffer.of(5)]]) }, probe), undefined);
	const proxy = { ...decodePacket(pi400ProxyOffer), xid: probe.xid, chaddr: probe.chaddr };
	assert.equal(readLanOffer(proxy, probe)?.isBootServer, true);
});

test("a message in one line", () => {
	const packet = decodePacket(pi400Request);
	const line = summarisePacket(packet);
	assert.equal(line, 'REQUEST dc:a6:32:ec:fc:3c xid d0e3497c server 192.168.2.1 "PXEClient:Arch:00000:UNDI:002001"');
});

test("text of a client cannot forge a line of the log", () => {
	const packet = otherDiscover("3c06410a42 1b5b30".replace(/\s/g, ""));
	assert.ok(summarisePacket(packet).includes('"A\\x0aB\\x1b[0"'));
});
