import assert from "node:assert/strict";
import { it } from "node:test";
import { fakeServices } from "./testing/fake-services.ts";
import { bearer, harness } from "./testing/harness.ts";
import { sampleWrite } from "./testing/samples.ts";

it("writes are told page by page", async () => {
	const services = fakeServices();
	const all = ["a", "b", "c"].map((digit) => ({ ...sampleWrite, id: digit.repeat(16) }));
	const list = ({ before, limit }: { readonly before?: string | undefined; readonly limit: number }) => {
		const first = all.findIndex(({ id }) => id === before) + 1;
		return all.slice(first, first + limit);
	};
	const { http } = harness({ services: { ...services, writes: { ...services.writes, list } } });
	const pages: string[][] = [];
	for (let next: string | null = ""; next !== null; ) {
		const query: string = next === "" ? "" : `&before=${next}`;
		const url = `/api/v1/writes?limit=2${query}`;
		const { body } = await http.fastify.inject({ method: "GET", url, headers: bearer });
		const page = JSON.parse(body);
		pages.push(page.writes.map(({ id }: { id: string }) => id.slice(0, 1)));
		next = page.next;
	}
	assert.deepEqual(pages, [["a", "b"], ["c"]]);
});
