import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Admission, type Guest } from "./admission.ts";

class Transfer implements Guest {
	readonly address: string;
	isWanted: boolean;
	isEvicted = false;
	constructor(address: string, isWanted = false) {
		this.address = address;
		this.isWanted = isWanted;
	}
	evict(): void {
		this.isEvicted = true;
	}
}

/** Admits `count` transfers of one address. */
function fill(admission: Admission<Transfer>, address: string, count: number, isWanted = false): Transfer[] {
	return Array.from({ length: count }, () => {
		const transfer = new Transfer(address, isWanted);
		assert.ok(admission.admit(transfer));
		return transfer;
	});
}

const evicted = (transfers: readonly Transfer[]) => transfers.map(({ isEvicted }) => isEvicted);

test("a newcomer gets the place of the oldest transfer that nobody wants, of the address with most of them", () => {
	const admission = new Admission<Transfer>({ places: 8, perAddress: 6, fairShare: 4 });
	const few = fill(admission, "192.0.2.1", 2);
	const many = fill(admission, "192.0.2.2", 5);
	const wanted = fill(admission, "192.0.2.3", 1, true);
	assert.ok(admission.admit(new Transfer("192.0.2.4")));
	assert.deepEqual(evicted([...few, ...wanted, ...many]), [false, false, false, true, false, false, false, false]);
	assert.equal(admission.size, 8);
});

test("an address that wants them and has more than its share loses its oldest transfer to one that has none", () => {
	const admission = new Admission<Transfer>({ places: 8, perAddress: 8, fairShare: 4 });
	const greedy = fill(admission, "192.0.2.1", 6, true);
	fill(admission, "192.0.2.2", 2, true);
	assert.ok(admission.admit(new Transfer("192.0.2.3", true)));
	assert.deepEqual(evicted(greedy), [true, false, false, false, false, false]);
	assert.ok(admission.admit(new Transfer("192.0.2.3", true)));
	assert.equal(admission.admit(new Transfer("192.0.2.4")), false, "everybody has a fair share now");
});

test("who has just come keeps its place while others with more come again and again", () => {
	const admission = new Admission<Transfer>({ places: 12, perAddress: 8, fairShare: 4 });
	for (const address of ["192.0.2.1", "192.0.2.2"]) fill(admission, address, 6, true);
	const honest = new Transfer("192.0.2.9");
	assert.ok(admission.admit(honest));
	for (let each = 0; each < 20; each++) admission.admit(new Transfer(`192.0.2.${1 + (each % 2)}`));
	assert.equal(honest.isEvicted, false);
	assert.equal(admission.size, 12);
});

test("an address at its own limit makes room among its own, and takes nobody else's", () => {
	const admission = new Admission<Transfer>({ places: 100, perAddress: 3, fairShare: 4 });
	const others = fill(admission, "192.0.2.9", 3);
	const own = fill(admission, "192.0.2.1", 3);
	assert.ok(admission.admit(new Transfer("192.0.2.1", true)));
	assert.deepEqual(evicted([...others, ...own]), [false, false, false, true, false, false]);
	for (const transfer of own) transfer.isWanted = true;
	assert.equal(admission.admit(new Transfer("192.0.2.1")), false);
	assert.equal(fill(admission, "127.0.0.1", 50).length, 50, "virtual Pis share loopback");
});

test("whatever comes and goes, there are never more than the limits, and a newcomer of an idle address is let in", () => {
	const step = fc.record({ host: fc.nat(9), progressed: fc.boolean(), leaves: fc.boolean() });
	fc.assert(
		fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
			const admission = new Admission<Transfer>({ places: 20, perAddress: 8, fairShare: 4 });
			const inside = new Set<Transfer>();
			for (const { host, progressed, leaves } of steps) {
				const transfer = new Transfer(`192.0.2.${host}`, progressed);
				if (admission.admit(transfer)) inside.add(transfer);
				for (const other of inside) if (other.isEvicted) inside.delete(other);
				const [first] = inside;
				if (leaves && first !== undefined) {
					admission.leave(first);
					admission.leave(first);
					inside.delete(first);
				}
				assert.equal(admission.size, inside.size);
				assert.ok(inside.size <= 20);
				for (let each = 0; each < 10; each++) {
					const own = [...inside].filter(({ address }) => address === `192.0.2.${each}`);
					assert.ok(own.length <= 8);
				}
			}
			// At most three addresses can have more than four of the twenty: either there is room, or somebody is greedy.
			const isAllWanted = [...inside].every(({ isWanted }) => isWanted);
			if (inside.size < 20 || !isAllWanted) assert.ok(admission.admit(new Transfer("192.0.2.99")));
		}),
	);
});
