import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { ExternalError } from "../base/index.ts";
import { explainFullDisk, prepareFolder } from "./folders.ts";

const CHILD = fileURLToPath(new URL("folders.child.ts", import.meta.url));
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

	test("is refused when this user may not write it", () => {
		const path = join(place, "closed");
		mkdirSync(path);
		for (const folder of [place, path]) chmodSync(folder, 0o555);
		const as = (...words: string[]) =>
			spawnSync(process.execPath, [CHILD, path, ...words], { encoding: "utf8" }).stdout;
		try {
			assert.match(as("written"), /closed cannot be used: EACCES/);
			assert.equal(as("read"), "taken");
		} finally {
			chmodSync(place, 0o755);
		}
	});

	test("is refused where no folder can be made, at once", async () => {
		assert.match((await refusal("/proc/pi-netboot/data"))[0], /\/proc\/pi-netboot\/data cannot be used: E[A-Z]+/);
	});
});

test("a start that fails for want of room says of which disk", () => {
	const full = explainFullDisk(new ExternalError("ENOSPC", "write"), "/srv/data");
	assert.ok(full instanceof ExternalError);
	assert.equal(full.message, "the disk of /srv/data is full");
	const other = new Error("other");
	assert.equal(explainFullDisk(other, "/srv/data"), other);
});
