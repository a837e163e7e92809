import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { uploads } from "./uploads.ts";

const imageFile = (name: string) => new File(["no image"], name, { lastModified: 1 });

/** They wait: there is no server here. */
async function untilAllWait(): Promise<void> {
	while (uploads.views().some(({ state }) => state === "sending"))
		await new Promise((resolve) => setImmediate(resolve));
}

describe("a file that is chosen again", () => {
	afterEach(() => {
		for (const { key } of uploads.views()) uploads.dismiss(key);
	});

	it("takes the place of the attempt that it goes on with", async () => {
		for (const name of ["one.img", "other.img", "one.img"]) {
			uploads.add(imageFile(name));
			await untilAllWait();
		}
		assert.deepEqual(
			uploads.views().map(({ name, state }) => [name, state]),
			[
				["other.img", "waiting"],
				["one.img", "waiting"],
			],
		);
	});
});
