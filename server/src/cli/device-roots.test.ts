/** What the commands for roots and systems ask the server, and what they say. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import { type Harness, harness, token } from "../http/testing/harness.ts";
import { sampleDefaults, sampleSnapshot } from "../http/testing/samples.ts";
import { runCli } from "./index.ts";

const ID = "7bf18f79";
const HASH = `$6$abcdefgh$${"x".repeat(86)}`;
const KEY = `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${"G".repeat(43)} me@home`;
let server: Harness;
let folder: string;

before(async () => {
	server = harness();
	await server.http.start();
	folder = mkdtempSync(join(tmpdir(), "cli-roots-"));
	writeFileSync(join(folder, "token"), token);
	writeFileSync(join(folder, "hash"), `${HASH}\n`);
	writeFileSync(join(folder, "plain"), "hunter2\n");
	writeFileSync(join(folder, "keys"), `# mine\n${KEY}\n\n`);
	writeFileSync(join(folder, "user-data"), "#cloud-config\npackages: [htop]\n");
});

after(async () => {
	await server.http.stop();
	rmSync(folder, { recursive: true });
});

beforeEach(() => {
	server.services.calls.length = 0;
});

async function devices(...args: string[]) {
	const said = { out: "", err: "" };
	const terminal = {
		out: (text: string) => {
			said.out += text;
		},
		err: (text: string) => {
			said.err += text;
		},
		env: {},
	};
	const url = `http://127.0.0.1:${server.http.port}`;
	const never = async () => assert.fail("nobody asked to serve");
	const code = await runCli(["devices", ...args, "--url", url, "--data", folder], never, terminal);
	return { code, ...said };
}

describe("devices set", () => {
	it("says what the system gets, with secrets out of files", async () => {
		const flags = ["--user", "anna", "--timezone", "Europe/Berlin", "--locale", "de_DE.UTF-8", "--keyboard", "ch(fr)"];
		const files = ["--password-hash-file", join(folder, "hash"), "--ssh-keys", join(folder, "keys")];
		const more = ["--user-data", join(folder, "user-data"), "--wifi-country", "DE", "--quota", "4G"];
		const { code, err } = await devices("set", ID, ...flags, ...files, ...more);
		assert.deepEqual([code, err], [0, ""]);
		const customisation = {
			userName: "anna",
			passwordHash: HASH,
			authorizedKeys: [KEY],
			timeZone: "Europe/Berlin",
			locale: "de_DE.UTF-8",
			keyboard: "ch(fr)",
			wifiCountry: "DE",
			userData: "#cloud-config\npackages: [htop]\n",
		};
		assert.deepEqual(server.services.calls, [{ quotaBytes: 4e9, customisation }]);
	});

	it("takes settings away", async () => {
		await devices(
			"set",
			ID,
			"--user",
			"default",
			"--password-hash-file",
			"default",
			"--mode",
			"default",
			"--quota",
			"none",
		);
		await devices("set", ID, "--quota", "default");
		const customisation = { userName: null, passwordHash: null };
		const first = { rootMode: null, quotaBytes: 0, customisation };
		assert.deepEqual(server.services.calls, [first, { quotaBytes: null }]);
	});

	it("sends a password for the server to hash, from a file or from input", async () => {
		const { code, out, err } = await devices("set", ID, "--password-file", join(folder, "plain"));
		assert.equal(code, 0, err);
		assert.doesNotMatch(out + err, /hunter2/);
		await devices("set", ID, "--password-file", "default");
		const sent = [{ password: "hunter2" }, { passwordHash: null }];
		assert.deepEqual(
			server.services.calls,
			sent.map((customisation) => ({ customisation })),
		);
	});

	it("refuses a password, and does not repeat it", async () => {
		const { code, out, err } = await devices("set", ID, "--password-hash-file", join(folder, "plain"));
		assert.equal(code, 2);
		assert.match(err, /passwordHash: expected a password's hash/);
		assert.doesNotMatch(out + err, /hunter2/);
		assert.equal((await devices("set", ID, "--quota", "much")).code, 2);
		assert.deepEqual(server.services.calls, []);
	});
});

describe("devices snapshot", () => {
	it("keeps, lists, gives back and deletes", async () => {
		assert.match((await devices("snapshot", ID)).out, /^clean {2}2023-11-14 22:13 {2}52 MB {2}raspios-trixie$/m);
		assert.match((await devices("snapshot", ID, "before-upgrade")).out, /before-upgrade is kept \(52 MB\)/);
		assert.match((await devices("snapshot", ID, "clean", "--restore")).out, /begins its next boot with clean/);
		assert.match((await devices("snapshot", ID, "clean", "--delete")).out, /clean is deleted/);
		assert.deepEqual(server.services.calls, [
			[ID, "take", "before-upgrade"],
			[ID, "restore", "clean"],
			[ID, "remove", "clean"],
		]);
		assert.deepEqual(JSON.parse((await devices("snapshot", ID, "--json")).out), { snapshots: [sampleSnapshot] });
	});

	it("says what the server refuses", async () => {
		const taken = await devices("snapshot", ID, "clean");
		assert.deepEqual([taken.code, /There is one already/.test(taken.err)], [1, true]);
		assert.equal((await devices("snapshot", ID, "none", "--delete")).code, 1);
		assert.equal((await devices("snapshot", ID, "../etc")).code, 2);
		assert.equal((await devices("snapshot", ID, "--delete")).code, 2);
	});
});

describe("devices show", () => {
	it("tells what is set, and what each root and snapshot takes", async (t) => {
		const use = { imageId: "raspios-trixie", mode: "persistent", createdAt: 0, lastUsedAt: 86_400_000 } as const;
		const roots = [
			{ ...use, buildId: "b2", bytes: 30e6, isCurrent: true },
			{ ...use, buildId: "b1", bytes: 7e6, isCurrent: false },
		];
		const root = { bytes: 89e6, quotaBytes: 4e9, roots, snapshots: [sampleSnapshot] };
		t.mock.method(server.services.roots, "root", () => root);
		const { out } = await devices("show", ID);
		assert.match(out, /^name {5}pi-8f79$/m);
		assert.match(out, /^quota {4}4.0 GB\non disk {2}89 MB$/m);
		assert.match(out, /^current +raspios-trixie {2}b2 +30 MB /m);
		assert.match(out, /^persistent +raspios-trixie {2}b1 +7 MB /m);
		assert.match(out, /^snapshot clean +raspios-trixie .* 52 MB /m);
		const shown = JSON.parse((await devices("show", ID, "--json")).out);
		assert.deepEqual([shown.id, shown.root], [ID, root]);
		assert.equal((await devices("show", "00000000")).code, 1);
	});
});

describe("devices changes and defaults", () => {
	it("are shown", async () => {
		assert.equal((await devices("changes", ID)).out, "~ /etc/hosts  120\n");
		assert.match((await devices("defaults")).out, /^roots of older builds: 2 per device and image, 30 days$/m);
		assert.deepEqual(JSON.parse((await devices("defaults", "--json")).out), sampleDefaults);
	});

	it("are changed", async () => {
		const rule = ["--keep-builds", "1", "--keep-days", "forever", "--budget", "20G", "--mode", "ephemeral"];
		assert.equal((await devices("defaults", ...rule, "--quota", "2G", "--timezone", "UTC")).err, "");
		assert.deepEqual(server.services.calls, [
			{
				rootMode: "ephemeral",
				quotaBytes: 2e9,
				customisation: { timeZone: "UTC" },
				oldRoots: { kept: 1, days: null, budgetBytes: 20e9 },
			},
		]);
	});
});
