/**
 * Many Pis, several browsers, and a server that is not always there: what a page shows is what the server knows, without a
 * reload, and the page answers while a crowd boots.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import type { BootPage, Device, DeviceList, ImageList, LogLines } from "@pi-netboot/api";
import type { Browser, BrowserContext, Page, Request } from "playwright-core";
import { type BootLab, bootLab } from "../harness/boot-lab.ts";
import { browserIn, PAGE_PROGRAMS } from "../harness/browser.ts";
import { must } from "../harness/command.ts";
import { eventually } from "../harness/eventually.ts";
import { mainThreadTasks, TRACED } from "../harness/main-thread.ts";
import { lacks } from "../harness/needs.ts";
import { AWAY, DESK, PHONE, Screen } from "../harness/screen.ts";
import { type Server, SITE } from "../harness/server.ts";
import { makeSmallImage } from "../harness/small-image.ts";

const PROGRAM = fileURLToPath(new URL("../../server/bin/pi-netboot.mjs", import.meta.url));
const CROWD = 200;
/** Milliseconds that the page computes without a break at most: W3C Long Tasks has 50, and a collection of garbage may join in. */
const LONG_TASK = 100;
/** Of a crowd that changes at once, what is painted in one go; see `paced.ts` of the page. */
const PAINTED_AT_ONCE = 12;

const skip = await lacks(PAGE_PROGRAMS);
let server: Server;
let browser: Browser;
let desk: BrowserContext;
let phone: BrowserContext;

const room = bootLab(skip, async (made) => {
	const { lab, images, folder } = made;
	makeSmallImage(images, folder, { name: "raspios.img", kernelBytes: 300_000, forAllModels: true });
	server = await made.serve({ images: ["raspios"] });
	await simulate(made, 3);
	await lab.addHost("web", { mac: "02:00:00:00:00:77", address: "10.77.0.77/24" });
	browser = await browserIn(made, "web");
	desk = await browser.newContext({ viewport: DESK });
	const entry = await Screen.enter(desk, server);
	await entry.page.close();
	phone = await browser.newContext({ viewport: PHONE, storageState: await desk.storageState() });
});

/** Boots virtual Pis; the same ones each time, and further ones where there are more. */
async function simulate({ lab }: BootLab, count: number): Promise<void> {
	const words = ["simulate", "--server", "127.0.0.1", "--model", "pi3bp,pi4,pi5", "--count", String(count)];
	const ports = ["--dhcp-port", "67", "--tftp-port", "69", "--nfs-port", "2049", "--portmap-port", "111"];
	await must(lab.on("srv", [PROGRAM, ...words, ...ports]), { timeout: 150_000 });
}

const devices = async () => (await server.api<DeviceList>("GET", "/api/v1/devices")).devices;

async function anyDevice(): Promise<Device> {
	const [device] = await devices();
	return device ?? assert.fail("there is no Pi");
}

/** A page that would forget this if it was loaded again. */
async function open(context: BrowserContext, path: string): Promise<Screen> {
	const screen = await Screen.open(context);
	await screen.go(path);
	await screen.page.evaluate("globalThis.loadedOnce = true");
	return screen;
}

const wasLoadedOnce = (page: Page) => page.evaluate("globalThis.loadedOnce === true");

/** The paths that the page asks for from now on. */
function asked(page: Page): string[] {
	const paths: string[] = [];
	page.on("request", (request: Request) => paths.push(request.url().slice(SITE.length)));
	return paths;
}

