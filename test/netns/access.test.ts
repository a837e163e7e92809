/**
 * A whole run, looked at from outside: what is secret is in no log line and in no answer, the bootloader's own log comes with
 * its Pi, and what was set is there again after a kill.
 */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, describe, it } from "node:test";
import {
	type AuditPage,
	allRoutes,
	type BootPage,
	type CreatedToken,
	type DeviceList,
	type LoginCode,
	type LogLines,
	type TokenList,
} from "@pi-netboot/api";
import { Background, must } from "../harness/command.ts";
import { eventually } from "../harness/eventually.ts";
import { Lab, SERVER_ADDRESS } from "../harness/lab.ts";
import { IMAGE_PROGRAMS, lacks } from "../harness/needs.ts";
import { Router } from "../harness/router.ts";
import { Server } from "../harness/server.ts";
import { makeSmallImage } from "../harness/small-image.ts";
import { assertBooted, powerOn } from "../harness/virtual-pi.ts";

const PI = { model: "pi4", mac: "e4:5f:01:09:02:f7", serial: "91cdf03d" };
const PASSWORD = "correct horse battery staple";
const PI_PASSWORD = "a horse of the Pi alone";
const URL_PASSWORD = "horse-at-the-gate";
const HASH = `$6$saltsalt$${"H".repeat(86)}`;
const USER_DATA = "#cloud-config\n# only-this-device-knows\n";

const skip = await lacks(["ip", "curl", "dnsmasq", ...IMAGE_PROGRAMS]);
let folder = "";
let lab: Lab;
let router: Router;
let server: Server;
/** Listens to all events from the start of the server to its end. */
let listener: Background;
/** All that the API answered, and what each server has logged. */
const answers: string[] = [];
const logs: string[] = [];
const secrets = new Map<string, string>();

const options = () => ({ images: join(folder, "images"), data: join(folder, "data"), logLevel: "debug" });

async function ask<T>(method: string, path: string, body?: unknown): Promise<T> {
	const answer = await server.api(method, path, body);
	answers.push(JSON.stringify(answer ?? ""));
	return answer as T;
}

before(async () => {
	if (skip !== false) return;
	folder = await mkdtemp(join(tmpdir(), "access-"));
	mkdirSync(join(folder, "images"));
	makeSmallImage(join(folder, "images"), folder, { kernelBytes: 10_000 });
	lab = await Lab.create();
	router = await Router.start(lab);
	await lab.addHost("pi", { mac: PI.mac });
	await lab.addHost("con", { mac: "02:00:5e:00:54:01", address: "10.77.0.31/24" });
	await must(["ip", "-n", lab.host("con"), "route", "add", "default", "dev", "con0"]);
	server = await Server.start(lab, options());
	await server.waitForImage("small");
	listener = await listen();
});

async function bearerOf(): Promise<string> {
	return `authorization: Bearer ${(await readFile(join(folder, "data/token"), "utf8")).trim()}`;
}

async function listen(): Promise<Background> {
	const url = `http://${SERVER_ADDRESS}:38434/api/v1/events`;
	const stream = new Background(lab.on("rtr", ["curl", "-sSN", "-H", await bearerOf(), url]));
	await stream.waitFor(/^retry: /m, 10_000);
	return stream;
}

after(async () => {
	if (skip !== false) return;
	await listener?.stop("SIGTERM");
	await server?.stop();
	await router?.stop();
	await lab?.remove();
	await rm(folder, { recursive: true });
});

/** Broadcasts a bootloader's lines, as from the address that its configuration made up. */
function say(lines: string): Promise<string> {
	const program = `const s = require("node:dgram").createSocket("udp4");
		s.bind(6665, () => { s.setBroadcast(true); s.send(process.argv[1], 6666, "255.255.255.255", () => s.close()); });`;
	return must(lab.on("con", [process.execPath, "-e", program, lines]));
}

