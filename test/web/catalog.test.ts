/**
 * Images on the page: from a catalogue, by an address and by a drop, with what goes wrong on the way; which one the Pis get,
 * who runs it, and what becomes of it when it is removed. The real server, a bad mirror, and virtual Pis.
 */
import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import type { Browser, Page } from "playwright-core";
import { violations } from "../harness/axe.ts";
import { PAGE_PROGRAMS, startBrowser } from "../harness/browser.ts";
import { must } from "../harness/command.ts";
import { eventually } from "../harness/eventually.ts";
import { ImageSources, MIRROR } from "../harness/image-sources.ts";
import { ROUTER_ADDRESS } from "../harness/lab.ts";
import { lacks } from "../harness/needs.ts";
import { DESK, Screen } from "../harness/screen.ts";

const skip = await lacks([...PAGE_PROGRAMS, "xz"]);
let sources: ImageSources;
let browser: Browser;
let screen: Screen;
let page: Page;

before(async () => {
	if (skip !== false) return;
	sources = await ImageSources.start();
	await sources.serve(["--catalog-url", `${MIRROR}/late.json`]);
	browser = await startBrowser(sources.lab, "rtr", sources.folder);
	screen = await Screen.enter(await browser.newContext({ viewport: DESK }), sources.server);
	page = screen.page;
	await screen.link("Images").click();
});

after(async () => {
	if (skip !== false) return;
	await browser?.close();
	await sources?.remove();
});

/** What the mirror's list has, as Raspberry Pi Imager reads it. */
function writeList(): void {
	const image_download_sha256 = sources.sha256;
	const held = { name: "Held OS", description: "Arrives slowly", url: `${MIRROR}/hold.img.xz`, image_download_sha256 };
	const other = { ...held, name: "Another OS", url: `${MIRROR}/cut.img.xz`, extract_sha256: "1".repeat(64) };
	const eeprom = { name: "Bootloader", description: "", url: `${MIRROR}/eeprom.zip` };
	writeFileSync(sources.at("late.json"), JSON.stringify({ os_list: [held, eeprom, other] }));
}

/** Opens the menu of an image, and chooses. */
async function choose(image: string, item: string): Promise<void> {
	await screen.dialog().waitFor({ state: "detached" });
	await screen.button(`What can be done with ${image}`).click();
	await page.getByRole("menuitem", { name: item }).click();
}

async function remove(image: string, word: string): Promise<void> {
	await choose(image, word);
	await screen.dialog().getByRole("button", { name: word }).click();
	await screen.card(image).waitFor({ state: "detached" });
}

async function addByAddress(address: string): Promise<void> {
	await screen.button("Add by address").click();
	const dialog = screen.dialog();
	await dialog.getByLabel("Address").fill(address);
	await dialog.getByRole("button", { name: "Add" }).click();
}

/** Drops what lies on this machine on the page, as a file manager does. */
async function drop(...files: readonly string[]): Promise<void> {
	const box = await page.getByText("Drop an image here, or choose one").boundingBox();
	const session = await page.context().newCDPSession(page);
	const at = { x: (box?.x ?? 0) + 5, y: (box?.y ?? 0) + 5 };
	const data = { items: [], files: [...files], dragOperationsMask: 1 };
	for (const type of ["dragEnter", "dragOver", "drop"] as const) {
		await session.send("Input.dispatchDragEvent", { type, ...at, data });
	}
	await session.detach();
}

