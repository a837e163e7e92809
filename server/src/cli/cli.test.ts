import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it, test } from "node:test";
import { NetbootError } from "../base/index.ts";
import { type Harness, harness, token } from "../http/testing/harness.ts";
import { sampleDevice, sampleImage } from "../http/testing/samples.ts";
import type { InterfaceKind, ServedInterface } from "../net/index.ts";
import { openStore } from "../store/index.ts";
import { type RunServer, runCli } from "./index.ts";
import { networkFinding } from "./network-finding.ts";
import { type Secret, table } from "./terminal.ts";

let server: Harness;
let dataDir: string;
let url: string;

before(async () => {
	server = harness();
	await server.http.start();
	url = `http://127.0.0.1:${server.http.port}`;
	dataDir = mkdtempSync(join(tmpdir(), "cli-"));
	writeFileSync(join(dataDir, "token"), `${token}\n`);
});

after(async () => {
	await server.http.stop();
	rmSync(dataDir, { recursive: true });
});

const noServer: RunServer = async () => assert.fail("nobody asked to serve");

interface RunOptions {
	readonly env?: NodeJS.ProcessEnv;
	readonly runServer?: RunServer;
	/** What is given where it asks for a secret, one after the other. */
	readonly secrets?: readonly Secret[];
}

async function run(args: string[], options: RunOptions = {}) {
	const out: string[] = [];
	const err: string[] = [];
	const secrets = [...(options.secrets ?? [])];
	const terminal = {
		out: (text: string) => void out.push(text),
		err: (text: string) => void err.push(text),
		env: options.env ?? {},
		askSecret: async () => secrets.shift(),
	};
	const exitCode = await runCli(args, options.runServer ?? noServer, terminal);
	return { exitCode, out: out.join(""), err: err.join("") };
}

const asking = (...args: string[]) => run([...args, "--url", url, "--data", dataDir]);

