/**
 * The page for everybody: by keyboard alone, for those who hear it, in the dark, on a phone and on a wall. The real server, a
 * Pi that runs with our agent, one that does not boot, and one that a person starts.
 */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import type { Device, DeviceList, Network, TokenList } from "@pi-netboot/api";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { violations } from "../harness/axe.ts";
import { BlockDevices } from "../harness/block-devices.ts";
import { bootLab } from "../harness/boot-lab.ts";
import { BROWSER_PROGRAMS, openPage, startBrowser, type WatchedPage } from "../harness/browser.ts";
import { run } from "../harness/command.ts";
import { eventually } from "../harness/eventually.ts";
import { focused, Hands, hasFocus, showsFocus } from "../harness/keyboard.ts";
import { SERVER_ADDRESS } from "../harness/lab.ts";
import { IMAGE_PROGRAMS, lacks } from "../harness/needs.ts";
import { makeSmallImage } from "../harness/small-image.ts";
import { WorkingPi } from "../harness/working-pi.ts";

const SITE = `http://${SERVER_ADDRESS}:38434`;
const PROGRAM = fileURLToPath(new URL("../../server/bin/pi-netboot.mjs", import.meta.url));
const MIB = 1024 * 1024;
const DESK = { width: 1440, height: 900 };
const PHONE = { width: 390, height: 844 };
/** As long as names may be. */
const LONG_NAME = `a-name-as-long-as-a-host-name-may-be-${"x".repeat(26)}`;
const LONG_TAG = "on-the-second-floor-of-the-house";
const LONG_IMAGE = `an-image-${"with-a-name-that-tells-how-it-was-made-".repeat(4)}.img`;
/** Comes by its path, and by an upload. */
const BROUGHT = "brought.img";
const SENT = "sent.img";
const PASSWORD = "correct horse battery";
/** Makes the numbers as long as they get at another hour, on another day: 9:05 is 89:85, 1.4 MB are 81.84. */
const GROWN = `{
	const texts = document.createTreeWalker(document.getElementById("page"), NodeFilter.SHOW_TEXT);
	while (texts.nextNode()) {
		const text = texts.currentNode;
		const grown = text.nodeValue.replace(/\\d+/g, (digits) => digits.padStart(2, "8"));
		if (grown !== text.nodeValue) text.nodeValue = grown;
	}
}`;
/** What is wider than its place, the screen or a box, and by how many pixels. */
const BEYOND = `[document.documentElement, ...document.querySelectorAll("#page .mantine-Paper-root")]
	.map((one) => [one.scrollWidth - one.clientWidth, one.matches("html") ? "the screen" : one.textContent.slice(0, 40)])
	.filter(([pixels]) => pixels > 1)`;
const BENCH = { model: "pi5", mac: "88:a2:9e:11:4e:cc", serial: "7bf18f79" };

const skip = await lacks(["ip", "curl", "python3", "losetup", ...BROWSER_PROGRAMS, ...IMAGE_PROGRAMS]);
let disks: BlockDevices;
let bench: WorkingPi;
let browser: Browser;
let context: BrowserContext;
let watched: WatchedPage;
let page: Page;
let hands: Hands;
/** Each page with something on it. */
let places: readonly string[] = [];

after(async () => {
	if (skip !== false) return;
	await browser?.close();
	await bench?.powerOff();
	await disks?.close();
});

