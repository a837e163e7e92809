/** The program as its users meet it: the ready line, the page, the commands, the stop. */
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import type { DeviceList, ImageList } from "@pi-netboot/api";
import { Background, must, run } from "../harness/command.ts";
import { eventually } from "../harness/eventually.ts";
import { ROUTER_ADDRESS, SERVER_ADDRESS } from "../harness/lab.ts";
import { IMAGE_PROGRAMS, lacks } from "../harness/needs.ts";
import { makeSmallImage } from "../harness/small-image.ts";
import { assertBooted, powerOn } from "../harness/virtual-pi.ts";
import { PI_NETBOOT, type Serving, Workshop } from "../harness/workshop.ts";

const TYPIST = fileURLToPath(new URL("typist.py", import.meta.url));
const UNFINISHED = fileURLToPath(new URL("unfinished-client.ts", import.meta.url));
const PAGE = `http://${SERVER_ADDRESS}:38434`;
const PI4 = { model: "pi4-2026", mac: "e4:5f:01:09:02:f7", serial: "1000000091cdf03d" };

const skip = await lacks(["ip", "curl", "dnsmasq", "python3", ...IMAGE_PROGRAMS]);
let shop: Workshop;

before(async () => {
	if (skip === false) shop = await Workshop.open();
});

after(async () => {
	if (skip === false) await shop?.close();
});

/** Asks the page from another machine; gives the status, the headers and the body. */
function curl(...words: string[]): Promise<string> {
	return must(shop.lab.on("rtr", ["curl", "-sS", "-i", "-m", "10", ...words]));
}

const imagesOf = async (server: Serving) => (await server.asks<ImageList>("images")).images;

interface Finding {
	readonly verdict: string;
	readonly message: string;
}

describe("a server", { skip }, () => {
	let server: Serving;

	before(async () => {
		server = await shop.serve();
	});

	after(() => shop.stopAll());

	it("prints the ready line, and nothing else, on standard output", () => {
		assert.match(server.program.output, new RegExp(`^ready ${PAGE}/\\?code=[a-z0-9]+\n$`));
		assert.match(server.log(), /serves srv0 \(10\.77\.0\.1\)/);
	});

	it("keeps its secrets to itself", () => {
		const { data } = server;
		assert.equal(statSync(join(data, "token")).mode & 0o777, 0o600);
		const others = readdirSync(data).filter((name) => (statSync(join(data, name)).mode & 0o077) !== 0);
		assert.deepEqual(others, [], "files that others may read");
	});

	it("lets in who opens the link of the ready line, once", async () => {
		const link = server.program.output.trim().slice("ready ".length);
		const jar = join(shop.folder, "cookies");
		assert.match(await curl("-c", jar, link), /^HTTP\/1\.1 303 /);
		assert.match(await curl("-b", jar, `${PAGE}/api/v1/images`), /^HTTP\/1\.1 200 /);
		assert.match(await curl(link), /^HTTP\/1\.1 4\d\d .*"code":"code-refused"/s);
		assert.match(await curl(`${PAGE}/api/v1/images`), /^HTTP\/1\.1 401 /);
	});

	it("prints another link that works once", async () => {
		const { stdout } = await server.command("login");
		const link = stdout.trim().replace("127.0.0.1", SERVER_ADDRESS);
		assert.match(await curl(link), /^HTTP\/1\.1 303 /);
		assert.match(await curl(link), /^HTTP\/1\.1 4\d\d /);
		assert.match((await server.asks<{ url: string }>("login")).url, /\?code=/);
	});

	it("asks for a password at the terminal, also while standard error goes into a file", async () => {
		const [errors, word] = [join(shop.folder, "errors"), "correct horse"];
		const typist = ["python3", TYPIST, errors, `New password: =${word}`, `Again: =${word}`, "--"];
		const shown = await must(shop.lab.on("srv", [...typist, ...PI_NETBOOT, "password", "--data", server.data]));
		assert.match(shown, /^New password: \s+Again: \s+The password is set\.\s+$/);
		assert.equal(readFileSync(errors, "utf8"), "");
		assert.match(await curl("-d", `password=${word}`, `${PAGE}/login`), /^HTTP\/1\.1 303 /);
		assert.equal((await server.command("password", "--clear")).status, 0);
	});

	it("refuses a browser that was led here by another name", async () => {
		const token = `authorization: Bearer ${readFileSync(join(server.data, "token"), "utf8").trim()}`;
		for (const host of ["evil.example", "evil.example:38434", "10.77.0.1.evil.example", ""]) {
			const answer = await curl("-H", `Host: ${host}`, "-H", token, `${PAGE}/api/v1/images`);
			assert.match(answer, /^HTTP\/1\.1 4\d\d /, host);
			assert.ok(!answer.includes("small.img"), host);
		}
		assert.match(await curl("-H", "Host: localhost:38434", "-H", token, `${PAGE}/api/v1/images`), /^HTTP\/1\.1 200 /);
	});

	it("sees an image that is dropped, renamed or taken away, without a restart", async () => {
		makeSmallImage(shop.images, shop.folder, { name: "dropped.img", kernelBytes: 10_000 });
		const find = (file: string) => async () =>
			(await imagesOf(server)).find(({ source, state }) => source.endsWith(file) && state === "ready");
		const dropped = await eventually("the new image", find("/dropped.img"));
		mkdirSync(join(shop.images, "build"));
		renameSync(join(shop.images, "dropped.img"), join(shop.images, "build", "renamed.img"));
		const renamed = await eventually("the renamed image", find("/build/renamed.img"));
		assert.equal(renamed.id, dropped.id);
		rmSync(join(shop.images, "build"), { recursive: true });
		await eventually("the end of it", async () =>
			(await imagesOf(server)).every(({ id, state }) => id !== dropped.id || state !== "ready") ? true : undefined,
		);
		const { status, stdout } = await server.command("images");
		assert.equal(status, 0);
		assert.match(stdout, /^small \(default\) +ready +\d+ MB +Debian/m);
	});

	it("lists a Pi that booted, changes it, and gives it a fresh root", async () => {
		await shop.lab.addHost("pi", { mac: PI4.mac });
		assertBooted(await powerOn(shop.lab, "pi", PI4));
		const [device] = (await server.asks<DeviceList>("devices")).devices;
		assert.deepEqual([device?.id, device?.model, device?.stage], ["91cdf03d", "pi4", "userspace"]);
		assert.match((await server.command("devices")).stdout, /^91cdf03d +\S+ +pi4 +10\.77\.0\.\d+ +userspace +1 /m);
		const changed = await server.command("devices", "set", "91cdf03d", "--name", "bench-3", "--mode", "ephemeral");
		assert.equal(changed.stdout, "91cdf03d: bench-3, the default image, ephemeral, netboot\n");
		assert.equal((await server.command("devices", "reset", "91cdf03d")).status, 0);
		const report = await powerOn(shop.lab, "pi", PI4);
		assertBooted(report);
		assert.equal(report.hostname, "bench-3");
		const wrong = await server.command("devices", "set", "91cdf03d", "--image", "no-such-image");
		assert.equal(wrong.status, 1);
		assert.match(wrong.stderr, /refuses \(404\)/);
	});

	it("is found by the doctor, and so is the router", async () => {
		const flags = ["--interface", "srv0", "--images", shop.images];
		const { findings } = await server.asks<{ findings: Finding[] }>("doctor", ...flags);
		assert.deepEqual(
			findings.filter(({ verdict }) => verdict !== "good"),
			[],
		);
		const messages = findings.map(({ message }) => message);
		for (const service of ["DHCP", "TFTP", "NFS", "portmapper"]) {
			assert.ok(messages.some((message) => message.startsWith(`${service}: the running server has`)));
		}
		assert.ok(messages.includes(`srv0: DHCP servers that answer: ${ROUTER_ADDRESS}`));
	});
});

