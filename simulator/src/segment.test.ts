import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Segment } from "./segment.ts";
import { now, UdpPort } from "./udp.ts";

const open = () => UdpPort.open({ address: "127.0.0.1", port: 0 });

describe("a segment", () => {
	it("lets all hear what comes for one, until they are unplugged", async () => {
		const [one, other, left, server] = [await open(), await open(), await open(), await open()];
		const segment = new Segment();
		segment.plug(one);
		segment.plug(other);
		segment.plug(left)();
		server.send(Buffer.from("for one"), one.port, "127.0.0.1");
		for (const port of [one, other]) assert.equal(String((await port.receive(now() + 10_000))?.bytes), "for one");
		assert.equal(await left.receive(now()), undefined);
		assert.equal(await one.receive(now()), undefined);
		for (const port of [one, other, left, server]) await port.close();
	});
});