const room = bootLab(skip, async (made) => {
	const { lab, images, folder } = made;
	makeSmallImage(images, folder, { name: "raspios.img", kernelBytes: 100_000, ballastMiB: 8 });
	for (const name of [join(images, LONG_IMAGE), join(folder, BROUGHT), join(folder, SENT)])
		writeFileSync(name, "no image");
	disks = new BlockDevices(folder);
	const disk = (await disks.loop(96 * MIB)).device;
	const server = await made.serve({ images: ["raspios"], flags: ["--dhcp", "full"] });
	bench = new WorkingPi(lab, "bench", BENCH, [disk], folder);
	// The one has what it needs in the image, the other has not.
	const lost = ["simulate", "--server", "127.0.0.1", "--model", "pi1b", "--seconds", "15"];
	await Promise.all([bench.boot(), run(lab.on("srv", [PROGRAM, ...lost]))]);
	await server.api("PATCH", `/api/v1/devices/${bench.id}`, { name: "bench" });
	const { devices } = (await server.api("GET", "/api/v1/devices")) as DeviceList;
	const other = devices.find(({ id }) => id !== bench.id)?.id;
	await server.api("PATCH", `/api/v1/devices/${other}`, { name: LONG_NAME, tags: [LONG_TAG] });
	await server.api("POST", "/api/v1/tokens", { name: "build server" });
	const pis = ["/devices", `/devices/${bench.id}`, `/devices/${other}`];
	places = [
		...pis,
		"/images",
		"/writes",
		"/network",
		"/logs",
		"/settings",
		"/guide",
		"/no/such/page",
		"/devices/nobody",
	];
	browser = await startBrowser(lab, "rtr", folder);
	// Nothing is looked at while it is on its way.
	context = await browser.newContext({ viewport: DESK, reducedMotion: "reduce" });
	watched = await openPage(context);
	page = watched.page;
	page.setDefaultTimeout(8000);
	hands = new Hands(page);
	await page.goto(`${SITE}/${new URL(/ready (http:\S+)/.exec(server.log)?.[1] ?? "").search}`);
	await page.getByText("Live", { exact: true }).waitFor();
});

const device = async (id: string) => (await room().server.api("GET", `/api/v1/devices/${id}`)) as Device;
const heading = (name: string) => page.getByRole("heading", { name, level: 1 });
const button = (name: string) => page.getByRole("button", { name, exact: true });
const region = (name: string) => page.getByRole("region", { name });
const dialog = () => page.getByRole("dialog");

/** By the navigation, with keys. */
async function visit(link: string, title: string): Promise<void> {
	await hands.use(page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: link, exact: true }));
	await arriveAt(title);
}

/** The focus comes to the heading, which is what is read out, and the window has its name. */
async function arriveAt(title: string): Promise<void> {
	await eventually(`the focus on ${title}`, async () => (await hasFocus(heading(title))) || undefined);
	assert.equal(await page.title(), `${title} · pi-netboot`);
}

const focusIsOn = (pattern: RegExp) =>
	eventually(`the focus on ${pattern}`, async () => pattern.test(await focused(page)) || undefined);

/** No rule is broken by what is shown now, light and dark. */
async function assertKind(what: string): Promise<void> {
	await setScheme("light");
	assert.deepEqual(await violations(page), [], what);
	await setScheme("dark");
	assert.deepEqual(await violations(page, ["color-contrast", "link-in-text-block"]), [], `${what}, dark`);
	await page.emulateMedia({ colorScheme: null });
}

async function setScheme(colorScheme: "light" | "dark"): Promise<void> {
	await page.emulateMedia({ colorScheme });
	await page.locator(`html[data-mantine-color-scheme="${colorScheme}"]`).waitFor();
}

