import assert from "node:assert/strict";
import { test } from "node:test";
import { Turns } from "./tftp-turns.ts";

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

function bench() {
	const seen: string[] = [];
	const receiver = (name: string) => ({ receive: (bytes: Buffer) => void seen.push(`${name}${bytes.toString()}`) });
	return { seen, receiver, turns: new Turns() };
}

test("a transfer that runs alone gets its datagrams at once", () => {
	const { seen, receiver, turns } = bench();
	turns.take(receiver("a"), Buffer.from("1"), true);
	assert.deepEqual(seen, ["a1"]);
});

test("in a crowd nothing is answered before all sockets were looked at, and then in the order in which it came", async () => {
	const { seen, receiver, turns } = bench();
	const [a, b] = [receiver("a"), receiver("b")];
	turns.take(a, Buffer.from("1"), false);
	turns.take(b, Buffer.from("1"), false);
	turns.take(a, Buffer.from("2"), false);
	assert.deepEqual(seen, []);
	await turn();
	assert.deepEqual(seen, ["a1", "b1", "a2"]);
});

test("a datagram never overtakes one of its own transfer, also when the others end meanwhile", async () => {
	const { seen, receiver, turns } = bench();
	const a = receiver("a");
	turns.take(a, Buffer.from("1"), false);
	turns.take(a, Buffer.from("2"), true);
	await turn();
	turns.take(a, Buffer.from("3"), true);
	assert.deepEqual(seen, ["a1", "a2", "a3"]);
});

test("what a datagram causes to come in waits for the next turn", async () => {
	const { seen, receiver, turns } = bench();
	const b = receiver("b");
	turns.take({ receive: () => turns.take(b, Buffer.from("1"), false) }, Buffer.alloc(0), false);
	await turn();
	assert.deepEqual(seen, []);
	await turn();
	assert.deepEqual(seen, ["b1"]);
});
