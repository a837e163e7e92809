/** Other people's TFTP clients fetch a whole boot tree from the program as a user runs it, from the cable of a Pi 4. */
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { must, run } from "../harness/command.ts";
import { Lab, SERVER_ADDRESS } from "../harness/lab.ts";
import { IMAGE_PROGRAMS, lacks } from "../harness/needs.ts";
import { Server } from "../harness/server.ts";
import { CMDLINE, makeSmallImage, type SmallImage } from "../harness/small-image.ts";

const RAW = fileURLToPath(new URL("raw-tftp.ts", import.meta.url));
const PI = { mac: "dc:a6:32:00:00:04", address: "10.77.0.30/24", serial: "10000004" };
/** What a function makes of the image's own file. */
const REWRITTEN = ["cmdline.txt", "config.txt"];

const skip = await lacks(["ip", "curl", ...IMAGE_PROGRAMS]);
let folder = "";
let lab: Lab;
let server: Server;
let image: SmallImage;
let names: string[] = [];

before(async () => {
	if (skip !== false) return;
	folder = await mkdtemp(join(tmpdir(), "boot-tree-"));
	mkdirSync(join(folder, "images"));
	image = makeSmallImage(join(folder, "images"), folder);
	names = readdirSync(image.boot, { recursive: true, encoding: "utf8" }).filter((name) =>
		statSync(join(image.boot, name)).isFile(),
	);
	lab = await Lab.create();
	await lab.addHost("pi", PI);
	await lab.addHost("pc", { mac: "02:00:5e:00:53:01", address: "10.77.0.31/24" });
	server = await Server.start(lab, { images: join(folder, "images"), data: join(folder, "data") });
	await server.waitForImage("small");
});

after(async () => {
	if (skip !== false) return;
	await server?.stop();
	await lab?.remove();
	await rm(folder, { recursive: true });
});

/** How each client is told to fetch a file. */
const CLIENTS: Readonly<Record<string, (name: string, target: string) => string[]>> = {
	"tftp-hpa": (name, target) => ["tftp", "-m", "octet", SERVER_ADDRESS, "-c", "get", name, target],
	atftp: (name, target) => atftp(["--option", "blksize 1468"], name, target),
	"atftp with windowsize": (name, target) => atftp(["--option", "windowsize 16"], name, target),
	curl: (name, target) => curl(["--tftp-blksize", "1024"], name, target),
};

function atftp(options: string[], name: string, target: string): string[] {
	return ["atftp", ...options, "--get", "--remote-file", name, "--local-file", target, SERVER_ADDRESS];
}

function curl(options: string[], name: string, target: string): string[] {
	const url = `tftp://${SERVER_ADDRESS}/${name.split("/").map(encodeURIComponent).join("/")}`;
	return ["curl", "-sS", "-m", "20", ...options, "-o", target, url];
}

/** The answers to read requests, each sent once: `error N`, `silence`, or the first packet of a transfer. */
async function answersTo(host: string, requests: readonly string[]): Promise<string[]> {
	const datagrams = requests.map((name) => Buffer.from(`\0\x01${name}\0octet\0`, "latin1").toString("hex"));
	const output = await must(lab.on(host, [process.execPath, RAW, SERVER_ADDRESS, ...datagrams]));
	return output
		.split("\n")
		.map((hex) => (hex.startsWith("0005") ? `error ${Number.parseInt(hex.slice(4, 8), 16)}` : hex));
}

describe("a boot tree", { skip }, () => {
	for (const [client, command] of Object.entries(CLIENTS)) {
		it(`arrives whole with ${client}`, async (context) => {
			const program = command("", "")[0] ?? "";
			const missing = await lacks([program]);
			if (missing !== false) return context.skip(missing);
			assert.ok(names.length > 20);
			for (const name of names.filter((one) => !REWRITTEN.includes(one))) {
				const target = join(folder, "fetched");
				writeFileSync(target, "");
				const finished = await run(lab.on("pi", command(`${PI.serial}/${name}`, target)), { timeout: 20_000 });
				const isSame = (await readFile(target)).equals(readFileSync(join(image.boot, name)));
				assert.ok(isSame, `${name}: exit ${finished.status} ${finished.stdout}${finished.stderr}`);
			}
		});
	}

	it("has a command line with the root, and the image's config.txt", async () => {
		const url = `tftp://${SERVER_ADDRESS}/${PI.serial}`;
		const fetched = (name: string) => must(lab.on("pi", ["curl", "-sS", "-m", "20", `${url}/${name}`]));
		const cmdline = await fetched("cmdline.txt");
		const kept = "console=serial0,115200 console=tty1 quiet";
		assert.ok(cmdline.startsWith(`${kept} root=/dev/nfs nfsroot=${SERVER_ADDRESS}:/pi/${PI.serial}/`), cmdline);
		assert.match(cmdline, /,vers=3,\S+ rw ip=dhcp rootwait\n$/);
		assert.notEqual(cmdline.trim(), CMDLINE);
		assert.equal(await fetched("config.txt"), readFileSync(join(image.boot, "config.txt"), "utf8"));
	});

	it("is found whatever the case of a name, with the same rewriting", async () => {
		const url = `tftp://${SERVER_ADDRESS}/${PI.serial}`;
		const target = join(folder, "fetched");
		await must(lab.on("pi", ["curl", "-sS", "-m", "20", "-o", target, `${url}/OVERLAYS/Overlay_Map.DTB`]));
		assert.deepEqual(readFileSync(target), readFileSync(join(image.boot, "overlays/overlay_map.dtb")));
		assert.match(await must(lab.on("pi", ["curl", "-sS", "-m", "20", `${url}/CMDLINE.TXT`])), /nfsroot=/);
	});

	it("is found with slashes doubled, at the front, and without the serial", async () => {
		const inTree = [`${PI.serial}//config.txt`, `/${PI.serial}/config.txt`, "config.txt", "/overlays//README"];
		for (const answer of await answersTo("pi", inTree)) assert.match(answer, /^00030001/);
	});

	it("answers error 1 to the one request for a file that is missing, or that is a folder", async () => {
		const absent = ["recovery.elf", "overlays/none.dtbo", "overlays", `${PI.serial}`, `${PI.serial}/`, "config.txt/x"];
		assert.deepEqual(
			await answersTo("pi", absent),
			absent.map(() => "error 1"),
		);
	});

	it("gives nothing that lies outside of it", async () => {
		const outside = ["../small.img", "../../etc/passwd", "/etc/passwd", "//etc//passwd", "overlays/../config.txt"];
		outside.push(`${PI.serial}/../../small.img`, "..", "/", "..\\config.txt", "overlays\\README", "./../small.img");
		outside.push(`${folder}/data/token`, "..%2f..%2fetc/passwd", "overlays/..//..//data/token");
		assert.deepEqual(
			await answersTo("pi", outside),
			outside.map(() => "error 1"),
		);
	});

	it("takes what stands behind a NUL for no part of the name", async () => {
		// `config.txt` with the mode `../../etc/passwd`: no mode that is served.
		assert.deepEqual(await answersTo("pi", ["config.txt\0../../etc/passwd", "\0"]), ["error 0", "error 4"]);
	});

	it("is not for a machine that is no Pi", async () => {
		assert.deepEqual(await answersTo("pc", ["config.txt", `${PI.serial}/cmdline.txt`]), ["error 1", "error 1"]);
	});
});