describe("the program", { skip }, () => {
	afterEach(() => shop.stopAll());

	it("stops at SIGTERM with 0 while a file is under way and a root is mounted, and starts again as it was", async () => {
		const { program, log, data } = await shop.serve();
		const serial = PI4.serial.slice(-8);
		await shop.lab.addHost("mid", { mac: PI4.mac, address: "10.77.0.30/24" });
		const cmdline = await must(shop.lab.on("mid", ["curl", "-sS", `tftp://${SERVER_ADDRESS}/${serial}/cmdline.txt`]));
		const path = /nfsroot=[\d.]+:([^,]+),/.exec(cmdline)?.[1] ?? assert.fail(cmdline);
		const words = [UNFINISHED, SERVER_ADDRESS, `${serial}/kernel8.img`, path];
		const client = new Background(shop.lab.on("mid", [process.execPath, ...words]));
		shop.keep(client);
		await client.waitFor(/^open$/m, 10_000);
		const token = readFileSync(join(data, "token"), "utf8");
		assert.equal(await program.stop("SIGTERM"), 0);
		assert.match(log(), /stopped\n$/);
		const again = await shop.serve([], data);
		assert.equal(readFileSync(join(data, "token"), "utf8"), token);
		assert.deepEqual(
			(await again.asks<DeviceList>("devices")).devices.map(({ id, bootCount }) => [id, bootCount]),
			[[serial, 1]],
		);
	});

	it("says in its exit code that no server runs, or that it was not understood", async () => {
		const command = (...words: string[]) => run(shop.lab.on("srv", [...PI_NETBOOT, ...words, "--data", shop.folder]));
		for (const words of [["images"], ["devices"], ["login"], ["devices", "reset", "91cdf03d"]]) {
			const { status, stdout, stderr } = await command(...words);
			assert.deepEqual([status, stdout], [3, ""], words.join(" "));
			assert.match(stderr, /no server answers at/);
		}
		assert.equal((await command("images", "--jsn")).status, 2);
	});

	it("prints its version", async () => {
		const { status, stdout } = await run([...PI_NETBOOT, "version"]);
		assert.equal(status, 0);
		assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
	});
});
