import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, beforeEach, test } from "node:test";
import fc from "fast-check";
import { z } from "zod";
import { ManualClock, NetbootError } from "../../base/index.ts";
import { ImageCatalog } from "./catalog.ts";
import { readList } from "./entries.ts";

const answers = new Map<string, string>();
const asked: string[] = [];
const server: Server = createServer((request, response) => {
	asked.push(request.url ?? "");
	if (request.url === "/silent") return;
	if (request.url === "/busy") return void response.writeHead(503).end();
	const answer = answers.get(request.url ?? "");
	response.writeHead(answer === undefined ? 404 : 200).end(answer);
});
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
after(() => {
	server.closeAllConnections();
	server.close();
});
const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

beforeEach(() => {
	answers.clear();
	asked.length = 0;
});

function serve(place: string, os_list: unknown): void {
	answers.set(place, JSON.stringify({ imager: {}, os_list }));
}

const lite = {
	name: "Raspberry Pi OS Lite (64-bit)",
	description: "Without a desktop",
	url: "https://downloads.example/2026-10-01-raspios-trixie-arm64-lite.img.xz",
	extract_size: 3_000_000_000,
	extract_sha256: "1".repeat(64),
	image_download_size: 500_000_000,
	image_download_sha256: "A".repeat(64),
	release_date: "2026-10-01",
	devices: ["pi5-64bit", "pi4-64bit", "pi3-64bit"],
	init_format: "cloudinit-rpi",
};
const { url } = lite;

function catalog(clock = new ManualClock(1_700_000_000_000), more: { url?: string; patience?: number } = {}) {
	return new ImageCatalog({ url: `${base}/list.json`, clock, ...more });
}

test("images in lists, in place and elsewhere, with what is known of them beforehand", async () => {
	serve("/list.json", [
		{ name: "Raspberry Pi OS (other)", description: "", subitems: [lite] },
		{ name: "Other", description: "", subitems_url: "more.json" },
	]);
	serve("/more.json", [{ name: "Debian", description: "", url: "https://x.example/debian.img.zst" }]);
	const { entries, notes } = await catalog().list();
	assert.deepEqual(notes, []);
	assert.deepEqual(entries[0], {
		id: "2026-10-01-raspios-trixie-arm64-lite",
		name: lite.name,
		description: lite.description,
		category: ["Raspberry Pi OS (other)"],
		url,
		size: 3_000_000_000,
		downloadSize: 500_000_000,
		sha256: "a".repeat(64),
		origin: {
			id: "2026-10-01-raspios-trixie-arm64-lite",
			name: lite.name,
			unpackedBytes: 3_000_000_000,
			unpackedSha256: "1".repeat(64),
		},
		releaseDate: "2026-10-01",
		models: ["pi3", "pi4", "pi5"],
		reason: undefined,
	});
	assert.deepEqual([entries[1]?.id, entries[1]?.category, entries[1]?.sha256], ["debian", ["Other"], null]);
});

test("what cannot be booted from the network says why, and is not given out", async () => {
	serve("/list.json", [
		lite,
		{ ...lite, name: "Bootloader (Pi 4 family)", url: "https://x.example/eeprom.zip" },
		{ ...lite, name: "LibreELEC", url: "https://x.example/le.img.gz" },
		{ ...lite, name: "Erase", url: "internal://format" },
		{ ...lite, name: "For a Zero", url: "https://x.example/zero.img.xz", devices: ["pi1-32bit"] },
		{ ...lite, name: "An installer", url: "https://x.example/setup.exe" },
	]);
	const list = catalog();
	const { entries } = await list.list();
	assert.deepEqual(
		entries.map(({ reason }) => reason?.split(" ").slice(0, 4).join(" ")),
		[
			undefined,
			"It writes the bootloader",
			"Its root is one",
			"It erases a card.",
			"It is for models",
			"setup.exe is no image",
		],
	);
	assert.equal((await list.choose(entries[0]?.id ?? "")).url, url);
	await assert.rejects(list.choose("eeprom"), { code: "catalog-refused" });
	await assert.rejects(list.choose("nothing"), { code: "catalog-not-found" });
});