describe("by keyboard", { skip, timeout: 300_000 }, () => {
	it("the page is entered past its menu", async () => {
		await page.getByRole("searchbox").waitFor();
		await hands.press("Tab");
		assert.equal(await focused(page), "A To the page");
		await hands.press("Enter");
		await focusIsOn(/^MAIN/);
		await hands.press("Tab");
		assert.equal(await focused(page), "INPUT Search the Pis");
	});

	it("a virtual Pi is started from the guide, and seen running", async () => {
		await visit("Set-up guide", "Set-up guide");
		await hands.goTo(page.getByLabel("Model"));
		await hands.press("ArrowDown");
		await hands.use(button("Start a virtual Pi"));
		await page.getByText(/^It is switched on/).waitFor();
		const { devices } = await eventually("the Pi", async () => {
			const list = (await room().server.api("GET", "/api/v1/devices")) as DeviceList;
			return list.devices.some(({ model, stage }) => model === "pi4" && stage === "userspace") ? list : undefined;
		});
		const name = devices.find(({ model }) => model === "pi4")?.name ?? "";
		await region("3. Connect it").getByRole("link", { name }).waitFor();
	});

	it("a Pi gets a name, tags, a mode and an image", async () => {
		await visit("Pis", "Pis");
		await hands.use(page.getByRole("link", { name: "bench", exact: true }));
		await arriveAt("bench");
		const settings = region("Settings");
		await hands.fill(settings.getByRole("textbox", { name: "Name" }), "bench-1");
		await hands.goTo(settings.getByRole("combobox", { name: "Tags" }));
		for (const tag of ["room-2", "wrong"]) {
			await page.keyboard.type(tag);
			await hands.press("Enter");
		}
		await hands.press("Backspace");
		await hands.goTo(settings.getByLabel("Image"));
		await hands.press("ArrowDown");
		await hands.goTo(settings.getByRole("radio", { name: "Keep changes" }));
		await hands.press("ArrowDown");
		await hands.use(settings.getByRole("button", { name: "Save" }));
		await heading("bench-1").waitFor();
		await settings.getByText("Saved.").waitFor();
		// The button has nothing to do any more; what it belongs to has the focus.
		await focusIsOn(/^FORM/);
		const { tags, rootMode, imageId } = await device(bench.id);
		assert.deepEqual([tags, rootMode, imageId], [["room-2"], "ephemeral", "raspios"]);
	});

	it("a Pi is asked about before it loses something, and Escape leaves it as it is", async () => {
		const reset = region("Root").getByRole("button", { name: "Reset", exact: true });
		await hands.use(reset);
		await focusIsOn(/^BUTTON Cancel/);
		await assertKind("the question");
		await hands.press("Escape");
		await focusIsOn(/^BUTTON Reset/);
	});

	it("several Pis are changed at once", async () => {
		await visit("Pis", "Pis");
		await hands.goTo(page.getByRole("checkbox", { name: "Select bench-1" }));
		await hands.press("Space");
		const bar = region("Selected Pis");
		await bar.getByText("1 Pi selected").waitFor();
		await hands.use(bar.getByRole("button", { name: "Root" }));
		await page.getByRole("menuitem", { name: "Read only" }).waitFor();
		assert.deepEqual(await violations(page), []);
		await hands.press("End", "Enter");
		await focusIsOn(/^BUTTON Root/);
		await eventually("the mode", async () => (await device(bench.id)).rootMode === "read-only" || undefined);
		await hands.use(bar.getByRole("button", { name: "Tags" }));
		await focusIsOn(/^INPUT Tags/);
		await page.keyboard.type("printers");
		await hands.press("Enter");
		assert.deepEqual(await violations(page), []);
		await hands.use(dialog().getByRole("button", { name: "Save" }));
		await dialog().waitFor({ state: "detached" });
		await focusIsOn(/^BUTTON Tags/);
		assert.deepEqual((await device(bench.id)).tags, ["printers", "room-2"]);
		await hands.use(bar.getByRole("button", { name: "Clear" }));
		await bar.waitFor({ state: "detached" });
		await focusIsOn(/^(?!BODY)/);
	});

	it("images are sent, and brought by their address", async () => {
		await visit("Images", "Images");
		await hands.goTo(page.locator('input[type="file"]'));
		const chooser = page.waitForEvent("filechooser");
		await hands.press("Space");
		await (await chooser).setFiles(join(room().folder, SENT));
		await page.getByText(/^Uploaded: /).waitFor();
		await hands.use(button("Add by address"));
		await focusIsOn(/^INPUT Address/);
		await page.keyboard.type("/no/such/image.img");
		await hands.press("Enter");
		await dialog().getByRole("alert").waitFor();
		assert.deepEqual(await violations(page), []);
		await hands.fill(dialog().getByLabel("Address"), join(room().folder, BROUGHT));
		await hands.press("Enter");
		await page.getByRole("article", { name: BROUGHT }).getByText("Broken").waitFor();
		await focusIsOn(/^BUTTON Add by address/);
	});

	it("an image is taken away from its menu, which is left by Escape", async () => {
		const menu = button(`What can be done with ${BROUGHT}`);
		await hands.use(menu);
		await focusIsOn(/^BUTTON Rename/);
		await assertKind("the menu");
		await hands.press("Escape");
		await focusIsOn(/^BUTTON What can be done with/);
		await hands.press("Enter");
		await focusIsOn(/^BUTTON Rename/);
		await hands.press("End", "Enter");
		await focusIsOn(/^BUTTON Cancel/);
		await assertKind("the question");
		await hands.press("Escape");
		await focusIsOn(/^BUTTON What can be done with/);
		await hands.press("Enter");
		await focusIsOn(/^BUTTON Rename/);
		await hands.press("End", "Enter");
		await hands.use(dialog().getByRole("button", { name: "Remove" }));
		await menu.waitFor({ state: "detached" });
		await focusIsOn(/^(?!BODY)/);
	});

	it("the way of the addresses is changed, and changed back", async () => {
		const mode = async () => ((await room().server.api("GET", "/api/v1/network")) as Network).mode;
		await visit("Network", "Network");
		await hands.goTo(page.getByRole("radio", { name: "This server gives the addresses" }));
		await hands.press("ArrowDown");
		await hands.use(button("Apply"));
		await page.getByText("It holds now.").waitFor();
		assert.equal(await mode(), "off");
		await hands.use(button("Undo"));
		await page.getByText("It holds now.").waitFor({ state: "detached" });
		assert.equal(await mode(), "full");
		await focusIsOn(/^(?!BODY)/);
	});

	it("the log is sifted", async () => {
		await visit("Log", "Log");
		await hands.fill(page.getByRole("searchbox", { name: "Search the log" }), "virtual");
		await hands.goTo(page.getByRole("combobox", { name: "Level" }));
		await hands.press("Enter");
		await page.getByRole("listbox").waitFor();
		assert.deepEqual(await violations(page), []);
		await hands.press("ArrowUp", "Enter");
		await page.getByRole("log").getByText("a virtual pi4 is switched on").waitFor();
	});

	it("a token is made and revoked", async () => {
		await visit("Settings", "Settings");
		await hands.fill(page.getByRole("textbox", { name: "A new one, for" }), "a robot");
		await hands.press("Enter");
		await page.getByText("The token a robot, shown this once").waitFor();
		assert.deepEqual(await violations(page), []);
		await hands.use(button("Revoke a robot"));
		await hands.use(dialog().getByRole("button", { name: "Revoke" }));
		await button("Revoke a robot").waitFor({ state: "detached" });
		await focusIsOn(/^(?!BODY)/);
		const { tokens } = (await room().server.api("GET", "/api/v1/tokens")) as TokenList;
		assert.deepEqual(
			tokens.map(({ name }) => name),
			["build server"],
		);
	});

	it("a disk is written, once its owner has typed whose it is", async () => {
		await page.goto(`${SITE}/devices/${bench.id}`);
		await hands.use(button("Write to disk"));
		await dialog().getByText("All that is on the disk is lost").waitFor();
		await hands.fill(dialog().getByRole("textbox"), "bench-1");
		await assertKind("the order");
		await hands.use(dialog().getByRole("button", { name: "I understand - write now" }));
		await dialog().waitFor({ state: "detached" });
		await page.getByText(/^\d+ MB written in .* read back and compared\.$/).waitFor();
	});
});

