import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Away, Refusal } from "../../api/failures.ts";
import { forEach } from "./for-each.ts";

const pis = (count: number) => Array.from({ length: count }, (_, index) => ({ name: `pi-${index + 1}` }));
const refused = (name: string) =>
	new Refusal(409, { code: "agent-away", message: `${name} cannot be reached.`, hint: "Switch it on." });

/** What it says in the end. */
function said(order: Promise<void>): Promise<Error> {
	return order.then(
		() => assert.fail("nothing was refused"),
		(error: Error) => error,
	);
}

describe("an order for several Pis", () => {
	it("goes out a few at a time, and tells how far it is", async () => {
		let running = 0;
		let most = 0;
		const told: number[] = [];
		const act = async () => {
			most = Math.max(most, ++running);
			await new Promise((resolve) => setImmediate(resolve));
			running--;
		};
		await forEach(pis(50), act, (count) => told.push(count));
		assert.equal(most, 4);
		assert.deepEqual([told.length, told.at(-1)], [50, 50]);
	});

	it("says of one Pi what the server says", async () => {
		const error = refused("pi-1");
		assert.equal(await said(forEach(pis(1), () => Promise.reject(error))), error);
	});

	it("goes on after a refusal, and says in one word for whom and why it failed", async () => {
		const asked: string[] = [];
		const act = async ({ name }: { name: string }) => {
			asked.push(name);
			if (name === "pi-3") throw new Refusal(409, { code: "conflict", message: "It is being written." });
			if (/^pi-1\d$/.test(name)) throw refused(name);
		};
		const error = await said(forEach(pis(20), act));
		assert.equal(asked.length, 20);
		assert.equal(
			error.message,
			"Done for 9 of 20. Not for pi-3: It is being written. " +
				"Not for pi-10, pi-11, pi-12, pi-13, pi-14, and 5 more: pi-10 cannot be reached.",
		);
		assert.ok(error instanceof Refusal && error.code === "conflict");
	});

	it("ends when the server is away, or the login over: the others would fare no better", async () => {
		for (const reason of [
			new Away("The server does not answer."),
			new Refusal(401, { code: "unauthorized", message: "Log in." }),
		]) {
			let asked = 0;
			const error = await said(
				forEach(pis(200), async ({ name }) => {
					if (name === "pi-2") throw refused(name);
					if (++asked > 10) throw reason;
				}),
			);
			assert.ok(asked < 16, `${asked}`);
			assert.equal(error.message, `Done for 10 of 200. ${reason.message}`);
			assert.equal(error.constructor, reason.constructor);
		}
	});
});
