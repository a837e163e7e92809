/** Images on their way when the server is killed, or the disk is full: a real kill -9, a real ENOSPC. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import type { Image } from "@pi-netboot/api";
import { Background, must, run } from "../harness/command.ts";
import { eventually } from "../harness/eventually.ts";
import { ImageSources, MIRROR } from "../harness/image-sources.ts";
import { SERVER_ADDRESS } from "../harness/lab.ts";
import { IMAGE_PROGRAMS, lacks } from "../harness/needs.ts";

const PROGRAM = fileURLToPath(new URL("../../server/bin/pi-netboot.mjs", import.meta.url));
const SERVER = `http://${SERVER_ADDRESS}:38434`;
const skip = await lacks(["ip", "curl", "xz", "zstd", "mount", ...IMAGE_PROGRAMS]);
let sources: ImageSources;

before(async () => {
	if (skip !== false) return;
	sources = await ImageSources.start();
	await sources.serve();
});

after(async () => {
	if (skip === false) await sources.remove();
});

const size = () => statSync(sources.packed).size;
const sizeOf = (...place: string[]) => statSync(sources.at(...place), { throwIfNoEntry: false })?.size ?? 0;
const isSame = (name: string) => readFileSync(sources.at("images", name)).equals(readFileSync(sources.packed));

/** The findings of an image while it is on its way. */
async function said({ id }: Pick<Image, "id">): Promise<string> {
	const { findings } = await sources.get(id);
	return findings.map(({ code, message }) => `${code}: ${message}`).join();
}

async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
	await eventually(what, async () => ((await condition()) ? true : undefined));
}

/** A curl of the documentation, in the router's namespace. */
function curl(script: string, file = sources.packed): string[] {
	const token = readFileSync(sources.at("data", "token"), "utf8").trim();
	const preset = `F=${file}; U=${SERVER}/api/v1/uploads; tus="Tus-Resumable: 1.0.0"; auth="Authorization: Bearer ${token}"`;
	return sources.lab.on("rtr", ["sh", "-c", `${preset}; ${script}`]);
}

async function announce(name: string): Promise<string> {
	const metadata = `filename ${Buffer.from(name).toString("base64")}`;
	const script = `curl -sSi -X POST -H "$auth" -H "$tus" -H "Upload-Length: $(stat -c %s "$F")" -H "Upload-Metadata: ${metadata}" $U`;
	const made = await must(curl(script));
	return /^location: .*\/([0-9a-f]{24})\r?$/im.exec(made)?.[1] ?? assert.fail(made);
}

async function offset(id: string): Promise<number> {
	const head = await must(curl(`curl -sS -I -H "$auth" -H "$tus" $U/${id}`));
	return Number(/^upload-offset: (\d+)/im.exec(head)?.[1]);
}

function send(id: string, from: number, { bytes = size(), more = "" } = {}): string[] {
	const headers = `-H "$auth" -H "$tus" -H "Content-Type: application/offset+octet-stream" -H "Upload-Offset: ${from}"`;
	return curl(`tail -c +${from + 1} "$F" | head -c ${bytes} | curl -sSi ${more} -X PATCH ${headers} -T - $U/${id}`);
}

/** The program on another machine, which is watched. */
function upload(file: string, name: string): Background {
	const token = readFileSync(sources.at("data", "token"), "utf8").trim();
	const words = ["images", "add", file, "--name", name, "--url", SERVER];
	const environment = { PI_NETBOOT_TOKEN: token, PATH: `${dirname(process.execPath)}:${process.env.PATH}` };
	return new Background(sources.lab.on("rtr", [PROGRAM, ...words]), { environment });
}