describe("the page", { skip, timeout: 300_000 }, () => {
	it("breaks no rule anywhere, light and dark, at a desk and on a phone, and shows where the focus is", async () => {
		for (const place of places) {
			await page.setViewportSize(DESK);
			await page.emulateMedia({ colorScheme: "light" });
			await page.goto(SITE + place);
			await page.getByRole("heading", { level: 1 }).waitFor();
			await page.getByText("Live", { exact: true }).waitFor();
			assert.deepEqual(await violations(page), [], place);
			await assertFocusIsSeen(place);
			await setScheme("dark");
			await page.setViewportSize(PHONE);
			assert.deepEqual(await violations(page), [], `${place}, dark, on a phone`);
		}
		await page.emulateMedia({ colorScheme: null });
		// What the server refused, because it could not do it, is no fault of the page.
		const own = watched.complaints.filter((line) => !/status of 400/.test(line));
		assert.deepEqual(own, []);
	});

	/** Steps through all of it. */
	async function assertFocusIsSeen(place: string): Promise<void> {
		await page.locator("body").press("Tab");
		for (let step = 0; (await focused(page)) !== "BODY"; step++) {
			assert.ok(step < 200 && (await showsFocus(page)), `${place}: ${await focused(page)}`);
			await hands.press("Tab");
		}
	}

	it("never goes beyond the side of the screen, from a small phone to a wall", async () => {
		for (const place of places) {
			await page.goto(SITE + place);
			await page.getByRole("heading", { level: 1 }).waitFor();
			await page.getByText("Live", { exact: true }).waitFor();
			for (const width of [320, 360, 769, 1024, 2560, 3840]) {
				await page.setViewportSize({ width, height: 900 });
				await page.evaluate(GROWN);
				assert.deepEqual(await page.evaluate(BEYOND), [], `${place}, ${width} wide`);
			}
		}
	});

	it("moves nothing for those who do not want it", async () => {
		await page.setViewportSize(DESK);
		await page.goto(`${SITE}/images`);
		await page.getByRole("button", { name: "Add by address" }).click();
		await dialog().waitFor();
		const longest = await page.evaluate(
			"Math.max(0, ...document.getAnimations().map((one) => one.effect.getComputedTiming().endTime))",
		);
		assert.ok(Number(longest) <= 1, `${longest} ms`);
	});

	it("has a menu on a phone that Escape closes, and that is not in the way while it is closed", async () => {
		await page.setViewportSize(PHONE);
		await page.goto(`${SITE}/devices`);
		await page.getByText("Live", { exact: true }).waitFor();
		const images = page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Images" });
		await images.waitFor({ state: "hidden" });
		await hands.use(button("Open the menu"));
		await images.waitFor();
		assert.deepEqual(await violations(page), []);
		await hands.press("Escape");
		await images.waitFor({ state: "hidden" });
		await focusIsOn(/^BUTTON Open the menu/);
	});

	it("does not read out what a herd does, but that one needs help", async () => {
		await page.setViewportSize(DESK);
		await page.goto(`${SITE}/logs`);
		assert.equal(await page.getByRole("log").getAttribute("aria-live"), "off");
		await page.goto(`${SITE}/devices`);
		await page.getByRole("status").getByText("1 Pi needs help").waitFor();
	});
});