describe("two browsers", { skip }, () => {
	it("see the same, and neither takes from the other what is being typed", async () => {
		const { id, name } = await anyDevice();
		const { page: own } = await open(desk, `/devices/${id}`);
		const { page: list } = await open(phone, "/devices");
		const { page: other } = await open(phone, `/devices/${id}`);
		const form = (page: Page) => page.getByRole("region", { name: "Settings" });
		const nameOf = (page: Page) => form(page).getByRole("textbox", { name: "Name" });
		const save = (page: Page) => form(page).getByRole("button", { name: "Save" });

		await nameOf(own).fill("typed-here");
		await nameOf(other).fill("shelf");
		await other.getByRole("combobox", { name: "Tags" }).fill("room-2");
		await other.keyboard.press("Enter");
		await other.getByLabel("Read only").click();
		await save(other).click();

		const card = list.getByRole("article").filter({ hasText: "shelf" });
		await card.getByText("room-2").waitFor();
		await list.getByText(name, { exact: true }).waitFor({ state: "detached" });
		await own.getByRole("heading", { name: "shelf", level: 1 }).waitFor();
		await form(own).getByText("room-2").waitFor();
		assert.ok(await own.getByLabel("Read only").isChecked());
		assert.equal(await nameOf(own).inputValue(), "typed-here");
		await form(own).getByText("Changed elsewhere meanwhile: name.").waitFor();

		await save(own).click();
		await list.getByRole("link", { name: "typed-here" }).waitFor();
		const changed = await server.api<Device>("GET", `/api/v1/devices/${id}`);
		assert.deepEqual([changed.name, changed.tags, changed.rootMode], ["typed-here", ["room-2"], "read-only"]);
		await server.api("PATCH", `/api/v1/devices/${id}`, { imageId: "raspios", rootMode: "persistent" });
		await own.getByLabel("Keep changes").and(own.locator(":checked")).waitFor();
		assert.equal(await form(own).getByLabel("Image").inputValue(), "raspios");
		await Promise.all([own, list, other].map((page) => page.close()));
	});
});

describe("a page whose server is away", { skip }, () => {
	it("goes on with what it missed where only the connection was", async () => {
		const screen = await open(desk, "/devices");
		const { page } = screen;
		const { id } = await anyDevice();
		const paths = asked(page);
		await server.api("PATCH", `/api/v1/devices/${id}`, { name: "before" });
		await page.getByRole("link", { name: "before" }).waitFor();
		await unplug();
		await screen.untilAway();
		await server.api("PATCH", `/api/v1/devices/${id}`, { name: "meanwhile" });
		await plugIn();
		await page.getByRole("link", { name: "meanwhile" }).waitFor();
		await screen.untilLive();
		assert.ok(paths.some((path) => /^\/api\/v1\/events\?after=[0-9a-f]{8}-\d+$/.test(path)));
		assert.ok(!paths.includes("/api/v1/devices"), paths.join("\n"));
		await page.close();
	});

	it("connects anew when its machine has slept", async () => {
		const screen = await Screen.open(desk);
		const { page } = screen;
		await page.clock.install();
		await screen.go("/devices");
		const { id } = await anyDevice();
		await server.api("PATCH", `/api/v1/devices/${id}`, { name: "awake" });
		await page.clock.runFor(1000);
		await page.getByRole("link", { name: "awake" }).waitFor();
		const again = page.waitForRequest(/events\?after=/);
		await page.clock.fastForward("02:00:00");
		await again;
		await page.close();
	});

	it("says so on every page, and shows what the server knows when it is back", async () => {
		const { id } = await anyDevice();
		const places = ["/devices", `/devices/${id}`, "/images", "/writes", "/network", "/logs"];
		// A browser has six connections to a server at most, and each page keeps one.
		const contexts = [desk, desk, desk, phone, phone, phone];
		const opened = await Promise.all(places.map((place, index) => open(contexts[index] ?? desk, place)));
		const pages = opened.map(({ page }) => page);
		const [list, one, images, writes, network, log] = pages;
		assert.ok(list && one && images && writes && network && log);
		const { boots } = await server.api<BootPage>("GET", `/api/v1/devices/${id}/boots`);

		await server.kill();
		await Promise.all(opened.map((screen) => screen.untilAway()));
		server = await room().restartServer();
		await simulate(room(), 5);
		await Promise.all(opened.map((screen) => screen.untilLive()));

		const known = await devices();
		assert.equal(known.length, 5);
		const names = known.map(({ name }) => name).sort();
		const cards = list.getByRole("article");
		await eventually("the Pis", async () => ((await cards.count()) === known.length ? true : undefined));
		const links = cards.getByRole("link");
		await eventually("their names", async () =>
			(await links.allTextContents()).sort().join() === names.join() ? true : undefined,
		);
		await list.getByText("5 Pis: 5 running").waitFor();

		const after = await server.api<BootPage>("GET", `/api/v1/devices/${id}/boots`);
		assert.equal(after.boots.length, boots.length + 1);
		const shown = one.getByRole("region", { name: "Boots" }).getByRole("listitem");
		await eventually("the boots", async () => ((await shown.count()) === after.boots.length ? true : undefined));

		const library = (await server.api<ImageList>("GET", "/api/v1/images")).images;
		assert.equal(await images.getByRole("article").count(), library.length);
		await writes.getByText("Nothing was written yet").waitFor();
		await network.getByRole("radio", { name: "Beside the router" }).and(network.locator(":checked")).waitFor();

		const { lines } = await server.api<LogLines>("GET", "/api/v1/logs?limit=2000");
		await log.getByText(`${lines.length} lines; new ones come in by themselves.`).waitFor();
		for (const page of pages) assert.ok(await wasLoadedOnce(page));
		assert.deepEqual(
			opened.flatMap((screen) => screen.complaints(AWAY)),
			[],
		);
		await Promise.all(pages.map((page) => page.close()));
	});

	it("leads to the other pages all the same", async () => {
		const screen = await open(desk, "/devices");
		const { page } = screen;
		await page.waitForResponse(/\/assets\/settings-.*\.js$/);
		await server.kill();
		await screen.untilAway();
		await page.getByRole("link", { name: "Settings" }).click();
		await page.getByRole("heading", { name: "Settings", level: 1 }).waitFor();
		server = await room().restartServer();
		await screen.untilLive();
		await page.getByRole("link", { name: "Pis", exact: true }).click();
		await page.getByRole("article").first().waitFor();
		assert.ok(await wasLoadedOnce(page));
		await page.close();
	});

	it("loads itself anew for a file that cannot be had, once, and then says so", async () => {
		const screen = await Screen.open(desk);
		const { page } = screen;
		await page.route(/\/assets\/network-.*\.js$/, (route) => route.abort());
		await page.goto(`${SITE}/devices`);
		await page.getByRole("link", { name: "Network" }).click();
		await page.getByRole("heading", { name: "The page failed" }).waitFor();
		await page.unrouteAll();
		await page.getByRole("button", { name: "Load it again" }).click();
		await page.getByRole("heading", { name: "Network", level: 1 }).waitFor();
		await page.close();
	});
});