test("lists that refer to each other, are missing, or are none, cost only themselves", async () => {
	serve("/list.json", [
		{ name: "Itself", description: "", subitems_url: `${base}/list.json` },
		{ name: "Round", description: "", subitems_url: `${base}/round.json` },
		{ name: "Missing", description: "", subitems_url: `${base}/missing.json` },
		{ name: "No list", description: "", subitems_url: `${base}/text.json` },
		{ name: "A file", description: "", subitems_url: "file:///etc/passwd" },
		{ nonsense: true },
		lite,
	]);
	serve("/round.json", [{ name: "Back", description: "", subitems_url: `${base}/list.json` }]);
	answers.set("/text.json", "<html>");
	const { entries, notes } = await catalog().list();
	assert.deepEqual(
		entries.map(({ name }) => name),
		[lite.name],
	);
	assert.deepEqual(asked, ["/list.json", "/round.json", "/missing.json", "/text.json"]);
	assert.deepEqual(notes, [
		"An item cannot be understood.",
		`Missing: There is no list at ${base}/missing.json: the server says 404.`,
		`No list: ${base}/text.json is no list of images: it is no JSON.`,
		"A file: file:///etc/passwd is no address that can be downloaded: it must begin with http:// or https://.",
	]);
});

test("lists without end are read up to a limit", async () => {
	const further = Array.from({ length: 100 }, (_, index) => ({ name: `${index}`, subitems_url: `${index}.json` }));
	serve("/list.json", further);
	for (let index = 0; index < 100; index++) serve(`/${index}.json`, []);
	assert.deepEqual((await catalog().list()).notes, ["There are more lists than are read."]);
	assert.equal(asked.splice(0).length, 40);
	for (let index = 0; index < 100; index++) serve(`/${index}.json`, [{ name: "N", subitems_url: `${index + 1}.json` }]);
	serve("/list.json", [{ name: "Next", subitems_url: "0.json" }]);
	assert.match((await catalog().list()).notes[0] ?? "", /is nested too deep\.$/);
	assert.equal(asked.length, 10);
	let deep: object = lite;
	for (let index = 0; index < 30; index++) deep = { name: "Deep", description: "", subitems: [deep] };
	serve("/list.json", [deep]);
	assert.deepEqual((await catalog().list()).entries, []);
});

test("kept for an hour; an older list is better than none", async () => {
	serve("/list.json", [lite]);
	const clock = new ManualClock(1_700_000_000_000);
	const list = catalog(clock);
	await Promise.all([list.list(), list.list()]);
	await list.list();
	assert.equal(asked.length, 1);
	answers.clear();
	clock.advance(3_600_000);
	const { entries, notes } = await list.list();
	assert.equal(entries.length, 1);
	assert.match(notes[0] ?? "", /could not be fetched anew: .* the server says 404/);
});

test("what is wrong with a list has its own code and sentence", async () => {
	const fails = (code: string, message: RegExp, more = {}) =>
		assert.rejects(catalog(undefined, more).list(), (error) => {
			assert.ok(error instanceof NetbootError);
			assert.deepEqual([error.code, message.test(error.message)], [code, true], error.message);
			assert.match(error.hint ?? "", /--catalog-url|later/);
			return true;
		});
	await fails("catalog-missing", /There is no list at .*: the server says 404/);
	answers.set("/list.json", "<html>");
	await fails("catalog-malformed", /is no list of images: it is no JSON/);
	answers.set("/list.json", '{"os": []}');
	await fails("catalog-malformed", /is no list of images: it has no os_list/);
	await fails("catalog-unavailable", /does not give the list: it answers 503/, { url: `${base}/busy` });
	await fails("catalog-unavailable", /did not come within 0 seconds/, { url: `${base}/silent`, patience: 20 });
	await fails("catalog-unavailable", /127\.0\.0\.1:1 cannot be reached: it refuses/, { url: "http://127.0.0.1:1/l" });
	await fails("catalog-unavailable", /is no address/, { url: "ftp://x.example/list.json" });
});

test("an unpacked image needs only the checksum of what comes out", async () => {
	const { image_download_sha256: _, ...plain } = lite;
	serve("/list.json", [{ ...plain, url: "https://x.example/raw.img" }, plain]);
	const { entries } = await catalog().list();
	assert.deepEqual(
		entries.map(({ sha256 }) => sha256),
		["1".repeat(64), null],
	);
});

test("any JSON is a list or is refused", () => {
	const item = fc.record({ name: fc.anything(), url: fc.anything(), subitems: fc.anything() }, { requiredKeys: [] });
	const list = fc.oneof(fc.jsonValue(), fc.record({ os_list: fc.array(fc.oneof(item, fc.jsonValue())) }));
	fc.assert(
		fc.property(list, (value) => {
			try {
				readList(value, [], () => false);
			} catch (error) {
				assert.ok(error instanceof z.ZodError);
			}
		}),
	);
});