describe("before and beside the page", { skip, timeout: 120_000 }, () => {
	it("the description of the API breaks no rule", async () => {
		for (const colorScheme of ["light", "dark"] as const) {
			await page.emulateMedia({ colorScheme });
			await page.goto(`${SITE}/api/docs`);
			// There are a hundred and more that are made alike; to look at all of them takes long.
			await page.evaluate("for (const one of document.querySelectorAll('section:not(:nth-child(9n))')) one.remove()");
			assert.deepEqual(await violations(page), [], colorScheme);
		}
	});

	it("a password is set, and who has logged out comes in by it, with keys alone", async () => {
		await page.goto(`${SITE}/settings`);
		await hands.fill(page.getByRole("textbox", { name: "A password, to log in without a link" }), PASSWORD);
		await hands.press("Enter");
		await page.getByRole("textbox", { name: "Another password" }).waitFor();
		await hands.use(button("Log out"));
		await page.getByRole("heading", { name: "Log in" }).waitFor();
		for (const colorScheme of ["light", "dark"] as const) {
			await page.emulateMedia({ colorScheme });
			assert.deepEqual(await violations(page), [], colorScheme);
		}
		await hands.fill(page.getByLabel("Password"), PASSWORD);
		await hands.press("Enter");
		await page.getByText("Live", { exact: true }).waitFor();
	});

	it("says that the login has ended, and leads to the next", async () => {
		await visit("Log", "Log");
		await context.clearCookies();
		await hands.use(page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Images", exact: true }));
		const again = page.getByRole("status").getByRole("link", { name: "Log in again" });
		await again.waitFor();
		await assertKind("after the login has ended");
		await hands.use(again);
		await hands.fill(page.getByLabel("Password"), "a wrong one");
		await hands.press("Enter");
		await page.getByText("This is not the password.").waitFor();
		assert.deepEqual(await violations(page), []);
		await hands.fill(page.getByLabel("Password"), PASSWORD);
		await hands.press("Enter");
		await heading("Images").waitFor();
	});

	it("says that the server is away", async () => {
		await page.getByText("Live", { exact: true }).waitFor();
		await room().server.kill();
		await page.getByRole("status").getByText("Server away").waitFor();
		assert.deepEqual(await violations(page), []);
	});
});
