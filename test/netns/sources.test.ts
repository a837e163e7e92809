/** Images by download and by upload, to the program as a user runs it, over everything that goes wrong on the way. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import type { Image } from "@pi-netboot/api";
import { Background, must, run } from "../harness/command.ts";
import { Lab, ROUTER_ADDRESS, SERVER_ADDRESS } from "../harness/lab.ts";
import { IMAGE_PROGRAMS, lacks } from "../harness/needs.ts";
import { Server } from "../harness/server.ts";
import { makeSmallImage } from "../harness/small-image.ts";

const MIRROR = `http://${ROUTER_ADDRESS}:8080`;
const UPLOADS = `http://${SERVER_ADDRESS}:38434/api/v1/uploads`;
const skip = await lacks(["ip", "curl", "xz", "mount", ...IMAGE_PROGRAMS]);
let folder = "";
let images = "";
let lab: Lab;
let mirror: Background;
let server: Server;
let packed = "";
let sha256 = "";

before(async () => {
	if (skip !== false) return;
	folder = await mkdtemp(join(tmpdir(), "sources-"));
	images = join(folder, "images");
	for (const name of ["images", "made", "tiny"]) mkdirSync(join(folder, name));
	const { path } = makeSmallImage(join(folder, "made"), folder, { kernelBytes: 300_001 });
	await must(["sh", "-c", `xz -1 -c ${path} > ${folder}/good.img.xz`]);
	packed = join(folder, "good.img.xz");
	sha256 = createHash("sha256").update(readFileSync(packed)).digest("hex");
	const entry = { description: "", url: `${MIRROR}/good.img.xz`, image_download_sha256: sha256 };
	const eeprom = { name: "Bootloader", description: "", url: `${MIRROR}/eeprom.zip` };
	writeFileSync(join(folder, "list.json"), JSON.stringify({ os_list: [{ name: "Good OS", ...entry }, eeprom] }));
	lab = await Lab.create();
	mirror = new Background(
		lab.on("rtr", [process.execPath, fileURLToPath(new URL("mirror.ts", import.meta.url)), folder]),
	);
	await mirror.waitFor(/^listening$/m, 20_000);
	const flags = ["--catalog-url", `${MIRROR}/list.json`];
	server = await Server.start(lab, { images, data: join(folder, "data"), flags });
});

after(async () => {
	if (skip !== false) return;
	await server?.stop();
	await mirror?.stop("SIGTERM");
	await lab?.remove();
	await run(["umount", join(folder, "tiny")]);
	await rm(folder, { recursive: true });
});

type Failure = { readonly error: { readonly code: string; readonly message: string } };

function add(what: object): Promise<Image & Failure> {
	return server.api("POST", "/api/v1/images", what) as Promise<Image & Failure>;
}

/** Waits until an image is no longer on its way. */
async function settled(id: string, at = server): Promise<Image> {
	const deadline = Date.now() + 30_000;
	for (;;) {
		const image = (await at.api("GET", `/api/v1/images/${id}`)) as Image;
		if (image.state !== "importing") return image;
		if (Date.now() > deadline) throw new Error(`${id} does not arrive: ${JSON.stringify(image)}\n${at.log}`);
		await new Promise((resolve) => setTimeout(resolve, 250));
	}
}

async function failed(place: string): Promise<string> {
	const { id } = await add({ url: `${MIRROR}/${place}` });
	const { state, findings } = await settled(id);
	assert.equal(state, "broken");
	await server.api("DELETE", `/api/v1/images/${id}`);
	return findings.map(({ message }) => message).join();
}

function inFolder(): string[] {
	return readdirSync(images).sort();
}