describe("commands that ask the server", () => {
	it("images", async () => {
		const { exitCode, out } = await asking("images");
		assert.equal(exitCode, 0);
		assert.deepEqual(out.split("\n"), [
			"ID                        STATE  SIZE    SYSTEM                       MODELS   FINDINGS",
			"raspios-trixie (default)  ready  3.0 GB  Raspberry Pi OS 13 (trixie)  pi4,pi5  -",
			"",
		]);
		assert.deepEqual(JSON.parse((await asking("images", "--json")).out), { images: [sampleImage], next: null });
	});

	it("images: findings by their number, in words where one is shown or was added", async () => {
		const { images } = server.services;
		const { list, get } = images;
		const finding = (severity: "error" | "warning" | "info", message: string) => ({ code: "x", severity, message });
		const findings = [
			finding("error", "No model can boot it."),
			finding("warning", "One\u202e."),
			finding("warning", "Two."),
			finding("info", "By the way."),
		];
		images.list = () => [{ ...sampleImage, findings }];
		images.get = () => ({ ...sampleImage, models: [], findings });
		const listed = (await asking("images")).out;
		assert.match(listed, /pi4,pi5 {2}1 error, 2 warnings\n`pi-netboot images show ID` tells them\.\n$/);
		const words = `${sampleImage.id}: error: No model can boot it.\n${sampleImage.id}: warning: One?.\n${sampleImage.id}: warning: Two.\n`;
		assert.ok((await asking("images", "show", sampleImage.id)).out.endsWith(words));
		const added = await asking("images", "add", "/srv/x.img");
		assert.equal(added.out, "raspios-trixie: ready, Raspberry Pi OS 13 (trixie), boots no model\n");
		assert.equal(added.err, words);
		Object.assign(images, { list, get });
		server.services.calls.splice(0);
	});

	it("password: asked for twice, out of a pipe, and taken away", async () => {
		const passwordSet = () => server.keeper.settings.get("passwordHash") !== undefined;
		const typing = (...words: string[]) => ({ secrets: words.map((text) => ({ text, isTyped: true })) });
		const password = (...args: string[]) => ["password", "--url", url, "--data", dataDir, ...args];
		const differing = await run(password(), typing("correct horse", "correct house"));
		assert.deepEqual([differing.exitCode, passwordSet()], [2, false]);
		assert.match(differing.err, /two different passwords; nothing was changed/);
		assert.equal((await run(password())).exitCode, 2);
		assert.match((await run(password(), typing("short", "short"))).err, /at least 8 characters/);
		const { exitCode, out, err } = await run(password(), typing("correct horse", "correct horse"));
		assert.deepEqual([exitCode, out, passwordSet()], [0, "The password is set.\n", true]);
		assert.doesNotMatch(out + err, /correct horse/);
		const piped = { secrets: [{ text: "out of a pipe", isTyped: false }] };
		assert.equal((await run(password(), piped)).exitCode, 0);
		assert.equal((await run(password("--clear"))).out, "There is no password any more.\n");
		assert.equal(passwordSet(), false);
	});

	it("hosts: allowed, listed and taken away", async () => {
		const added = await asking("hosts", "add", "Netboot.example.org");
		assert.match(added.out, /^NAME .*\nnetboot\.example\.org {2}allowed here\nbench {16}this machine's own\n/);
		assert.deepEqual(JSON.parse((await asking("hosts", "--json")).out).hosts, ["netboot.example.org"]);
		assert.equal((await asking("hosts", "add", "a b")).exitCode, 2);
		assert.doesNotMatch((await asking("hosts", "remove", "netboot.example.org")).out, /example/);
		assert.match((await asking("hosts", "remove", "netboot.example.org")).err, /none of the names/);
	});

	it("images list, default, rename and remove", async () => {
		assert.equal((await asking("images", "list")).out, (await asking("images")).out);
		const { id } = sampleImage;
		assert.deepEqual((await asking("images", "default", id)).out, `${id}: is the default image\n`);
		assert.deepEqual((await asking("images", "default", "newest")).out, "the newest image is the default\n");
		assert.equal((await asking("images", "rename", id, "new.img")).out, `${id}: is new.img now\n`);
		assert.equal((await asking("images", "remove", "old", "--delete")).out, "old: removed with its file\n");
		const refused = await asking("images", "remove", id);
		assert.equal(refused.exitCode, 1);
		assert.match(refused.err, /pi-8f79, bench run from "raspios-trixie"/);
		assert.deepEqual(server.services.calls.splice(0), [
			{ remove: "old", file: "delete" },
			{ remove: id, file: "keep" },
		]);
	});

	it("tokens, of which each is shown once", async () => {
		assert.equal((await asking("tokens")).out, "No token but the one in the data folder.\n");
		const made = await asking("tokens", "add", "ci");
		assert.match(made.out, /^pnb_[\w-]{32}\n$/);
		assert.match(made.err, /the only time/);
		const { tokens } = JSON.parse((await asking("tokens", "list", "--json")).out);
		const [{ id }] = tokens;
		assert.match((await asking("tokens")).out, new RegExp(`^ID .*\n${id}  ci    \\d{4}-\\d\\d-\\d\\d  never\n$`));
		assert.ok(!JSON.stringify(tokens).includes(made.out.trim()));
		assert.equal((await asking("tokens", "remove", id)).out, `${id}: revoked\n`);
		assert.equal((await asking("tokens", "remove", id)).exitCode, 1);
	});

	it("images add: an address, a path on this machine, an entry of the catalogue", async () => {
		const url = "http://example.invalid/x.img";
		const { out } = await asking("images", "add", url, "--replace");
		assert.equal(out, "raspios-trixie: ready, Raspberry Pi OS 13 (trixie), boots pi4, pi5\n");
		await asking("images", "add", "/srv/x.img", "--name", "y.img", "--json");
		await asking("images", "add", "catalog:raspios-lite", "--no-wait");
		assert.deepEqual(server.services.calls.splice(0), [
			{ url, replace: true },
			{ path: "/srv/x.img", name: "y.img" },
			{ catalog: "raspios-lite" },
		]);
		assert.equal((await asking("images", "add", url, "--sha256", "12")).exitCode, 2);
		const sum = "0".repeat(64);
		for (const words of [
			["/srv/x.img", "--replace"],
			["/srv/x.img", "--sha256", sum],
			["catalog:x", "--sha256", sum],
		]) {
			const { exitCode, err } = await asking("images", "add", ...words);
			assert.deepEqual([exitCode, /has no effect here/.test(err)], [2, true]);
		}
	});

	it("images add --upload: sends the file in pieces", async () => {
		const file = join(dataDir, "raspios-trixie");
		writeFileSync(file, Buffer.alloc(9 << 20, "x"));
		assert.equal((await asking("images", "add", file, "--upload")).exitCode, 0);
		const { offset, name, fingerprint, bytes } = server.services.uploads.get("u1") ?? assert.fail();
		assert.deepEqual([offset, name, fingerprint?.length], [9 << 20, "raspios-trixie", 32]);
		assert.ok(bytes.equals(Buffer.alloc(9 << 20, "x")));
		assert.equal((await asking("images", "add", join(dataDir, "none.img"), "--upload")).exitCode, 2);
	});

	it("images add --upload: goes on with what an earlier command has begun, unless the file is another one now", async () => {
		const file = join(dataDir, "raspios-trixie");
		const first = Buffer.alloc(9 << 20, "y");
		writeFileSync(file, first);
		const { uploads } = server.services;
		const append = uploads.append.bind(uploads);
		uploads.append = async (...piece) => {
			uploads.append = () => Promise.reject(new NetbootError("import-no-space", "The disk is full."));
			return append(...piece);
		};
		assert.equal((await asking("images", "add", file, "--upload")).exitCode, 1);
		uploads.append = append;
		const { err, exitCode } = await asking("images", "add", file, "--upload");
		assert.deepEqual([exitCode, /goes on with the upload of raspios-trixie at 8 MB/.test(err)], [0, true], err);
		assert.ok(uploads.get("u2")?.bytes.equals(first));
		assert.equal(uploads.get("u3"), undefined);
		writeFileSync(file, Buffer.alloc(9 << 20, "z"));
		assert.equal((await asking("images", "add", file, "--upload")).exitCode, 0);
		assert.equal(uploads.get("u3")?.offset, 9 << 20);
	});

	it("images show", async () => {
		const { out } = await asking("images", "show", sampleImage.id);
		assert.match(out, /^origin {3}put into the folder$/m);
		assert.match(out, /^kernels {2}kernel8\.img 6\.12\.47\+rpt-rpi-v8$/m);
		assert.match(out, /^run by {3}pi-8f79, bench$/m);
		assert.match(out, /^build {4}0011223344556677 \(newest\), run by pi-8f79, bench, 2 roots of 52 MB$/m);
		assert.deepEqual(JSON.parse((await asking("images", "show", sampleImage.id, "--json")).out), sampleImage);
		assert.deepEqual(JSON.parse((await asking("images", "remove", "old", "--json")).out), { id: "old", file: "keep" });
		server.services.calls.splice(0);
	});

	it("images catalog", async () => {
		const { out } = await asking("images", "catalog");
		assert.match(out, /^raspios-lite {2}500 MB {4}2026-10-01 {2}Raspberry Pi OS Lite$/m);
		assert.doesNotMatch(out, /eeprom/);
		assert.match((await asking("images", "catalog", "--all")).out, /Bootloader {12}It has no root file system\.$/m);
	});

	it("devices", async () => {
		const { out } = await asking("devices");
		assert.match(
			out,
			/^7bf18f79 {2}pi-8f79 {2}pi5 {4}192\.0\.2\.20 {2}kernel {2}3 {6}2023-11-1[45] \d\d:\d\d {2}default$/m,
		);
		assert.deepEqual(JSON.parse((await asking("devices", "--json")).out), { devices: [sampleDevice], next: null });
	});

	it("devices set: asks for the changes, and says what the device is now", async () => {
		const { exitCode, out } = await asking("devices", "set", "7bf18f79", "--name", "bench-3", "--mode", "ephemeral");
		assert.deepEqual([exitCode, out], [0, "7bf18f79: bench-3, the default image, ephemeral, netboot\n"]);
		const image = await asking("devices", "set", "7bf18f79", "--image", "default", "--intent", "disk", "--json");
		assert.deepEqual(JSON.parse(image.out), { ...sampleDevice, intent: "disk" });
		assert.deepEqual(server.services.calls, [
			{ name: "bench-3", rootMode: "ephemeral" },
			{ imageId: null, intent: "disk" },
		]);
	});

	it("devices reboot", async () => {
		assert.equal((await asking("devices", "reboot", "7bf18f79")).out, "7bf18f79: reboots\n");
		const { id, ordered } = JSON.parse((await asking("devices", "reboot", "7bf18f79", "--json")).out);
		assert.deepEqual([id, ordered], ["7bf18f79", true]);
	});

	it("devices reset", async () => {
		const { exitCode, out } = await asking("devices", "reset", "7bf18f79");
		assert.deepEqual([exitCode, out], [0, "7bf18f79: gets a fresh root at its next boot\n"]);
		assert.deepEqual(JSON.parse((await asking("devices", "reset", "7bf18f79", "--json")).out), {
			id: "7bf18f79",
			pending: true,
		});
	});

	it("take the server's flags before the name of a change, too", async () => {
		const { exitCode } = await run(["devices", "--url", url, "--data", dataDir, "reset", "7bf18f79"]);
		assert.equal(exitCode, 0);
	});

	it("refuse a change with 1 where the server does, with 2 where it cannot be meant", async () => {
		const unknown = await asking("devices", "set", "00000000", "--name", "bench");
		assert.equal(unknown.exitCode, 1);
		assert.match(unknown.err, /refuses \(404\)/);
		for (const [wrong, message] of [
			[["7bf18f79"], /nothing to change/],
			[["7bf18f79", "--name", "Not A Name"], /name: expected a host name/],
			[["7bf18f79", "--mode", "sometimes"], /Allowed choices are persistent, ephemeral, read-only/],
		] as const) {
			const { exitCode, err } = await asking("devices", "set", ...wrong);
			assert.equal(exitCode, 2);
			assert.match(err, message);
		}
	});

	it("login: the link works", async () => {
		const { out } = await asking("login");
		assert.ok(out.startsWith(`${url}/?code=`));
		assert.equal((await fetch(out.trim(), { redirect: "manual" })).status, 303);
	});

	it("find server and token by the environment, too", async () => {
		const env = { PI_NETBOOT_URL: url, DATA_DIR: dataDir };
		assert.equal((await run(["images"], { env })).exitCode, 0);
		assert.equal((await run(["images"], { env: { PI_NETBOOT_URL: url, PI_NETBOOT_TOKEN: token } })).exitCode, 0);
	});

	it("take a device by its name too, and say which they do not find", async () => {
		const { id, name } = sampleDevice;
		assert.equal(
			(await asking("devices", "reset", name.toUpperCase())).out,
			(await asking("devices", "reset", id)).out,
		);
		assert.equal(JSON.parse((await asking("devices", "show", name, "--json")).out).id, id);
		for (const nobody of ["bench-9", "../login-codes"]) {
			const { exitCode, err } = await asking("devices", "set", nobody, "--mode", "ephemeral");
			assert.equal(exitCode, 1);
			assert.ok(err.includes(`there is no device "${nobody}"`));
		}
	});

	it("ask where serve would listen with the same environment", async () => {
		const env = { HTTP_PORT: String(server.http.port), HTTP_HOST: "", DATA_DIR: dataDir };
		assert.equal((await run(["images"], { env })).exitCode, 0);
	});

	it("name the variable that says nothing of use, with what is expected", async () => {
		const said = async (env: NodeJS.ProcessEnv) => {
			const { exitCode, out, err } = await run(["images"], { env });
			assert.deepEqual([exitCode, out], [2, ""], JSON.stringify(env));
			return err;
		};
		for (const port of ["abc", "-1", "99999", "80.5"]) {
			assert.match(await said({ HTTP_PORT: port }), new RegExp(`HTTP_PORT "${port}": expected a port number`));
		}
		assert.match(await said({ HTTP_PORT: "0" }), /HTTP_PORT is 0, .*\nSay with --url/);
		assert.match(await said({ HTTP_HOST: "pi" }), /HTTP_HOST "pi": expected an address/);
		assert.match(await said({ PI_NETBOOT_URL: "pi.lan" }), /PI_NETBOOT_URL "pi.lan" is no address of a server/);
		const credentials = await said({ PI_NETBOOT_URL: "http://me:secret@pi.lan" });
		assert.match(credentials, /PI_NETBOOT_URL has a name or a password in it/);
		assert.doesNotMatch(credentials, /secret/);
		const error = await said({ PI_NETBOOT_TOKEN: "a secret\nin two lines" });
		assert.match(error, /PI_NETBOOT_TOKEN is no token/);
		assert.doesNotMatch(error, /secret/);
		assert.match((await run(["images", "--data", " "])).err, /--data " ": expected the path of a folder/);
	});

	it("exit with 3 when no server is there, and say so", async () => {
		const { exitCode, out, err } = await run(["devices", "--url", "http://127.0.0.1:9", "--data", dataDir]);
		assert.deepEqual([exitCode, out], [3, ""]);
		assert.match(err, /no server answers at http:\/\/127\.0\.0\.1:9 \(.+\)\nStart it with/);
	});

	it("exit with 1 when the token is missing or wrong", async () => {
		const missing = await run(["devices", "--url", url, "--data", join(dataDir, "none")]);
		assert.equal(missing.exitCode, 1);
		assert.match(missing.err, /there is none in the data folder/);
		const wrong = await run(["devices", "--url", url], { env: { PI_NETBOOT_TOKEN: "wrong" } });
		assert.equal(wrong.exitCode, 1);
		assert.match(wrong.err, /refuses \(401\)/);
	});
});

describe("the command line", () => {
	it("has --help for every command, with exit 0", async () => {
		const commands = [
			"serve",
			"images",
			"devices",
			"login",
			"password",
			"tokens",
			"hosts",
			"simulate",
			"doctor",
			"version",
		];
		const { exitCode, out } = await run(["--help"]);
		assert.equal(exitCode, 0);
		for (const command of commands) {
			assert.match(out, new RegExp(`^ {2}${command}\\b`, "m"));
			const help = await run([command, "--help"]);
			assert.equal(help.exitCode, 0);
			assert.match(help.out, new RegExp(`^Usage: pi-netboot ${command} \\[options\\]`));
		}
	});

	it("exits with 2 when it is not understood", async () => {
		for (const args of [
			["sreve"],
			["images", "--jsn"],
			["images", "extra"],
			["devices", "unset"],
			["devices", "reset"],
			["simulate", "--count", "0"],
			["--nonsense"],
		]) {
			const { exitCode, out, err } = await run(args);
			assert.deepEqual([exitCode, out], [2, ""], args.join(" "));
			assert.match(err, /error: /);
		}
		assert.equal((await run(["images", "--url", "pi"])).exitCode, 2);
		assert.match(
			(await run(["simulate", "--model", "zero2w"])).err,
			/Zero 2 W cannot boot from the network: it has no/,
		);
		assert.match((await run(["sreve"])).err, /^error: unknown command 'sreve'\n.*--help/);
	});

	it("prints the version", async () => {
		assert.match((await run(["version"])).out, /^\d+\.\d+\.\d+\n$/);
		assert.equal(JSON.parse((await run(["version", "--json"])).out).node, process.version);
	});
});

describe("serve", () => {
	it("prints the ready line on standard output, logs on standard error, stops at SIGTERM with 0", async () => {
		const events: string[] = [];
		const runServer: RunServer = async (config, log) => {
			log.child({ service: "http" }).info(`port ${config.httpPort}`);
			setImmediate(() => process.emit("SIGTERM", "SIGTERM"));
			return { readyLine: "ready http://192.0.2.2:1234/?code=x", stop: async () => void events.push("stopped") };
		};
		for (const args of [
			["serve", "--http-port", "1234"],
			["--http-port", "1234"],
		]) {
			const { exitCode, out, err } = await run(args, { runServer });
			assert.deepEqual([exitCode, out], [0, "ready http://192.0.2.2:1234/?code=x\n"]);
			assert.match(err, /info {2}http {5}port 1234\n/);
		}
		assert.deepEqual(events, ["stopped", "stopped"]);
	});

	it("exits with 2 and names every setting that is wrong", async () => {
		const { exitCode, err } = await run(["serve", "--http-port", "x"], { env: { AUTH: "y" } });
		assert.equal(exitCode, 2);
		assert.match(err, /2 settings are wrong:\n {2}--http-port "x": .*\n {2}AUTH "y": /);
	});

	it("exits with 1 when it cannot start", async () => {
		const { exitCode, err } = await run([], { runServer: () => Promise.reject(new Error("no disk")) });
		assert.equal(exitCode, 1);
		assert.match(err, /no disk/);
	});

	it("says what the system refuses, without the place in our code", async () => {
		const path = join(dataDir, "missing", "file");
		const runServer: RunServer = async () => assert.fail(readFileSync(path, "utf8"));
		const { exitCode, err } = await run([], { runServer });
		assert.deepEqual([exitCode, err], [1, `pi-netboot: ENOENT: no such file or directory, open '${path}'\n`]);
	});
});

describe("doctor", () => {
	const ports = (port: number) => [
		"--dhcp-port",
		"0",
		"--tftp-port",
		"0",
		"--nfs-port",
		"0",
		"--portmap-port",
		String(port),
		"--netconsole-port",
		"0",
	];
	const doctor = (...args: string[]) => run(["doctor", "--no-lan", "--images", dataDir, "--data", dataDir, ...args]);

	it("says what can be had, and of whom a taken port is", async () => {
		const { out } = await doctor(...ports(server.http.port), "--http-port", "0");
		assert.match(out, /^ok {4}port {8}NFS: tcp port 0 can be had$/m);
		assert.match(out, /^note {2}port {8}portmapper \(tcp port \d+\) is off: .* has the port\.$/m);
		assert.match(out, /^ok {4}data {8}.* is writable, \d.* free$/m);
		assert.match(out, /^note {2}images {6}.* holds no image yet$/m);
	});

	it("recognises the server that runs already", async () => {
		const { out } = await doctor(...ports(0), "--http-port", String(server.http.port));
		assert.match(out, /page and API: the running server has tcp port/);
	});

	it("knows what was set on the page, whether the server runs or not", async () => {
		const running = () => doctor(...ports(0), "--http-port", String(server.http.port));
		assert.doesNotMatch((await running()).out, /settings/);
		const { network } = server.services;
		const before = network.network;
		network.network = () => ({ ...before(), mode: "full" });
		assert.match((await running()).out, /^note {2}settings {4}the running server has dhcp full$/m);
		network.network = before;
		const folder = join(dataDir, "stored");
		const store = await openStore(join(folder, "netboot.db"));
		await store.settings.setAll({ dhcpMode: "full", interface: "none0" });
		await store.close();
		const args = ["doctor", "--no-lan", "--data", folder, "--images", dataDir, "--http-port", "0", ...ports(0)];
		const stopped = await run(args);
		assert.match(stopped.out, /^note {2}settings {4}set on the page: dhcp full, interface none0$/m);
		assert.match(stopped.out, /^BAD {3}network {5}there is no interface none0/m);
		assert.deepEqual(readdirSync(folder), ["netboot.db"]);
		assert.doesNotMatch((await run([...args, "--dhcp", "off", "--interface", "lo"])).out, /settings/);
		writeFileSync(join(folder, "netboot.db"), "no database");
		assert.match((await run(args)).out, /^note {2}settings {4}the data folder does not tell .*: /m);
	});

	it("exits with 1 when something keeps Pis from booting", async () => {
		const { exitCode, out } = await doctor("--json", "--interface", "none0", ...ports(0), "--http-port", "0");
		assert.equal(exitCode, 1);
		assert.equal(JSON.parse(out).findings[0].verdict, "bad");
	});
});

describe("a table", () => {
	it("lines up, and keeps control characters from the terminal", () => {
		assert.equal(
			table(
				["A", "B"],
				[
					["long\u001b[2J", ""],
					["x", "y"],
				],
			),
			"A         B\nlong?[2J\nx         y\n",
		);
	});
});

test("the doctor says that Pis need a cable where this machine has Wi-Fi alone", async () => {
	const on = (name: string, kind: InterfaceKind): ServedInterface => ({
		interface: { name, kind, mac: "02:00:00:00:00:01", addresses: [], hasDefaultRoute: true },
		address: "192.0.2.2",
	});
	const found = (...served: ServedInterface[]) => networkFinding({}, served);
	const { verdict, message } = await found(on("wlan0", "wireless"));
	assert.equal(verdict, "note");
	assert.match(message, /^192\.0\.2\.2 on wlan0 \(wireless\)\. That is Wi-Fi alone, and Pis boot over a cable alone: /);
	assert.equal((await found(on("wlan0", "wireless"), on("eth0", "wired"))).verdict, "good");
	assert.match((await found(on("lo", "loopback"))).message, /virtual Pis can boot, real ones not/);
	const missing = await networkFinding({ interface: "none0" }, []);
	assert.deepEqual([missing.verdict, missing.message.split(";")[0]], ["bad", "there is no interface none0"]);
});