describe("a server that runs", { skip }, () => {
	it("takes a password and a token for a program, and writes down who changed what", async () => {
		await ask("PUT", "/api/v1/password", { password: PASSWORD });
		const { token } = await server.api<CreatedToken>("POST", "/api/v1/tokens", { name: "ci" });
		secrets.set("named token", token).set("password", PASSWORD);
		const data = ["-H", "content-type: application/json", "-d", JSON.stringify({ imageId: null })];
		const own = ["-H", `authorization: Bearer ${token}`];
		const url = `http://${SERVER_ADDRESS}:38434/api/v1`;
		assert.equal((await must(lab.on("rtr", ["curl", "-sS", ...own, `${url}/tokens`]))).includes('"ci"'), true);
		await must(lab.on("rtr", ["curl", "-sS", "-X", "PATCH", ...own, ...data, `${url}/devices/00000000`]));
		const { code } = await server.api<LoginCode>("POST", "/api/v1/login-codes");
		const opened = await must(lab.on("rtr", ["curl", "-sSi", `http://${SERVER_ADDRESS}:38434/?code=${code}`]));
		const [, session] = /^set-cookie: pi-netboot-\d+=([^;\s]+)/im.exec(opened) ?? assert.fail(opened);
		secrets.set("login code", code).set("session", session ?? "");
		const { entries } = await ask<AuditPage>("GET", "/api/v1/audit");
		assert.deepEqual(
			entries.map(({ who, action }) => `${who} ${action}`),
			["link login", "token createLoginCode", "token createToken", "token setPassword"],
		);
	});

	it("boots a Pi, and keeps its boot with its stages", async () => {
		assertBooted(await powerOn(lab, "pi", PI));
		const { devices } = await ask<DeviceList>("GET", "/api/v1/devices");
		assert.deepEqual(
			devices.map(({ id, stage }) => [id, stage]),
			[[PI.serial, "userspace"]],
		);
		const password = { password: PI_PASSWORD };
		await ask("PATCH", `/api/v1/devices/${PI.serial}`, { customisation: password });
		await ask("PATCH", "/api/v1/defaults", { customisation: password });
		secrets.set("password of a Pi", PI_PASSWORD);
		await ask("POST", "/api/v1/images", {
			url: `http://somebody:${URL_PASSWORD}@127.0.0.1:9/x.img?key=${URL_PASSWORD}`,
		});
		secrets.set("password in an address", URL_PASSWORD);
		await ask("PATCH", `/api/v1/devices/${PI.serial}`, { customisation: { passwordHash: HASH, userData: USER_DATA } });
		secrets.set("hash of a Pi's password", HASH).set("user-data", "only-this-device-knows");
		const { boots } = await ask<BootPage>("GET", `/api/v1/devices/${PI.serial}/boots`);
		assert.deepEqual(
			boots.map(({ stages }) => stages.map(({ stage }) => stage)),
			[["dhcp", "firmware", "kernel", "root", "userspace"]],
		);
	});

	it("shows what a bootloader says with the Pi that says it", async () => {
		await say(
			`RPi: BOOTLOADER release VERSION:c258ef8f\nNET_BOOT: ${PI.mac} wait for link TFTP: 0.0.0.0\nLink ready\n`,
		);
		const lines = await eventually(
			"the lines of the bootloader",
			async () => {
				const found = await ask<LogLines>("GET", `/api/v1/logs?service=netconsole&device=${PI.serial}`);
				return found.lines.length >= 3 ? found.lines : undefined;
			},
			10_000,
		);
		assert.equal(lines.at(-1)?.message, "Link ready");
	});

	it("answers every question that has no parameter", async () => {
		for (const [id, { method, path }] of allRoutes()) {
			if (method !== "GET" || path.includes(":") || id === "streamEvents" || id === "getCatalog") continue;
			const bearer = await bearerOf();
			const url = `http://${SERVER_ADDRESS}:38434${path}`;
			const text = await must(lab.on("rtr", ["curl", "-sS", "--fail-with-body", "-H", bearer, url]));
			answers.push(text);
			if (id === "getMetrics") {
				assert.match(text, /^pi_netboot_rpc_calls_total\{program="nfs3",procedure="READ"\} [1-9]/m);
				assert.match(text, /^pi_netboot_tftp_transfers_total\{outcome="complete"\} [1-9]/m);
				assert.match(text, /^pi_netboot_dhcp_replies_total\{type="discover"\} [1-9]/m);
			}
		}
	});

	it("has all of it again after a kill", async () => {
		answers.push(listener.output);
		assert.match(listener.output, /^event: device$/m);
		logs.push(server.log);
		process.kill(server.pid, "SIGKILL");
		await server.stop();
		server = await Server.start(lab, options());
		listener = await listen();
		assert.deepEqual(
			(await ask<TokenList>("GET", "/api/v1/tokens")).tokens.map(({ name }) => name),
			["ci"],
		);
		const login = ["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "-H", "content-type: application/json"];
		const body = ["-d", JSON.stringify({ password: PASSWORD }), `http://${SERVER_ADDRESS}:38434/api/v1/login`];
		assert.equal(await must(lab.on("rtr", [...login, ...body])), "204");
		const { entries } = await ask<AuditPage>("GET", "/api/v1/audit");
		assert.deepEqual(
			entries.slice(0, 2).map(({ who, action }) => `${who} ${action}`),
			["password login", "token changeDevice"],
		);
		assert.equal((await ask<BootPage>("GET", `/api/v1/devices/${PI.serial}/boots`)).boots.length, 1);
	});

	it("has said no secret, in no line of its debug log and in no answer", async () => {
		await server.stop();
		await listener.ended;
		answers.push(listener.output);
		logs.push(server.log);
		secrets.set("token", readFileSync(join(folder, "data/token"), "utf8").trim());
		secrets.set("key of the handles", readFileSync(join(folder, "data/handle-key"), "utf8").trim());
		const database = new DatabaseSync(join(folder, "data/netboot.db"), { readOnly: true });
		for (const { export_token: path, secret } of database.prepare("select export_token, secret from boots").all()) {
			secrets.set("path of a root", String(path)).set("secret of an agent", String(secret));
		}
		const stored = [
			...database.prepare("select ssh_host_keys from devices where ssh_host_keys is not null").all(),
			...database.prepare("select value from settings where key = 'passwordHash'").all(),
			...database.prepare("select hash from tokens").all(),
		];
		database.close();
		for (const [index, row] of stored.entries()) {
			// Of a private key its middle, of a hash its end: what goes before is the same for all of a kind.
			const words = JSON.stringify(row).match(/[A-Za-z0-9+/_-]{32,}/g) ?? [];
			assert.ok(words.length > 0, Object.keys(row).join());
			for (const [part, word] of words.entries()) secrets.set(`stored ${index}.${part}`, word.slice(-32));
		}
		assert.ok(secrets.size >= 10, [...secrets.keys()].join(", "));
		const everything = [...logs, ...answers].join("\n");
		assert.match(everything, /mounts its root/);
		for (const [what, secret] of secrets) {
			assert.ok(secret.length >= 12, what);
			assert.ok(!everything.includes(secret), `${what} was said: ${around(everything, secret)}`);
		}
	});
});

function around(text: string, secret: string): string {
	const at = text.indexOf(secret);
	return text.slice(Math.max(0, at - 120), at);
}
