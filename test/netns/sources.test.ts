/** Images by download, to the program as a user runs it, over everything that goes wrong on the way. */
import assert from "node:assert/strict";
import { copyFileSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { must } from "../harness/command.ts";
import { eventually } from "../harness/eventually.ts";
import { ImageSources, MIRROR } from "../harness/image-sources.ts";
import { ROUTER_ADDRESS } from "../harness/lab.ts";
import { IMAGE_PROGRAMS, lacks } from "../harness/needs.ts";

const TLS = `https://${ROUTER_ADDRESS}:8443`;
const STRANGE_TLS = `https://${ROUTER_ADDRESS}:8444`;
const skip = await lacks(["ip", "curl", "xz", "openssl", ...IMAGE_PROGRAMS]);
let sources: ImageSources;

async function makeCertificate(folder: string, name: string): Promise<void> {
	const words = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=${name}`;
	const pem = join(folder, `${name}.pem`);
	const alternative = ["-addext", `subjectAltName=IP:${ROUTER_ADDRESS}`];
	await must(["openssl", ...words.split(" "), ...alternative, "-keyout", `${pem}.key`, "-out", `${pem}.crt`]);
	writeFileSync(pem, Buffer.concat([readFileSync(`${pem}.key`), readFileSync(`${pem}.crt`)]));
}

function writeLists(folder: string, sha256: string): void {
	const good = { description: "", url: `${MIRROR}/good.img.xz`, image_download_sha256: sha256 };
	const eeprom = { name: "Bootloader", description: "", url: `${MIRROR}/eeprom.zip` };
	const other = { ...good, name: "Another than it says", url: `${MIRROR}/cut.img.xz`, extract_sha256: "1".repeat(64) };
	const os_list = [{ name: "Good OS", ...good }, eeprom, other];
	writeFileSync(join(folder, "list.json"), JSON.stringify({ os_list }));
	writeFileSync(join(folder, "SHA256SUMS"), `${"0".repeat(64)}  other.img\n${sha256}  whole.img.xz\n`);
}

before(async () => {
	if (skip !== false) return;
	sources = await ImageSources.start(async (folder, sha256) => {
		for (const name of ["known", "strange"]) await makeCertificate(folder, name);
		writeLists(folder, sha256);
	});
	process.env.NODE_EXTRA_CA_CERTS = sources.at("known.pem.crt");
	await sources.serve(["--catalog-url", `${MIRROR}/list.json`]);
});

after(async () => {
	if (skip === false) await sources.remove();
});

describe("images from elsewhere", { skip, timeout: 300_000 }, () => {
	it("over a redirect, with the checksum that was asked for, and as an entry of the catalogue", async () => {
		// It stands still for half a minute: what becomes of it is looked at in the end.
		await sources.add({ url: `${MIRROR}/stall.img.xz` });
		const { sha256 } = sources;
		const { id, state } = await sources.add({ url: `${MIRROR}/redirect`, name: "first.img.xz", sha256 });
		assert.deepEqual([id, state], ["first", "importing"]);
		const { entries } = (await sources.server.api("GET", "/api/v1/catalog")) as {
			entries: { id: string; canNetboot: boolean }[];
		};
		assert.deepEqual(
			entries.map(({ canNetboot }) => canNetboot),
			[true, false, true],
		);
		assert.equal((await sources.settled("first")).state, "ready");
		assert.equal((await sources.add({ catalog: entries[0]?.id })).id, "good");
		assert.equal((await sources.refused({ catalog: entries[1]?.id })).code, "catalog-refused");
		assert.equal((await sources.settled("good")).state, "ready");
		assert.equal((await sources.refused({ url: `${MIRROR}/good.img.xz` })).code, "image-exists");
		const { at: _, ...origin } = (await sources.get("good")).origin;
		assert.deepEqual(origin, { kind: "catalog", url: `${MIRROR}/good.img.xz`, entry: "Good OS", checked: true });
		assert.deepEqual(
			[(await sources.get("first")).origin.kind, (await sources.get("first")).sha256],
			["download", sha256],
		);
	});

	it("goes on after a cut where it was, or begins anew where that cannot be", async () => {
		const names = ["cut", "changed", "whole"];
		for (const name of names) {
			await sources.add({ url: `${MIRROR}/${name}.img.xz` });
			const { state, origin } = await sources.settled(name);
			assert.deepEqual([name, state, origin.checked], [name, "ready", name === "whole"]);
			assert.match(sources.asked, new RegExp(`^${name}\\.img\\.xz bytes=\\d+-$`, "m"));
			assert.deepEqual(readFileSync(sources.at("images", `${name}.img.xz`)), readFileSync(sources.packed));
			await sources.server.api("DELETE", `/api/v1/images/${name}?file=delete`);
		}
	});

	it("says of each failure what it is, and leaves nothing behind", async () => {
		const isLeft = () => sources.files().filter((name) => !/^\.stall|^first|^good/.test(name));
		const failures: readonly (readonly [string, RegExp])[] = [
			[`${MIRROR}/wrong.img.xz`, /another checksum than it should have: got \w+, expected 0{64}/],
			[`${MIRROR}/none.img.xz`, /There is nothing at http:\S+none\.img\.xz: the server says 404\. Check the address/],
			[`${MIRROR}/loop.img`, /leads on and on: more than 10 redirects/],
			[`${TLS}/down.img.xz`, /leads from https to http:\S+, where anybody on the way could change .* checksum/],
			[`${STRANGE_TLS}/strange.img.xz`, /8444 cannot be trusted: it has signed its certificate itself/],
		];
		for (const [url, sentence] of failures) assert.match(await sources.failed(url), sentence);
		const refusals: readonly (readonly [string, RegExp])[] = [
			[`${MIRROR}/list.json`, /is no file name of an image/],
			["file:///etc/passwd", /must begin with http/],
		];
		for (const [url, sentence] of refusals) assert.match((await sources.refused({ url })).sentence, sentence);
		assert.deepEqual(isLeft(), []);
		const { id } = await sources.add({ url: `${TLS}/down.img.xz`, sha256: sources.sha256 });
		assert.equal((await sources.settled(id)).state, "ready", "whose checksum is known may come over http");
	});

	it("what the catalogue promised and does not come out is not booted", async () => {
		const { id } = await sources.add({ catalog: "cut" });
		const { state, findings } = await sources.settled(id);
		assert.equal(state, "broken");
		assert.match(findings[0]?.message ?? "", /What is in cut\.img\.xz has the checksum \w+, and should have 1{64}/);
	});

	it("a checksum that is dropped beside a file counts", async () => {
		copyFileSync(sources.packed, sources.at("images", "dropped.img.xz"));
		const sums = sources.at("images", "dropped.img.xz.sha256");
		writeFileSync(sums, `${"0".repeat(64)}  dropped.img.xz\n`);
		await eventually("it to be seen", () => sources.server.find("/api/v1/images/dropped"));
		const { state, findings } = await sources.settled("dropped");
		assert.deepEqual([state, findings[0]?.code], ["broken", "image-checksum"]);
		writeFileSync(sums, `${sources.sha256}  dropped.img.xz\n`);
		await sources.server.waitForImage("dropped");
		assert.equal((await sources.get("dropped")).sha256, sources.sha256);
		rmSync(sums);
	});

	it("a server that stands still is told of while it is tried again, and then goes on where it was", async () => {
		const warning = await eventually(
			"the server to be impatient",
			async () => (await sources.get("stall")).findings.find(({ code }) => code === "download-stalled"),
			45_000,
		);
		assert.match(warning.message, /has sent nothing for 30 seconds\. It is tried again\./);
		writeFileSync(sources.at("go"), "");
		const { state, findings } = await sources.settled("stall");
		assert.deepEqual([state, findings.filter(({ code }) => code === "download-stalled")], ["ready", []]);
		assert.match(sources.asked, /^stall\.img\.xz bytes=\d+-$/m);
	});

	it("a list of images that is none says what is wrong", async () => {
		for (const [url, code, sentence] of [
			[`${MIRROR}/none.json`, "catalog-missing", /There is no list at .*404/],
			[`${MIRROR}/html.json`, "catalog-malformed", /is no list of images: it is no JSON/],
			[`${STRANGE_TLS}/list.json`, "catalog-unavailable", /cannot be trusted: it has signed its certificate itself/],
		] as const) {
			await sources.serve(["--catalog-url", url]);
			const refused = await sources.server.refusal("GET", "/api/v1/catalog");
			assert.equal(refused.code, code);
			assert.match(refused.sentence, sentence);
		}
	});
});
