/**
 * Makes the pictures of the README, as root: `node_modules/.bin/node test/web/pictures.ts`. A real server, virtual Pis, and
 * Debian's Chromium, in a network of their own.
 */
import { mkdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { DeviceList } from "@pi-netboot/api";
import type { Browser, BrowserContext } from "playwright-core";
import { startBrowser } from "../harness/browser.ts";
import { run } from "../harness/command.ts";
import { Lab, SERVER_ADDRESS } from "../harness/lab.ts";
import { Server } from "../harness/server.ts";
import { makeSmallImage } from "../harness/small-image.ts";

const PROGRAM = fileURLToPath(new URL("../../server/bin/pi-netboot.mjs", import.meta.url));
const PICTURES = fileURLToPath(new URL("../../docs/pictures/", import.meta.url));
const SITE = `http://${SERVER_ADDRESS}:38434`;
const NAMES = [
	"camera-door",
	"camera-yard",
	"classroom-1",
	"classroom-2",
	"classroom-3",
	"kiosk",
	"printer",
	"sensors",
];

const folder = await mkdtemp(join(tmpdir(), "pictures-"));
const images = join(folder, "images");
mkdirSync(images);
mkdirSync(PICTURES, { recursive: true });
const lab = await Lab.create();
try {
	const options = { name: "raspios-trixie-lite.img", kernelBytes: 300_000, forAllModels: true };
	makeSmallImage(images, folder, options);
	const server = await Server.start(lab, { images, data: join(folder, "data") });
	await server.waitForImage("raspios-trixie-lite");
	await bootPis(server);
	const browser = await startBrowser(lab, "rtr", folder);
	await takePictures(server, browser);
	await browser.close();
	await server.stop();
} finally {
	await lab.remove();
	await rm(folder, { recursive: true });
}

async function bootPis(server: Server): Promise<void> {
	const fleet = ["simulate", "--server", "127.0.0.1", "--model", "pi3bp,pi4,pi5", "--count", String(NAMES.length)];
	await run(lab.on("srv", [PROGRAM, ...fleet]), { timeout: 120_000 });
	const { devices } = (await server.api("GET", "/api/v1/devices")) as DeviceList;
	for (const [index, { id }] of devices.entries()) {
		await server.api("PATCH", `/api/v1/devices/${id}`, { name: NAMES[index] ?? `pi-${index}` });
	}
}

async function takePictures(server: Server, browser: Browser): Promise<void> {
	const code = /\?code=\S+/.exec(server.log)?.[0] ?? "";
	const entry = await browser.newContext();
	await (await entry.newPage()).goto(`${SITE}/${code}`);
	const storageState = await entry.storageState();
	const wide = { storageState, viewport: { width: 1280, height: 760 } };
	const { devices } = (await server.api("GET", "/api/v1/devices")) as DeviceList;
	await takePicture(await browser.newContext(wide), "/devices", "pis");
	await takePicture(await browser.newContext(wide), `/devices/${devices[0]?.id}`, "pi");
	await takePicture(await browser.newContext({ ...wide, colorScheme: "dark" }), "/guide", "guide");
	const phone = { storageState, viewport: { width: 390, height: 760 } };
	await takePicture(await browser.newContext({ ...phone, colorScheme: "dark" }), "/devices", "phone");
}

async function takePicture(context: BrowserContext, place: string, name: string): Promise<void> {
	const page = await context.newPage();
	await page.goto(`${SITE}${place}`);
	await page.getByText("Live", { exact: true }).waitFor();
	// What is lazily loaded and faded in is there.
	await page.waitForTimeout(1000);
	await page.screenshot({ path: join(PICTURES, `${name}.png`) });
	await context.close();
}