/** Takes the cable out of the browser's host: no word comes through, and none that says so. */
const unplug = () => must(room().lab.on("web", ["ip", "link", "set", "web0", "down"]));
const plugIn = () => must(room().lab.on("web", ["ip", "link", "set", "web0", "up"]));

describe(`${CROWD} Pis that boot at once`, { skip }, () => {
	it("are all on the page, which never computes for long without a break", async () => {
		const screen = await open(desk, "/devices");
		const { page } = screen;
		await page.getByRole("button", { name: "Show rows" }).click();
		await page.evaluate(watchPainting);
		await browser.startTracing(page, { categories: TRACED });
		await simulate(room(), CROWD);
		await page.getByText(`${CROWD} Pis: ${CROWD} running`).waitFor();
		const known = await devices();
		const rows = page
			.getByRole("main")
			.getByRole("listitem")
			.filter({ has: page.getByText("Running") });
		await eventually("a row for each", async () => ((await rows.count()) === CROWD ? true : undefined));
		const tasks = mainThreadTasks(await browser.stopTracing());
		const names = await rows.getByRole("link").allTextContents();
		assert.deepEqual(names.sort(), known.map(({ name }) => name).sort());
		const longest = Math.max(...tasks.map(({ computed }) => computed));
		assert.ok(longest > 0 && longest < LONG_TASK, `${longest} ms`);
		const painted = await page.evaluate<number>("globalThis.most");
		assert.ok(painted > 0 && painted <= PAINTED_AT_ONCE, `${painted} Pis at once`);
		assert.deepEqual(screen.complaints(), []);
	});
});

/** For the page: counts, of all Pis whose rows change in one go, the most. That rows come and go in their list, and times grow older, does not count. */
const watchPainting = `{
	globalThis.most = 0;
	const elementOf = (node) => (node instanceof Element ? node : node.parentElement);
	const rowOf = (node) => (elementOf(node)?.closest("time") ? undefined : elementOf(node)?.closest("main li"));
	const observer = new MutationObserver((records) => {
		const rows = new Set(records.map(({ target }) => rowOf(target)).filter(Boolean));
		globalThis.most = Math.max(globalThis.most, rows.size);
	});
	observer.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
}`;
