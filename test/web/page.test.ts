/**
 * The page as a person has it: Chromium on a computer of the LAN, the real server, virtual Pis. From the first visit to a Pi
 * that runs, with what goes wrong on the way.
 */
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { copyFile, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { AllowedHosts, DeviceList, Network } from "@pi-netboot/api";
import type { Browser, BrowserContext, Page } from "playwright-core";
import decodeQR from "qr/decode.js";
import { bootLab } from "../harness/boot-lab.ts";
import { browserIn, PAGE_PROGRAMS } from "../harness/browser.ts";
import { eventually } from "../harness/eventually.ts";
import { lacks } from "../harness/needs.ts";
import { AWAY, DESK, PHONE, Screen } from "../harness/screen.ts";
import { type Server, SITE } from "../harness/server.ts";
import { makeSmallImage } from "../harness/small-image.ts";

interface Picture {
	readonly width: number;
	readonly height: number;
	/** Red, green, blue and opacity of each pixel. */
	readonly data: number[];
}

/** The picture in the dialog as a camera has it. */
const PAINTED = `(async () => {
	const drawn = document.querySelector('[role="dialog"] svg[role="img"]').cloneNode(true);
	drawn.setAttribute("xmlns", "http://www.w3.org/2000/svg");
	const picture = new Image();
	picture.src = "data:image/svg+xml," + encodeURIComponent(drawn.outerHTML);
	await picture.decode();
	const canvas = Object.assign(document.createElement("canvas"), { width: picture.width, height: picture.height });
	const context = canvas.getContext("2d");
	context.drawImage(picture, 0, 0);
	const { width, height, data } = context.getImageData(0, 0, picture.width, picture.height);
	return { width, height, data: [...data] };
})()`;

/** Bytes; what may be loaded before the first page is there, packed. */
const MOST_AT_FIRST = 250_000;

const skip = await lacks(PAGE_PROGRAMS);
let image = "";
let server: Server;
let browser: Browser;
let context: BrowserContext;
let screen: Screen;
let page: Page;

const room = bootLab(skip, async (made) => {
	const elsewhere = join(made.folder, "elsewhere");
	mkdirSync(elsewhere);
	image = makeSmallImage(elsewhere, made.folder, { name: "raspios.img", kernelBytes: 300_000 }).path;
	server = await made.serve();
	browser = await browserIn(made);
	context = await browser.newContext({ viewport: DESK });
	screen = await Screen.open(context);
	page = screen.page;
});

describe("the page", { skip }, () => {
	it("lets in whoever has the link, once, and loads little", async () => {
		const sizes: Promise<number>[] = [];
		page.on("requestfinished", (request) => {
			if (!request.url().includes("/api/"))
				sizes.push(request.sizes().then(({ responseBodySize }) => responseBodySize));
		});
		const link = server.loginLink;
		await page.goto(link);
		await page.getByRole("heading", { name: "No Pi yet" }).waitFor();
		await page.waitForLoadState("load");
		const bytes = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
		assert.ok(bytes > 50_000 && bytes < MOST_AT_FIRST, `${bytes} bytes`);
		const stranger = await browser.newContext();
		const other = await stranger.newPage();
		await other.goto(link);
		assert.match(await other.innerText("main"), /used already/);
		await stranger.close();
	});

	it("is left and entered by keyboard", async () => {
		await page.keyboard.press("Tab");
		assert.equal(await page.locator(":focus").innerText(), "To the page");
		const places = page.getByRole("navigation", { name: "Pages" });
		for (let step = 0; step < 5; step++) await page.keyboard.press("Tab");
		await places.getByRole("link", { name: "Images" }).focus();
		await page.keyboard.press("Enter");
		await screen.heading("Images").waitFor();
	});

	it("goes on with an upload by itself after the server was killed, and shows that it was away", async () => {
		const session = await context.newCDPSession(page);
		const slow = { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: 8_000_000 };
		await session.send("Network.emulateNetworkConditions", slow);
		await page.locator('input[type="file"]').setInputFiles(image);
		const bar = page.getByRole("progressbar", { name: "Upload of raspios.img" });
		const percent = async () => Number(await bar.getAttribute("aria-valuenow"));
		await eventually("a part of the upload", async () => ((await percent()) > 15 ? true : undefined));
		await server.kill();
		await page.getByText("The server is away; it goes on by itself.").waitFor();
		await screen.untilAway();
		server = await room().restartServer();
		await session.send("Network.emulateNetworkConditions", { ...slow, uploadThroughput: -1 });
		await page.getByText(/^Uploaded: /).waitFor();
		assert.equal(await bar.getAttribute("aria-valuenow"), "100");
		await screen.untilLive();
		await screen.card("raspios.img").waitFor();
		await server.waitForImage("raspios");
		assert.ok((await readFile(join(room().images, "raspios.img"))).equals(await readFile(image)));
		assert.deepEqual(screen.complaints(AWAY), []);
	});

	it("refuses an upload that is there already in the server's words, and replaces it when told to", async () => {
		await screen.button("Hide the upload of raspios.img").click();
		await page.locator('input[type="file"]').setInputFiles(image);
		await page
			.getByRole("alert")
			.getByText(/raspios\.img/)
			.waitFor();
		await screen.button("Replace it: raspios.img").click();
		await page.getByText(/^Uploaded: /).waitFor();
		await screen.button("Hide the upload of raspios.img").click();
	});

	it("says of a file that was taken away meanwhile that it is the file, not the server", async () => {
		const session = await context.newCDPSession(page);
		const slow = { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: 4_000_000 };
		await session.send("Network.emulateNetworkConditions", slow);
		const passing = join(room().folder, "elsewhere", "passing.img");
		await copyFile(image, passing);
		await page.locator('input[type="file"]').setInputFiles(passing);
		await page.getByText(/^\d+ %, .* of /).waitFor();
		await screen.button("Pause the upload of passing.img").click();
		await rm(passing);
		await screen.button("Go on with the upload of passing.img").click();
		await page.getByRole("alert").getByText("The file cannot be read any more").waitFor();
		await screen.button("Cancel the upload of passing.img").click();
		await session.send("Network.emulateNetworkConditions", { ...slow, uploadThroughput: -1 });
	});

	it("leads from the guide to a virtual Pi that runs, which other browsers see live", async () => {
		await server.waitForImage("raspios");
		const phone = await browser.newContext({ viewport: PHONE, storageState: await context.storageState() });
		const seen = await Screen.open(phone);
		await seen.go("/devices");
		await seen.page.getByRole("heading", { name: "No Pi yet" }).waitFor();
		await screen.link("Set-up guide").click();
		await page.getByLabel("Model").selectOption("pi4");
		await screen.button("Start a virtual Pi").click();
		await page.getByText("It runs from the network.").waitFor();
		const card = seen.page.getByRole("article");
		await card.getByText("Running").waitFor();
		await card.getByText("Pi 4").waitFor();
		assert.deepEqual(seen.complaints(), []);
		await phone.close();
	});

	it("changes a Pi, and says in the server's words why it does not", async () => {
		await screen.link("Pis").click();
		await page.getByRole("article").getByRole("link").click();
		await page.getByRole("heading", { name: "Last boot" }).waitFor();
		await page.getByText(/files asked for, .* sent$/).click();
		await page.getByRole("cell", { name: "cmdline.txt" }).waitFor();
		await page
			.getByRole("cell", { name: /^Sent, 300 kB$/ })
			.first()
			.waitFor();
		const name = page.getByRole("textbox", { name: "Name" });
		const save = screen.region("Settings").getByRole("button", { name: "Save" });
		await name.fill("Not A Name");
		await save.click();
		await page
			.getByRole("alert")
			.getByText(/expected a host name/)
			.waitFor();
		await name.fill("bench-1");
		await page.getByLabel("Fresh at each boot").click();
		await page.getByRole("combobox", { name: "Tags" }).fill("room-2");
		await page.keyboard.press("Enter");
		// Key by key: `2.` is no number yet.
		await page.getByLabel("Most that its root may hold").pressSequentially("2.5");
		const held = Promise.withResolvers<void>();
		await page.route("**/api/v1/devices/*", (route) => held.promise.then(() => route.continue()), { times: 1 });
		await save.click();
		await save.and(page.locator(":disabled")).waitFor();
		await name.fill("bench-2");
		held.resolve();
		// What was typed while it was saved can be saved, too.
		await save.and(page.locator(":enabled")).waitFor();
		await screen.heading("bench-1").waitFor();
		assert.equal(await name.inputValue(), "bench-2");
		await screen.button("Discard").click();
		assert.equal(await name.inputValue(), "bench-1");
		await screen.region("Root").getByText("2.5 GB").waitFor();
		const { devices } = await server.api<DeviceList>("GET", "/api/v1/devices");
		assert.deepEqual(
			devices.map((device) => [device.name, device.rootMode, device.tags, device.quotaBytes]),
			[["bench-1", "ephemeral", ["room-2"], 2_500_000_000]],
		);
	});

	it("says that a virtual Pi is one, what its boots took, and why it cannot be written", async () => {
		const about = screen.region("About");
		await about.getByText(/Pi 4.*, a virtual one$/).waitFor();
		await page.getByRole("row", { name: /^Firmware/ }).waitFor();
		assert.ok(await screen.button("Write to disk").isDisabled());
		await page.getByText("It has no disk to write").waitFor();
	});

	it("finds again with Back what was searched for, and not by a link", async () => {
		const search = page.getByLabel("Search the Pis");
		const isSearched = async (text: string) => ((await search.inputValue()) === text ? true : undefined);
		await screen.link("All Pis").click();
		await search.fill("room-2");
		await page.getByRole("article").getByRole("link").click();
		await page.getByRole("heading", { name: "Last boot" }).waitFor();
		await page.goBack();
		await eventually("the search", () => isSearched("room-2"));
		await page.reload();
		await eventually("the search", () => isSearched("room-2"));
		await page.getByRole("article").getByRole("link").click();
		await screen.link("All Pis").click();
		await eventually("no search", () => isSearched(""));
	});

	it("shows a Pi under each id that it ever had", async () => {
		const { devices } = await server.api<DeviceList>("GET", "/api/v1/devices");
		const [{ id, mac } = assert.fail()] = devices;
		await page.goto(`${SITE}/devices/${mac?.replaceAll(":", "")}`);
		await page.waitForURL(`${SITE}/devices/${id}`);
		await screen.heading("bench-1").waitFor();
		await page.goto(`${SITE}/devices/00000bad`);
		await page.getByText("There is no Pi with the id 00000bad.").waitFor();
		await screen.link("All Pis").click();
	});

	it("changes several Pis at once", async () => {
		await page.getByLabel("Search the Pis").fill("room-2");
		await page.getByLabel("Select bench-1").check();
		const bar = screen.region("Selected Pis");
		await bar.getByText("1 Pi selected").waitFor();
		await page.getByLabel("Search the Pis").fill("another");
		await bar.getByText("1 of them is not shown: bench-1.").waitFor();
		await bar.getByRole("button", { name: "Show all" }).click();
		await page.getByLabel("Select bench-1").and(page.locator(":checked")).waitFor();
		await bar.getByRole("button", { name: "Root" }).click();
		await page.getByRole("menuitem", { name: "Read only" }).click();
		await bar.getByText("Set. It holds from the next boot on.").waitFor();
		await bar.getByRole("button", { name: "Tags" }).click();
		const dialog = page.getByRole("dialog");
		await dialog.getByRole("combobox").fill("printers");
		await page.keyboard.press("Enter");
		await dialog.getByRole("button", { name: "Save" }).click();
		await dialog.waitFor({ state: "detached" });
		await bar.getByText("The tags are saved.").waitFor();
		await bar.getByRole("button", { name: "Clear" }).click();
		await bar.waitFor({ state: "detached" });
		const runs = "raspios.img · keep changes. Next boot: read only";
		await page.getByRole("article").getByText(runs).waitFor();
		const { devices } = await server.api<DeviceList>("GET", "/api/v1/devices");
		assert.deepEqual([devices[0]?.rootMode, devices[0]?.tags], ["read-only", ["printers", "room-2"]]);
	});

	it("changes the DHCP mode without a restart, and back again", async () => {
		const mode = async () => (await server.api<Network>("GET", "/api/v1/network")).mode;
		await screen.link("Network").click();
		await page.getByLabel("This server gives the addresses").click();
		await screen.button("Apply").click();
		await page.getByText("It holds now.").waitFor();
		assert.equal(await mode(), "full");
		await screen.button("Undo").click();
		await page.getByText("It holds now.").waitFor({ state: "detached" });
		assert.equal(await mode(), "proxy");
	});

	it("confirms a change by itself when it reaches the server again; one that nobody confirms is taken back", async () => {
		const network = async () => await server.api<Network>("GET", "/api/v1/network");
		const held = () => network().then(({ mode, unconfirmedUntil }) => [mode, unconfirmedUntil === null]);
		await page.route("**/api/v1/network/confirm", (route) => route.abort());
		await page.getByLabel("Off", { exact: true }).click();
		await screen.button("Apply").click();
		await eventually("the change", async () => ((await held())[0] === "off" ? true : undefined));
		assert.deepEqual(await held(), ["off", false], "it waits to be confirmed");
		await page.unroute("**/api/v1/network/confirm");
		await page.getByText("It holds now.").waitFor();
		assert.deepEqual(await held(), ["off", true]);
		await server.api("PATCH", "/api/v1/network", { mode: "proxy", confirmWithin: 5 });
		await page.getByText(/are taken back at/).waitFor();
		await page.getByText(/are taken back at/).waitFor({ state: "detached" });
		assert.deepEqual(await held(), ["off", true]);
		await server.api("PATCH", "/api/v1/network", { mode: "proxy" });
	});

	it("keeps the names that the server may be called by", async () => {
		await screen.link("Settings").click();
		const names = screen.region("Names of this server");
		await names.getByRole("combobox", { name: "Further names" }).fill("netboot.example.org");
		await page.keyboard.press("Enter");
		await names.getByRole("button", { name: "Save" }).click();
		await names.getByText("Saved.").waitFor();
		const { hosts } = await server.api<AllowedHosts>("GET", "/api/v1/allowed-hosts");
		assert.deepEqual(hosts, ["netboot.example.org"]);
	});

	it("shows at once what somebody else sets for all", async () => {
		const quota = page.getByLabel("Most that a Pi's root may hold");
		const shows = async (value: string) => ((await quota.inputValue()) === value ? true : undefined);
		await server.api("PATCH", "/api/v1/defaults", { quotaBytes: 3_000_000_000 });
		await eventually("the new quota", () => shows("3"));
		await server.api("PATCH", "/api/v1/defaults", { quotaBytes: 0 });
		await eventually("no quota", () => shows(""));
	});

	it("copies a link, though a page that comes without TLS has no clipboard of its own", async () => {
		assert.equal(await page.evaluate("isSecureContext"), false);
		await screen.button("Make a link").click();
		await screen.button("Copy it").click();
		await screen.button("Copied").waitFor();
		const field = page.getByLabel("A new one, for");
		await field.focus();
		await page.keyboard.press("Control+V");
		assert.match(await field.inputValue(), /^http:\S+\?code=\w+$/);
	});

	it("opens on a phone, by what its camera reads", async () => {
		await screen.button("Open on a phone").click();
		await screen.dialog().getByRole("img", { name: "The link as a QR code" }).waitFor();
		const { data, ...size } = await page.evaluate<Picture>(PAINTED);
		const link = decodeQR({ ...size, data: Uint8Array.from(data) });
		assert.match(link, /^http:\S+\?code=\w+&to=%2Fsettings$/);
		await page.keyboard.press("Escape");
		await screen.dialog().waitFor({ state: "detached" });
		const phone = await browser.newContext({ viewport: PHONE });
		const seen = await Screen.open(phone);
		await seen.page.goto(link);
		await seen.heading("Settings").waitFor();
		assert.deepEqual(seen.complaints(), []);
		await phone.close();
	});

	it("shows the log as it grows", async () => {
		await screen.link("Log").click();
		await page.getByRole("log").getByText("a virtual pi4 is switched on").waitFor();
		await page.getByLabel("Search the log").fill("virtual");
		await server.api("POST", "/api/v1/virtual-pis", { model: "pi5" });
		await page.getByRole("log").getByText("a virtual pi5 is switched on").waitFor();
	});

	it("lets a virtual Pi fail, to see what is said of that", async () => {
		await screen.link("Set-up guide").click();
		await page.getByLabel("Model").selectOption("pi3bp");
		await page.getByLabel("What it does").selectOption("It finds no kernel that it takes");
		await screen.button("Start a virtual Pi").click();
		await screen.link("Log").click();
		await page.getByRole("log").getByText("a virtual pi3bp is switched on, which plays config-loop").waitFor();
	});

	it("lets a stranger in by the password, with the keyboard alone, and asks everybody else again", async () => {
		await server.api("PUT", "/api/v1/password", { password: "correct horse & battery" });
		const stranger = await browser.newContext();
		const { page: form } = await Screen.open(stranger);
		await form.goto(`${SITE}/images`);
		await form.getByLabel("Password").focus();
		await form.keyboard.type("a wrong one");
		await form.keyboard.press("Enter");
		await form.getByText("This is not the password.").waitFor();
		await form.getByLabel("Password").focus();
		await form.keyboard.type("correct horse & battery");
		await form.keyboard.press("Enter");
		await form.getByRole("heading", { name: "Images", level: 1 }).waitFor();
		await stranger.close();
		await page.goto(`${SITE}/devices`);
		await page.getByLabel("Password").waitFor();
	});
});
