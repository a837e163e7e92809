/**
 * Images put on the disks of Pis, ordered and followed on the page: the real server, virtual Pis that boot from it, and our
 * agent at work for each, on block devices of this machine.
 */
import assert from "node:assert/strict";
import { truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { Write, WriteList } from "@pi-netboot/api";
import type { Locator, Page } from "playwright-core";
import { BlockDevices, type FaultyDisk } from "../harness/block-devices.ts";
import { bootLab } from "../harness/boot-lab.ts";
import { browserIn, PAGE_PROGRAMS } from "../harness/browser.ts";
import { eventually } from "../harness/eventually.ts";
import { lacks } from "../harness/needs.ts";
import { AWAY, PHONE, Screen } from "../harness/screen.ts";
import type { Server } from "../harness/server.ts";
import { makeSmallImage } from "../harness/small-image.ts";
import { WorkingPi } from "../harness/working-pi.ts";
import { assertDoesNotBoot, assertHolds } from "../harness/written-disk.ts";

const MIB = 1024 * 1024;
/** Of the disks that the image fits on. */
const SIZE = 160 * MIB;
const BENCH = { model: "pi5", mac: "88:a2:9e:11:4e:cc", serial: "7bf18f79" };
const SHELF = { model: "pi4-2021", mac: "e4:5f:01:09:02:f7", serial: "91cdf03d" };
/** A small computer's window. */
const WINDOW = { width: 1280, height: 800 };
const SURE = "I understand - write now";

const skip = await lacks([...PAGE_PROGRAMS, "dnsmasq", "tc", "python3", "losetup", "nbdkit", "nbdfuse"]);
let server: Server;
let image = "";
/** Full of something, full of zeros, too small, and one that breaks. */
let used = "";
let empty = "";
let small = "";
let broken: FaultyDisk;
let bench: WorkingPi;
let shelf: WorkingPi;
let screen: Screen;
let page: Page;

const room = bootLab(skip, async (made) => {
	const { lab, images, folder } = made;
	image = makeSmallImage(images, folder, { name: "raspios.img", kernelBytes: 300_001, ballastMiB: 32 }).path;
	const disks = new BlockDevices(folder);
	made.atEnd(() => disks.close());
	used = (await disks.loop(SIZE)).device;
	small = (await disks.loop(32 * MIB)).device;
	broken = await disks.faulty(SIZE);
	const zeros = join(folder, "zeros");
	writeFileSync(zeros, "");
	truncateSync(zeros, SIZE);
	empty = await disks.attach(zeros);
	// With the turn of one at a time, there is a queue.
	await made.startRouter();
	server = await made.serve({ images: ["raspios"], flags: ["--writes-at-once", "1"] });
	bench = new WorkingPi(lab, "bench", BENCH, [used, small, broken.device], folder);
	shelf = new WorkingPi(lab, "shelf", SHELF, [empty], folder);
	const pis = [bench, shelf];
	for (const pi of pis) made.atEnd(() => pi.powerOff());
	await Promise.all(pis.map((pi) => pi.boot()));
	await name(bench, "bench");
	await name(shelf, "shelf");
	const browser = await browserIn(made);
	screen = await Screen.enter(await browser.newContext({ viewport: WINDOW }), server);
	page = screen.page;
});

async function name({ id }: WorkingPi, wanted: string): Promise<void> {
	await server.api("PATCH", `/api/v1/devices/${id}`, { name: wanted });
}

/** The page of the first Pi, and the dialog that orders a write. */
async function openOrder(): Promise<Locator> {
	await screen.go(`/devices/${bench.id}`);
	await screen.heading("bench").waitFor();
	await screen.button("Write to disk").click();
	return screen.dialog();
}

/** Waits until a bar has come beyond so many percent. @returns where it is. */
function beyond(percent: number): Promise<number> {
	const bar = page.getByRole("progressbar", { name: "Write to bench" });
	return eventually(`more than ${percent} percent`, async () => {
		const now = Number(await bar.getAttribute("aria-valuenow"));
		return now > percent ? now : undefined;
	});
}

/** The last write of a Pi, as the server has it. */
async function lastWrite({ id }: WorkingPi): Promise<Write> {
	const { writes } = await server.api<WriteList>("GET", `/api/v1/writes?device=${id}&limit=1`);
	return writes[0] ?? assert.fail("no write");
}

async function assertWritten(pi: WorkingPi, device: string): Promise<void> {
	const { map, bytesTotal, zeroBytes } = await lastWrite(pi);
	const { folder } = room();
	const found = await assertHolds({ device, image, map: join(folder, "data/packs", `${map}.map`), folder });
	assert.deepEqual(found, { data: bytesTotal, zero: zeroBytes });
}

/** The page says that the server is gone, and that it is there again. */
async function restartServer(): Promise<void> {
	const away = screen.untilAway();
	server = await room().killServer();
	await away;
	await screen.untilLive();
}

describe("a write on the page", { skip, timeout: 300_000 }, () => {
	it("is confirmed with all that is lost by it, and not before", async () => {
		const dialog = await openOrder();
		const sure = dialog.getByRole("button", { name: SURE, exact: true });
		assert.ok(await dialog.getByRole("radio", { name: small }).isDisabled());
		await dialog.getByText(/^It is too small: raspios\.img needs \d+ MB\.$/).waitFor();
		assert.ok(await sure.isDisabled());
		await dialog.getByRole("radio", { name: used }).check();
		await dialog.getByText(/^Disk, 168 MB \(\/dev\/loop\d+\), in bench \(.*Pi 5.*\)\.$/).waitFor();
		await dialog.getByText("On it now: Unknown data, without partitions.").waitFor();
		const typed = dialog.getByRole("textbox", { name: "Type the Pi's name, bench, to go on" });
		await typed.fill("shelf");
		assert.ok(await sure.isDisabled());
		await typed.fill("bench");
		assert.ok(await sure.isEnabled());
	});

	it("is seen to move, and stopped", async () => {
		await room().lab.limit("bench0", 40);
		await screen.dialog().getByRole("button", { name: SURE }).click();
		await screen.dialog().waitFor({ state: "detached" });
		const own = screen.region("Written to its disks");
		await own.getByText("Writing", { exact: true }).waitFor();
		await own.getByText(/^\d+ %: [\d.]+ \w+ of \d+ MB, [\d.]+ \w+ a second, [\d.]+ s left\.$/).waitFor();
		await beyond(await beyond(12));
		await own.getByRole("button", { name: "Cancel the write to bench" }).click();
		await own.getByText("The write was cancelled. The disk does not boot.").waitFor();
		await own.getByText("Cancelled", { exact: true }).waitFor();
		await assertDoesNotBoot(used, room().folder);
		await room().lab.limit("bench0");
	});

	it("that fails says why, and can be tried again", async () => {
		broken.faults(`eio ${80 * MIB} ${81 * MIB}`);
		const dialog = await openOrder();
		await dialog.getByRole("radio", { name: broken.device }).check();
		await dialog.getByRole("textbox", { name: /^Type the Pi's name/ }).fill("bench");
		await dialog.getByRole("button", { name: SURE }).click();
		const failed = screen.region("Written to its disks").getByRole("article").first();
		await failed.getByText("Failed", { exact: true }).waitFor();
		await failed
			.getByText(
				/^\/dev\/loop\d+ failed to write at byte \d+: Input\/output error\. The disk is broken or loose; try another\.$/,
			)
			.waitFor();
		await failed.getByRole("button", { name: "Try again: the write to bench" }).waitFor();
		broken.faults();
	});

	it("that was stopped goes on over a restart of the server and of the Pi, and ends with a receipt", async () => {
		await room().lab.limit("bench0", 40);
		const all = screen.region("Written to its disks");
		const own = all.getByRole("article").filter({ hasText: used });
		await own.getByRole("button", { name: "Try again: the write to bench" }).click();
		const before = await beyond(12);
		await bench.stopAgent();
		await restartServer();
		await own.getByText("bench is away. It goes on as soon as the Pi runs from the network again.").waitFor();
		await own.getByText("Waiting", { exact: true }).waitFor();
		await page.getByText("Not heard", { exact: true }).waitFor();
		await bench.startAgent();
		await beyond(before);
		await room().lab.limit("bench0");
		await own.getByText(/^\d+ MB written in [\d.]+ s, \d+ MB read back and compared\.$/).waitFor();
		await own.getByText("Receipt").click();
		await own.getByText((await lastWrite(bench)).map ?? "no map").waitFor();
		await assertWritten(bench, used);
		await bench.agent.program.waitFor(/would reboot now/, 20_000);
	});

	it("is ordered for several Pis at once, on a phone, and each waits for its turn", async () => {
		await server.api("PATCH", `/api/v1/devices/${bench.id}`, { intent: "netboot" });
		await bench.boot();
		for (const host of ["bench0", "shelf0"]) await room().lab.limit(host, 60);
		await page.setViewportSize(PHONE);
		await screen.go("/devices");
		for (const wanted of ["bench", "shelf"]) await page.getByLabel(`Select ${wanted}`).check();
		const bar = screen.region("Selected Pis");
		await bar.getByRole("button", { name: "Write to disk" }).click();
		const dialog = page.getByRole("dialog", { name: "Write to the disks of 2 Pis" });
		const sure = dialog.getByRole("button", { name: SURE, exact: true });
		// Its only disk is chosen for the one, and nothing is on it; the other has two.
		await dialog.getByRole("combobox", { name: /^bench \(.*Pi 5/ }).selectOption(used);
		await dialog.getByText("On it now: A partition table with nothing in it.").waitFor();
		await dialog.getByText("On it now: Empty.").waitFor();
		assert.ok(await sure.isDisabled());
		await dialog.getByRole("textbox", { name: "Type the Pi's name, bench, to go on" }).fill("bench");
		assert.deepEqual(await page.evaluate("[document.documentElement.scrollWidth, innerWidth]"), [390, 390]);
		await sure.click();
		await dialog.waitFor({ state: "detached" });
		await screen.button("Open the menu").click();
		await screen.link("Writes").click();
		await screen.region("Now").getByRole("progressbar").waitFor();
		const queue = screen.region("Waiting").getByRole("article");
		await queue.getByText("Another Pi is written first, so that each is as fast as the network allows.").waitFor();
		assert.equal(await queue.count(), 1);
		for (const host of ["bench0", "shelf0"]) await room().lab.limit(host);
		const over = screen.region("Before").getByRole("article");
		await eventually("both", async () => (await over.getByText("Done", { exact: true }).count()) === 3 || undefined);
		await assertWritten(bench, used);
		await assertWritten(shelf, empty);
		assert.deepEqual(
			await Promise.all((await over.all()).map((one) => one.locator(".mantine-Badge-label").innerText())),
			["DONE", "DONE", "FAILED", "DONE"],
		);
	});

	it("is found again among many, which come page by page", async () => {
		// Its agent waits for the reboot and takes nothing up.
		await page.evaluate(
			async ([id, target]) => {
				const headers = { "content-type": "application/json" };
				const body = JSON.stringify({ target, confirm: true });
				for (let count = 0; count < 52; count++) {
					const order = await fetch(`/api/v1/devices/${id}/writes`, { method: "POST", headers, body });
					const { id: write } = (await order.json()) as { id: string };
					await fetch(`/api/v1/writes/${write}/cancel`, { method: "POST" });
				}
			},
			[shelf.id, empty],
		);
		await page.reload();
		const over = screen.region("Before");
		await over.getByRole("button", { name: "Show older ones" }).click();
		await over.getByRole("button", { name: "Show older ones" }).waitFor({ state: "detached" });
		assert.equal(await over.getByRole("article").count(), 56);
		await over.getByText("Failed 1", { exact: true }).click();
		await over.getByText("1 of 56 shown").waitFor();
		await over.getByText(/failed to write at byte/).waitFor();
	});

	it("leaves the browser nothing to complain of", () => {
		assert.deepEqual(screen.complaints(AWAY), []);
	});
});
