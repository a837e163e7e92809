import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";
import { loadSecrets, writeSecretFile } from "./index.ts";

const directories: string[] = [];
let directory: string;

beforeEach(async () => {
	directory = await mkdtemp(join(tmpdir(), "secrets-"));
	directories.push(directory);
});
after(() => Promise.all(directories.map((path) => rm(path, { recursive: true }))));

test("secrets are made once and stay", async () => {
	const first = await loadSecrets(directory);
	assert.equal(first.handleKey.length, 32);
	assert.equal(first.apiToken.length, 64);
	assert.deepEqual(await loadSecrets(directory), first);
	assert.equal((await readFile(join(directory, "token"), "utf8")).trim(), first.apiToken);
});

test("two installations have different secrets", async () => {
	const [a, b] = await Promise.all([loadSecrets(join(directory, "a")), loadSecrets(join(directory, "b"))]);
	assert.notDeepEqual(a.handleKey, b.handleKey);
	assert.notEqual(a.apiToken, b.apiToken);
});

test("the files are their owner's alone, also after somebody opened them up", async () => {
	await loadSecrets(directory);
	await chmod(join(directory, "token"), 0o644);
	await loadSecrets(directory);
	for (const name of ["token", "handle-key"]) {
		assert.equal((await stat(join(directory, name))).mode & 0o777, 0o600, name);
	}
});

test("a person's own token is taken", async () => {
	await writeFile(join(directory, "token"), "correct-horse-battery-staple\n");
	assert.equal((await loadSecrets(directory)).apiToken, "correct-horse-battery-staple");
});

for (const [name, content] of [
	["token", ""],
	["token", "short"],
	["token", "with a space in the middle of it"],
	["handle-key", "00".repeat(31)],
	["handle-key", "zz".repeat(32)],
] as const) {
	test(`a damaged ${name} (${content.length} bytes) is refused, not replaced`, async () => {
		const path = join(directory, name);
		await writeFile(path, content);
		await assert.rejects(loadSecrets(directory), { name: "ExternalError", code: "secret-invalid" });
		assert.equal(await readFile(path, "utf8"), content);
	});
}

test("writing replaces the file whole and leaves nothing beside it", async () => {
	const path = join(directory, "x");
	await writeSecretFile(path, "one");
	await writeSecretFile(path, "two");
	assert.equal(await readFile(path, "utf8"), "two");
	assert.deepEqual(await readdir(directory), ["x"]);
});

test("a write that fails leaves nothing behind", async () => {
	await assert.rejects(writeSecretFile(join(directory, "missing", "x"), "one"), { code: "ENOENT" });
	const path = join(directory, "taken");
	await mkdir(join(path, "full"), { recursive: true });
	await assert.rejects(writeSecretFile(path, "one"));
	assert.deepEqual(await readdir(directory), ["taken"]);
});