describe("images from elsewhere", { skip, timeout: 120_000 }, () => {
	it("over a redirect, with the checksum that was asked for, and as an entry of the catalogue", async () => {
		const { id, state } = await add({ url: `${MIRROR}/redirect`, name: "first.img.xz", sha256 });
		assert.deepEqual([id, state], ["first", "importing"]);
		const { entries } = (await server.api("GET", "/api/v1/catalog")) as {
			entries: { id: string; canNetboot: boolean }[];
		};
		assert.deepEqual(
			entries.map(({ canNetboot }) => canNetboot),
			[true, false],
		);
		assert.equal((await add({ catalog: entries[0]?.id })).id, "good");
		assert.equal((await add({ catalog: entries[1]?.id })).error.code, "catalog-refused");
		for (const ready of ["first", "good"]) assert.equal((await settled(ready)).state, "ready");
		assert.equal((await add({ url: `${MIRROR}/good.img.xz` })).error.code, "image-exists");
		assert.deepEqual(inFolder(), ["first.img.xz", "good.img.xz"]);
	});

	it("goes on after a cut where it was", async () => {
		const { id } = await add({ url: `${MIRROR}/cut.img.xz` });
		assert.equal((await settled(id)).state, "ready");
		assert.match(mirror.output, /^cut\.img\.xz bytes=\d+-$/m);
		assert.deepEqual(readFileSync(join(images, "cut.img.xz")), readFileSync(packed));
	});

	it("says of each failure what it is, and leaves nothing behind", async () => {
		const before = inFolder();
		assert.match(await failed("wrong.img.xz"), /another checksum than it should have/);
		assert.match(await failed("none.img.xz"), /There is nothing at .*404/);
		assert.equal((await add({ url: `${MIRROR}/list.json` })).error.code, "import-name");
		assert.deepEqual(inFolder(), before);
	});

	it("killed in a download, it goes on at the next start, and says so", async () => {
		await add({ url: `${MIRROR}/slow.img.xz` });
		const half = Math.floor(statSync(packed).size / 2);
		const part = join(images, ".slow.img.xz.part");
		while ((statSync(part, { throwIfNoEntry: false })?.size ?? 0) < half) await new Promise((go) => setTimeout(go, 50));
		await server.kill();
		writeFileSync(join(folder, "hurry"), "");
		server = await server.restart();
		await server.waitForLog(
			/the download of slow\.img\.xz was interrupted when the server ended; it goes on after/,
			5000,
		);
		assert.equal((await settled("slow")).state, "ready");
		assert.match(mirror.output, new RegExp(`^slow\\.img\\.xz bytes=${half}-$`, "m"));
	});

	it("killed in an upload by curl, it is resumed where it was, with the lines of the documentation", async () => {
		const token = readFileSync(join(folder, "data", "token"), "utf8").trim();
		const shell = (script: string) => {
			const preset = `T=${token}; F=${packed}; N=up.img.xz; U=${UPLOADS}; tus="Tus-Resumable: 1.0.0"; auth="Authorization: Bearer $T"`;
			return lab.on("rtr", ["sh", "-c", `${preset}; ${script}`]);
		};
		const create = `curl -sSi -X POST -H "$auth" -H "$tus" -H "Upload-Length: $(stat -c %s "$F")" -H "Upload-Metadata: filename $(printf %s "$N" | base64 -w0)" $U`;
		const made = await must(shell(create));
		const place = `${UPLOADS}/${/^location: .*\/([0-9a-f]{24})\r?$/im.exec(made)?.[1]}`;
		const send = (at: number, more = "") =>
			`tail -c +${at + 1} "$F" | curl -sSi ${more} -X PATCH -H "$auth" -H "$tus" -H "Content-Type: application/offset+octet-stream" -H "Upload-Offset: ${at}" -T - ${place}`;
		const slow = new Background(shell(send(0, "--limit-rate 100k")));
		const offset = async () => {
			const head = await must(shell(`curl -sS -I -H "$auth" -H "$tus" ${place}`));
			return Number(/^upload-offset: (\d+)/im.exec(head)?.[1]);
		};
		while ((await offset()) < 20_000) await new Promise((go) => setTimeout(go, 50));
		await server.kill();
		await slow.ended;
		server = await server.restart();
		await server.waitForLog(/the upload of up\.img\.xz was interrupted; it can go on after/, 5000);
		const at = await offset();
		assert.ok(at >= 20_000 && at < statSync(packed).size, String(at));
		assert.match(await must(shell(send(at))), /^HTTP\/1\.1 204/m);
		assert.equal((await settled("up")).state, "ready");
		assert.deepEqual(readFileSync(join(images, "up.img.xz")), readFileSync(packed));
		assert.deepEqual(
			inFolder().filter((name) => name.startsWith(".")),
			[],
		);
	});

	it("says that a disk is full before it begins", async () => {
		await server.stop();
		await must(["mount", "-t", "tmpfs", "-o", "size=240m", "tmpfs", join(folder, "tiny")]);
		server = await Server.start(lab, { images: join(folder, "tiny"), data: join(folder, "data") });
		assert.match(await failed("good.img.xz"), /There is not enough room on the disk of .*tiny/);
		assert.deepEqual(readdirSync(join(folder, "tiny")), []);
	});
});