describe("killed", { skip, timeout: 300_000 }, () => {
	it("in a download, it goes on where it was, and says so", async () => {
		const half = Math.floor(size() / 2);
		const image = await sources.add({ url: `${MIRROR}/hold.img.xz` });
		await until("half of it", () => sizeOf("images", ".hold.img.xz.part") >= half);
		await sources.killAndRestart();
		await sources.server.waitForLog(/the download of hold\.img\.xz was interrupted when .*; it goes on after/, 5000);
		assert.match(await said(image), /^import-resumed: It was interrupted when the server ended, and goes on after/);
		writeFileSync(sources.at("go"), "");
		assert.equal((await sources.settled("hold")).state, "ready");
		assert.match(sources.asked, new RegExp(`^hold\\.img\\.xz bytes=${half}-$`, "m"));
		assert.ok(isSame("hold.img.xz"));
		rmSync(sources.at("go"));
	});

	it("in an upload by curl, that is resumed where it was, with the lines of the documentation", async () => {
		const id = await announce("up.img.xz");
		const slow = new Background(send(id, 0, { more: "--limit-rate 100k" }));
		await until("some of it", async () => (await offset(id)) >= 20_000);
		await sources.killAndRestart();
		await slow.ended;
		await sources.server.waitForLog(/the upload of up\.img\.xz was interrupted; it can go on after/, 5000);
		assert.match(await said({ id: "up" }), /^import-resumed: .* and can go on after/);
		const at = await offset(id);
		assert.ok(at >= 20_000 && at < size(), String(at));
		assert.match(await must(send(id, at)), /^HTTP\/1\.1 204/m);
		assert.equal((await sources.settled("up")).state, "ready");
		assert.ok(isSame("up.img.xz"));
	});

	it("the program that uploads, it goes on with the next command; and over a restart of the server", async () => {
		const big = sources.at("big.img.xz");
		// What lies behind the image's end is for xz to complain of; here it only has to be long.
		await must(["sh", "-c", `cp ${sources.packed} ${big} && truncate -s 120M ${big}`]);
		const unfinished = () => sources.files().find((name) => /^\.[0-9a-f]{24}\.upload$/.test(name));
		const first = upload(big, "big.img.xz");
		await until("two pieces", () => sizeOf("images", unfinished() ?? "none") > 16 << 20);
		await first.stop("SIGKILL");
		const second = upload(big, "big.img.xz");
		const [, mark = ""] = await second.waitFor(/goes on with the upload of big\.img\.xz at (\d+) MB/, 20_000);
		assert.ok(Number(mark) >= 16, mark);
		await sources.killAndRestart();
		await second.ended;
		assert.match(second.output, /big\.img\.xz/);
		assert.doesNotMatch(second.output, /no server answers/);
		assert.ok(readFileSync(sources.at("images", "big.img.xz")).equals(readFileSync(big)));
		await sources.server.api("DELETE", "/api/v1/images/big?file=delete");
	});

	it("in an unpacking, it begins anew, and says of which", async () => {
		// Unpacking so many zeros takes long enough, and their archive is small.
		const folder = readdirSync(sources.at("made"));
		const script = `truncate -s 2G ${sources.at("made", folder[0] ?? "")} && zstd -q -1 ${sources.at("made", folder[0] ?? "")} -o ${sources.at("wide.img.zst")}`;
		await must(["sh", "-c", script]);
		const isUnpacking = () => readdirSync(sources.at("data", "unpacked")).some((name) => name.endsWith(".part"));
		await must(["mv", sources.at("wide.img.zst"), sources.at("images", "wide.img.zst")]);
		await until("it to be unpacked", isUnpacking);
		await sources.killAndRestart();
		await sources.server.waitForLog(/the unpacking of wide\.img\.zst was interrupted when .*; it begins anew/, 10_000);
		assert.match(await said({ id: "wide" }), /^$|^import-resumed: Its unpacking was interrupted/);
		assert.equal((await sources.settled("wide")).state, "ready");
		assert.equal(isUnpacking(), false);
	});

	it("nothing of all that is left but the images", () => {
		assert.deepEqual(sources.files(), ["hold.img.xz", "up.img.xz", "wide.img.zst"]);
	});
});

describe("on a disk that others fill meanwhile", { skip, timeout: 180_000 }, () => {
	const fill = () => run(["dd", "if=/dev/zero", `of=${sources.at("tiny", "fill")}`, "bs=64k", "status=none"]);

	it("a download ends with a sentence, and leaves nothing", async () => {
		await sources.mount("tiny", 300);
		await sources.serve([], { images: "tiny" });
		const { id } = await sources.add({ url: `${MIRROR}/hold.img.xz` });
		await until("half of it", () => sizeOf("tiny", ".hold.img.xz.part") >= Math.floor(size() / 2));
		assert.notEqual((await fill()).status, 0);
		writeFileSync(sources.at("go"), "");
		const { state, findings } = await sources.settled(id);
		assert.equal(state, "broken");
		assert.match(findings[0]?.message ?? "", /There is not enough room on the disk of .*tiny/);
		assert.deepEqual(sources.files("tiny"), ["fill"]);
		await sources.server.api("DELETE", `/api/v1/images/${id}`);
		assert.match(await sources.failed(`${MIRROR}/good.img.xz`), /not enough room/);
		assert.deepEqual(sources.files("tiny"), ["fill"]);
		rmSync(sources.at("tiny", "fill"));
	});

	it("an upload waits for room, and goes on; given up, it leaves nothing", async () => {
		const half = Math.floor(size() / 2);
		const id = await announce("late.img.xz");
		assert.match(await must(send(id, 0, { bytes: half })), /^HTTP\/1\.1 204/m);
		await fill();
		assert.match(await must(send(id, half)), /^HTTP\/1\.1 507[\s\S]*"import-no-space"/m);
		assert.ok((await offset(id)) >= half);
		rmSync(sources.at("tiny", "fill"));
		assert.match(await must(send(id, await offset(id))), /^HTTP\/1\.1 204/m);
		assert.equal((await sources.settled("late")).state, "ready");
		const other = await announce("other.img.xz");
		await must(send(other, 0, { bytes: half }));
		await sources.server.api("DELETE", "/api/v1/images/other");
		assert.deepEqual(sources.files("tiny"), ["late.img.xz"]);
		assert.equal(existsSync(join(sources.folder, "tiny", `.${other}.upload`)), false);
	});

	it("a disk without room for it is told before the first byte", async () => {
		await sources.mount("tinier", 240);
		await sources.serve([], { images: "tinier" });
		assert.match(await sources.failed(`${MIRROR}/good.img.xz`), /There is not enough room on the disk of .*tinier/);
		assert.deepEqual(sources.files("tinier"), []);
	});
});
