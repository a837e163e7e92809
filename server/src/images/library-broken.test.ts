import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { inspectImage } from "./inspect.ts";
import { BROKEN_INPUTS } from "./testing/broken-inputs.ts";
import { startLab, work } from "./testing/library-lab.ts";

test("what people take for an image is broken, and each says what it is; nothing is left behind", async () => {
	const unpackedFolder = path.join(work, "unpacked");
	const makings = fs.mkdtempSync(path.join(work, "makings-"));
	const lab = await startLab(
		(folder) => {
			for (const [name, { make }] of Object.entries(BROKEN_INPUTS)) make(path.join(folder, name), makings);
		},
		{ inspect: inspectImage, unpackedFolder },
	);
	for (let turn = 0; lab.library.list().some(({ state }) => state === "importing"); turn++) {
		assert.ok(turn < 2000, JSON.stringify(lab.library.list().filter(({ state }) => state === "importing")));
		await lab.pass(100);
		await new Promise((resolve) => setTimeout(resolve, 10));
	}
	const found = new Map(lab.library.list().map((image) => [image.name, image]));
	for (const [name, { says }] of Object.entries(BROKEN_INPUTS)) {
		const image = found.get(name) ?? assert.fail(`${name} is not listed`);
		assert.equal(image.state, "broken", name);
		const sentences = image.findings.filter(({ severity }) => severity === "error").map(({ message }) => message);
		assert.match(sentences[0] ?? "", says, name);
		assert.equal(lab.library.choose(image.id), undefined);
	}
	assert.deepEqual(fs.readdirSync(unpackedFolder), []);
	assert.equal(lab.library.defaultId, undefined);
});
