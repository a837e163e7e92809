import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { ExternalError } from "../base/index.ts";
import { prepareFolder } from "./folders.ts";

const DATA = { flag: "--data", mode: 0o700, isWritten: true };

let place = "";
before(() => {
	place = mkdtempSync(join(tmpdir(), "folders-"));
});
after(() => rmSync(place, { recursive: true }));

/** The message and the hint of the refusal. */
async function refusal(path: string): Promise<[string, string]> {
	try {
		await prepareFolder(path, DATA);
	} catch (error) {
		assert.ok(error instanceof ExternalError);
		return [error.message, error.hint ?? ""];
	}
	return assert.fail(`${path} was taken`);
}

describe("a folder that the server needs", () => {
	test("is made where it is missing, with those above it", async () => {
		const path = join(place, "a", "b");
		await prepareFolder(path, DATA);
		assert.equal(statSync(path).mode & 0o777, 0o700);
		await prepareFolder(path, DATA);
	});

	test("is refused when it is a file, or lies below one", async () => {
		const file = join(place, "file");
		writeFileSync(file, "");
		assert.deepEqual(await refusal(file), [`${file} is no folder`, "Name a folder with --data."]);
		const [message, hint] = await refusal(join(file, "data"));
		assert.match(message, /file\/data cannot be used: ENOTDIR/);
		assert.match(hint, /--data/);
	});

	test("is refused when this user may not write it", { skip: process.getuid?.() === 0 && "root may" }, async () => {
		const path = join(place, "closed");
		await prepareFolder(path, DATA);
		chmodSync(path, 0o500);
		assert.match((await refusal(path))[0], /closed cannot be used: EACCES/);
		await prepareFolder(path, { ...DATA, isWritten: false });
	});
});
