import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CLOCK_TOLERANCE_MS, RequestChecker, type SignedParts, signAnswer, signRequest } from "./signature.ts";

const NOW = 1_800_000_000_000;
const good: SignedParts = {
	method: "POST",
	path: "/api/v1/agent/next?x=1",
	body: Buffer.from("{}"),
	time: String(NOW),
	nonce: "0123456789abcdef0123456789abcdef",
};

describe("a signed request", () => {
	it("is good once", () => {
		const checker = new RequestChecker("secret", () => NOW);
		const signature = signRequest("secret", good);
		assert.equal(checker.check(good, signature), undefined);
		assert.equal(checker.check(good, signature), "replayed");
	});

	it("is refused when anything of it was changed, or the secret is another", () => {
		const checker = new RequestChecker("secret", () => NOW);
		const signature = signRequest("secret", good);
		const changes: Partial<SignedParts>[] = [
			{ method: "GET" },
			{ path: "/api/v1/agent/next?x=2" },
			{ body: Buffer.from("[]") },
			{ time: String(NOW + 1) },
			{ nonce: "1123456789abcdef0123456789abcdef" },
		];
		for (const change of changes) assert.equal(checker.check({ ...good, ...change }, signature), "bad-signature");
		assert.equal(checker.check(good, signRequest("other", good)), "bad-signature");
		assert.equal(checker.check(good, ""), "bad-signature");
		const long = { ...good, nonce: "a".repeat(1000) };
		assert.equal(checker.check(long, signRequest("secret", long)), "bad-signature");
	});

	it("is refused when its clock is wrong, and cannot be replayed when it is forgotten", () => {
		let now = NOW;
		const checker = new RequestChecker("secret", () => now);
		const signature = signRequest("secret", good);
		assert.equal(checker.check(good, signature), undefined);
		now += 2 * CLOCK_TOLERANCE_MS + 1;
		assert.equal(checker.check(good, signature), "clock");
		const odd = { ...good, time: "soon" };
		assert.equal(checker.check(odd, signRequest("secret", odd)), "clock");
	});

	it("an answer is bound to the request, its status and its body", () => {
		const body = Buffer.from("{}");
		const all = [
			signAnswer("secret", "a", 200, body),
			signAnswer("secret", "b", 200, body),
			signAnswer("secret", "a", 404, body),
			signAnswer("secret", "a", 200, Buffer.from("")),
			signAnswer("other", "a", 200, body),
		];
		assert.equal(new Set(all).size, all.length);
	});
});
