import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, test } from "node:test";
import { pino } from "pino";
import { homeOf, LoginKeys } from "./login-keys.ts";

/** A public key of a type whose blob says the type. */
function key(type: string, comment: string): string {
	const length = Buffer.alloc(4);
	length.writeUInt32BE(type.length);
	const blob = Buffer.concat([length, Buffer.from(type), Buffer.alloc(36, comment)]);
	return `${type} ${blob.toString("base64")} ${comment}`;
}

const MINE = key("ssh-ed25519", "me@laptop");
const OLD = key("ssh-rsa", "me@old");
const folders: string[] = [];

afterEach(() => {
	for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function lab() {
	const folder = mkdtempSync(join(tmpdir(), "keys-"));
	folders.push(folder);
	const [data, home] = [join(folder, "data"), join(folder, "home")];
	for (const made of [data, join(home, ".ssh")]) mkdirSync(made, { recursive: true });
	const lines: string[] = [];
	const log = pino({ level: "info" }, { write: (line: string) => void lines.push(JSON.parse(line).msg) });
	const put = (name: string, text: string) => writeFileSync(join(home, ".ssh", name), text);
	const file = join(data, "authorized_keys");
	return { keys: new LoginKeys(data, log, async () => [home]), home, put, file, lines };
}

describe("the first start", () => {
	test("takes the public keys of the person, and nothing else of the folder", async () => {
		const { keys, put, file, lines } = lab();
		put("id_ed25519.pub", `${MINE}\n`);
		put("id_rsa.pub", `${OLD}\n`);
		put("id_ed25519", "-----BEGIN OPENSSH PRIVATE KEY-----\n");
		put("authorized_keys", `${key("ssh-ed25519", "somebody@else")}\n`);
		put("id_broken.pub", "no key\n");
		await keys.load();
		assert.deepEqual(new Set(await keys.current()), new Set([MINE, OLD]));
		assert.equal(statSync(file).mode & 0o777, 0o600);
		assert.doesNotMatch(readFileSync(file, "utf8"), /PRIVATE|somebody/);
		assert.match(lines.join("\n"), /your 2 public SSH key\(s\) will open the Pis/);
	});

	test("says what to do where the person has none", async () => {
		const { keys, home, lines } = lab();
		rmSync(join(home, ".ssh"), { recursive: true });
		await keys.load();
		assert.deepEqual(await keys.current(), []);
		assert.match(lines.join("\n"), /is empty: put your public SSH key there/);
	});

	test("does not fail for a folder that cannot be read", async () => {
		const { keys, home, lines } = lab();
		rmSync(join(home, ".ssh"), { recursive: true });
		writeFileSync(join(home, ".ssh"), "");
		await keys.load();
		assert.match(lines[0] ?? "", /no public key is taken from .*ENOTDIR/);
		const again = lab();
		mkdirSync(join(again.home, ".ssh", "id_rsa.pub"));
		await again.keys.load();
		assert.match(again.lines[0] ?? "", /EISDIR/);
	});
});

describe("afterwards it is the person's file", () => {
	test("it is never filled again, not even when it is empty, or a link to nothing", async () => {
		const { keys, put, file } = lab();
		put("id_ed25519.pub", MINE);
		writeFileSync(file, "");
		await keys.load();
		assert.equal(readFileSync(file, "utf8"), "");
		rmSync(file);
		symlinkSync("nowhere", file);
		await keys.load();
		assert.deepEqual(await keys.current(), []);
	});

	test("it is read anew each time; what is wrong in it is said once", async () => {
		const { keys, file, lines } = lab();
		writeFileSync(file, `${MINE}\nnonsense\n`);
		await keys.load();
		for (let round = 0; round < 3; round++) assert.deepEqual(await keys.current(), [MINE]);
		assert.deepEqual(lines, ["authorized_keys line 2 is not a public key: left out"]);
		writeFileSync(file, `${OLD}\n`);
		assert.deepEqual(await keys.current(), [OLD]);
		rmSync(file);
		assert.deepEqual(await keys.current(), []);
	});

	test("while it cannot be read the keys stay as they were", async () => {
		const { keys, file, lines } = lab();
		writeFileSync(file, `${MINE}\n`);
		assert.deepEqual(await keys.current(), [MINE]);
		rmSync(file);
		mkdirSync(file);
		assert.deepEqual(await keys.current(), [MINE]);
		assert.match(lines.join(), /cannot be read/);
	});
});

test("who said sudo is the person, where root runs the server", () => {
	const passwd = "root:x:0:0:root:/root:/bin/bash\nann:x:1000:1000:Ann:/home/ann:/bin/bash\nno:x:9:9:::\n";
	const root = { home: "/root", isRoot: true, sudoUser: "ann", passwd };
	assert.equal(homeOf(root), "/home/ann");
	assert.equal(homeOf({ ...root, sudoUser: undefined }), "/root");
	assert.equal(homeOf({ ...root, sudoUser: "an" }), "/root");
	assert.equal(homeOf({ ...root, sudoUser: "no" }), "/root");
	assert.equal(homeOf({ ...root, isRoot: false, home: "/home/bob" }), "/home/bob");
});
