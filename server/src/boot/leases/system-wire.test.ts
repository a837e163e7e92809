import assert from "node:assert/strict";
import { test } from "node:test";
import type { Neighbour } from "../../net/index.ts";
import { SystemWire } from "./system-wire.ts";

const ADDRESS = "192.0.2.100";
const [ONE, TWO] = ["b8:27:eb:00:00:01", "b8:27:eb:00:00:02"];

/** A kernel's table, and a machine that answers it. */
function bench(answers?: string) {
	const table = new Map<string, string>();
	const forgotten: string[] = [];
	const wire = new SystemWire({
		async find(address, mac) {
			const found = table.get(address) ?? answers;
			return found === undefined || found === mac ? undefined : { mac: found };
		},
		async tell({ address, mac }: Neighbour) {
			table.set(address, mac);
			return true;
		},
		async forget(address) {
			await new Promise((resolve) => setImmediate(resolve));
			forgotten.push(table.get(address) ?? "");
			table.delete(address);
		},
	});
	const tell = (mac: string) => wire.tellNeighbour({ address: ADDRESS, mac, interface: "eth0" });
	return { wire, tell, forgotten };
}

test("what the kernel was told is no proof that somebody has an address", async () => {
	const { wire, tell, forgotten } = bench();
	assert.ok(await tell(ONE));
	const found = await Promise.all([wire.findHolder(ADDRESS, TWO), wire.findHolder(ADDRESS, TWO)]);
	assert.deepEqual([found, forgotten], [[undefined, undefined], [ONE]]);
});

test("nor is what the kernel is told while it is looked for somebody", async () => {
	const { wire, tell } = bench();
	await tell(ONE);
	const found = wire.findHolder(ADDRESS, TWO);
	await tell("b8:27:eb:00:00:03");
	assert.equal(await found, undefined);
});

test("who is there all the same is found", async () => {
	const { wire, tell } = bench(ONE);
	await tell(ONE);
	assert.deepEqual(await wire.findHolder(ADDRESS, TWO), { mac: ONE });
});

test("for the client itself the kernel forgets nothing", async () => {
	const { wire, tell, forgotten } = bench();
	await tell(ONE);
	assert.equal(await wire.findHolder(ADDRESS, ONE), undefined);
	assert.deepEqual(forgotten, []);
});