describe("the images on the page", { skip, timeout: 240_000 }, () => {
	it("are chosen from a catalogue, which says why it cannot be had", async () => {
		await screen.button("Choose from the catalogue").click();
		const dialog = screen.dialog();
		await dialog.getByText(/^There is no list at http:.*404/).waitFor();
		writeList();
		await dialog.getByRole("button", { name: "Try again" }).click();
		await dialog.getByText("Arrives slowly").first().waitFor();
		assert.equal(await dialog.getByText("Bootloader").count(), 0);
		await dialog.getByLabel("Also what cannot boot from the network").click();
		const eeprom = dialog.getByRole("listitem").filter({ hasText: "Bootloader" });
		assert.equal(await eeprom.getByRole("button").count(), 0);
		assert.deepEqual(await violations(page), []);
		await dialog.getByRole("searchbox").fill("held");
		assert.equal(await dialog.getByRole("listitem").count(), 1);
		await dialog.getByRole("button", { name: "Add Held OS" }).click();
		await dialog.getByText("Coming").waitFor();
		await dialog.getByRole("searchbox").fill("another");
		await dialog.getByRole("button", { name: "Add Another OS" }).click();
		await dialog.getByText("Coming").waitFor();
		await dialog.getByRole("button", { name: "Close" }).click();
	});

	it("arrive before one's eyes, or say that they are not what the list promised", async () => {
		const held = screen.card("hold.img.xz");
		const bar = held.getByRole("progressbar", { name: "Arrival of hold.img.xz" });
		await eventually("half of it", async () => Number(await bar.getAttribute("aria-valuenow")) > 20 || undefined);
		writeFileSync(sources.at("go"), "");
		await bar.waitFor({ state: "detached" });
		await held.getByText("Default").waitFor();
		await held.getByText("Where it came from").click();
		await held.getByText("From the catalogue: Held OS").waitFor();
		await held.getByText("As it should be").waitFor();
		await held.getByText(sources.sha256).waitFor();
		const other = screen.card("cut.img.xz");
		await other.getByText("Broken").waitFor();
		await other
			.getByText(/^What is in cut\.img\.xz has the checksum \w+, and should have 1{64}: that is what its list says\.$/)
			.waitFor();
	});

	it("come by an address, which is told what is wrong with it", async () => {
		await addByAddress("nonsense");
		const dialog = screen.dialog();
		await dialog
			.getByRole("alert")
			.getByText(/^nonsense is no address that can be downloaded: it must begin with http/)
			.waitFor();
		await dialog.getByRole("button", { name: "Close" }).click();
		await addByAddress(`${MIRROR}/wrong.img.xz`);
		await screen
			.card("wrong.img.xz")
			.getByText(/another checksum than it should have: got \w+, expected 0{64}/)
			.waitFor();
		// It is tried again for a while.
		await addByAddress(`http://${ROUTER_ADDRESS}:9/away.img.xz`);
		const away = screen.card("away.img.xz");
		await away.getByText(`${ROUTER_ADDRESS}:9 cannot be reached: it refuses the connection.`).waitFor();
		await away.getByRole("progressbar").waitFor();
		await remove("away.img.xz", "Give it up");
		for (const name of ["wrong.img.xz", "cut.img.xz"]) await remove(name, "Remove");
	});

	it("are dropped on the page; a folder and what is no image get their word", async () => {
		writeFileSync(sources.at("notes.txt"), "no image");
		mkdirSync(sources.at("rootfs"));
		await drop(sources.at("notes.txt"), sources.at("rootfs"));
		await page.getByText("rootfs is a folder").waitFor();
		const row = screen.region("Uploads");
		await row.getByText('"notes.txt" is no file name of an image.').waitFor();
		await row.getByRole("button", { name: "Cancel" }).click();
		copyFileSync(sources.packed, sources.at("dropped.img.xz"));
		await drop(sources.at("dropped.img.xz"));
		await row.getByText(/^Uploaded: /).waitFor();
		await row.getByRole("button", { name: "Hide" }).click();
		await screen.card("dropped.img.xz").getByRole("group", { name: "Boots" }).waitFor();
	});

	it("tell who gets and who runs them, and their builds", async () => {
		// The newest one is the default until somebody chooses.
		await screen.card("dropped.img.xz").getByText("Default").waitFor();
		await screen.card("hold.img.xz").getByText("Default").waitFor({ state: "detached" });
		await choose("hold.img.xz", "Make it the default");
		await screen.card("hold.img.xz").getByText("Default").waitFor();
		await screen.card("dropped.img.xz").getByText("Default").waitFor({ state: "detached" });
		await sources.server.api("POST", "/api/v1/virtual-pis", { model: "pi4" });
		const held = screen.card("hold.img.xz");
		await held.getByText(/^Run it now: raspberrypi-\w+$/).waitFor();
		await held.getByRole("link", { name: /^raspberrypi-/ }).waitFor();
		// What comes in the place of the file that the Pi reads is the next build.
		await must(["sh", "-c", `xz -0 -c ${sources.at("made", "small.img")} > ${sources.at("next")}`]);
		renameSync(sources.at("next"), sources.at("images", "hold.img.xz"));
		await held.getByText("1 older build").click();
		await held.getByText(/^raspberrypi-\w+ runs it until it boots again\./).waitFor();
	});

	it("are removed when nobody needs them", async () => {
		await choose("hold.img.xz", "Remove");
		const dialog = screen.dialog();
		await dialog.getByText(/^raspberrypi-\w+ will get another image at the next boot\.$/).waitFor();
		await dialog.getByRole("button", { name: "Remove" }).click();
		await dialog
			.getByRole("alert")
			.getByText(/^raspberrypi-\w+ runs from "hold"\.$/)
			.waitFor();
		await dialog.getByRole("button", { name: "Cancel" }).click();
		await choose("dropped.img.xz", "Remove");
		await dialog.getByLabel("Delete its file from the server's disk").check();
		await dialog.getByRole("button", { name: "Remove" }).click();
		await screen.card("dropped.img.xz").waitFor({ state: "detached" });
		assert.ok(!sources.files().includes("dropped.img.xz"), String(sources.files()));
		// What was refused above, the browser tells as well.
		assert.deepEqual(screen.complaints(/status of (400|409|502)|^502 .*catalog$/), []);
	});
});
