/**
 * Where the page is looked at for everybody: a server with a Pi that runs with our agent, one that does not boot, an image that
 * is none; and a person in front of it. All of it takes ten seconds to be there, so the parts share it, one after the other.
 */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Device, DeviceList } from "@pi-netboot/api";
import type { BrowserContext, Locator, Page } from "playwright-core";
import { violations } from "../../harness/axe.ts";
import { BlockDevices } from "../../harness/block-devices.ts";
import { bootLab } from "../../harness/boot-lab.ts";
import { browserIn, PAGE_PROGRAMS } from "../../harness/browser.ts";
import { run } from "../../harness/command.ts";
import { eventually } from "../../harness/eventually.ts";
import { focused, Hands, hasFocus } from "../../harness/keyboard.ts";
import { lacks } from "../../harness/needs.ts";
import { DESK, Screen } from "../../harness/screen.ts";
import { makeSmallImage } from "../../harness/small-image.ts";
import { WorkingPi } from "../../harness/working-pi.ts";

const PROGRAM = fileURLToPath(new URL("../../../server/bin/pi-netboot.mjs", import.meta.url));
const MIB = 1024 * 1024;
const BENCH = { model: "pi5", mac: "88:a2:9e:11:4e:cc", serial: "7bf18f79" };
/** As long as names may be. */
const LONG_NAME = `a-name-as-long-as-a-host-name-may-be-${"x".repeat(26)}`;
const LONG_TAG = "on-the-second-floor-of-the-house";
const LONG_IMAGE = `an-image-${"with-a-name-that-tells-how-it-was-made-".repeat(4)}.img`;
/** Images that are to come: by their path, and by an upload. */
export const BROUGHT = "brought.img";
export const SENT = "sent.img";

export const skip = await lacks([...PAGE_PROGRAMS, "python3", "losetup"]);
/** The Pi with our agent. */
export let bench: WorkingPi;
/** The one that does not boot. */
export let lost = "";
export let context: BrowserContext;
export let screen: Screen;
export let page: Page;
export let hands: Hands;

export const room = bootLab(skip, async (made) => {
	const { lab, images, folder } = made;
	makeSmallImage(images, folder, { name: "raspios.img", kernelBytes: 100_000, ballastMiB: 8 });
	for (const name of [join(images, LONG_IMAGE), join(folder, BROUGHT), join(folder, SENT)])
		writeFileSync(name, "no image");
	const disks = new BlockDevices(folder);
	made.atEnd(() => disks.close());
	const disk = (await disks.loop(96 * MIB)).device;
	const server = await made.serve({ images: ["raspios"], flags: ["--dhcp", "full"] });
	bench = new WorkingPi(lab, "bench", BENCH, [disk], folder);
	made.atEnd(() => bench.powerOff());
	// The one has what it needs in the image, the other has not.
	const old = ["simulate", "--server", "127.0.0.1", "--model", "pi1b", "--seconds", "15"];
	await Promise.all([bench.boot(), run(lab.on("srv", [PROGRAM, ...old]))]);
	await server.api("PATCH", `/api/v1/devices/${bench.id}`, { name: "bench" });
	const { devices } = await server.api<DeviceList>("GET", "/api/v1/devices");
	lost = devices.find(({ id }) => id !== bench.id)?.id ?? assert.fail(JSON.stringify(devices));
	await server.api("PATCH", `/api/v1/devices/${lost}`, { name: LONG_NAME, tags: [LONG_TAG] });
	await server.api("POST", "/api/v1/tokens", { name: "build server" });
	const browser = await browserIn(made);
	// Nothing is looked at while it is on its way.
	context = await browser.newContext({ viewport: DESK, reducedMotion: "reduce" });
	screen = await Screen.enter(context, server);
	page = screen.page;
	page.setDefaultTimeout(8000);
	hands = new Hands(page);
});

export const deviceOf = ({ id }: WorkingPi) => room().server.api<Device>("GET", `/api/v1/devices/${id}`);

export function menuLink(name: string): Locator {
	return page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name, exact: true });
}

/** By the navigation, with keys. */
export async function visit(link: string, title: string): Promise<void> {
	await hands.use(menuLink(link));
	await arriveAt(title);
}

/** The focus comes to the heading, which is what is read out, and the window has its name. */
export async function arriveAt(title: string): Promise<void> {
	await eventually(`the focus on ${title}`, async () => (await hasFocus(screen.heading(title))) || undefined);
	assert.equal(await page.title(), `${title} · pi-netboot`);
}

export const focusIsOn = (pattern: RegExp) =>
	eventually(`the focus on ${pattern}`, async () => pattern.test(await focused(page)) || undefined);

/** No rule is broken by what is shown now, light and dark. */
export async function assertKind(what: string): Promise<void> {
	await setScheme("light");
	assert.deepEqual(await violations(page), [], what);
	await setScheme("dark");
	assert.deepEqual(await violations(page, ["color-contrast", "link-in-text-block"]), [], `${what}, dark`);
	await page.emulateMedia({ colorScheme: null });
}

export async function setScheme(colorScheme: "light" | "dark"): Promise<void> {
	await page.emulateMedia({ colorScheme });
	await page.locator(`html[data-mantine-color-scheme="${colorScheme}"]`).waitFor();
}
