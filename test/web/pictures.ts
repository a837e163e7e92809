/**
 * Pictures of the page, as root: a real server, virtual Pis and Debian's Chromium, in a network of their own.
 *
 *     node_modules/.bin/node test/web/pictures.ts                      the four of the README
 *     node_modules/.bin/node test/web/pictures.ts --all FOLDER         each page with 0, 1 and 60 Pis, wide and on a phone, light and dark
 *     node_modules/.bin/node test/web/pictures.ts --all FOLDER --pis 60 --pages device,network
 */
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Camera, type Shot } from "./gallery/camera.ts";
import { Scene } from "./gallery/scene.ts";

const OURS = fileURLToPath(new URL("../../docs/pictures/", import.meta.url));
const PAGES = ["devices", "device", "images", "writes", "network", "logs", "settings", "guide"];
const SCREENS = [
	{ width: 1440, height: 900 },
	{ width: 390, height: 844 },
];
/** From so many on, a page of Pis is as long as the list: the screen shows what there is to see. */
const MANY = 20;

const { values } = parseArgs({
	options: {
		all: { type: "string" },
		pis: { type: "string", default: "0,1,60" },
		pages: { type: "string", default: PAGES.join(",") },
	},
});

if (values.all === undefined) await takeOurs();
else for (const count of values.pis.split(",").map(Number)) await takeAll(values.all, count, values.pages.split(","));

async function takeOurs(): Promise<void> {
	const wide = { width: 1280, height: 760 };
	const phone = { width: 390, height: 760 };
	await photograph(12, OURS, (lead) => [
		{ ...wide, place: "/devices", name: "pis" },
		{ ...wide, place: `/devices/${lead}`, name: "pi" },
		{ ...wide, place: "/guide", name: "guide", colorScheme: "dark" },
		{ ...phone, place: "/devices", name: "phone", colorScheme: "dark" },
	]);
}

async function takeAll(folder: string, count: number, pages: readonly string[]): Promise<void> {
	await photograph(count, folder, (lead) =>
		pages
			.filter((page) => page !== "device" || lead !== undefined)
			.flatMap((page) =>
				SCREENS.flatMap((screen) =>
					(["light", "dark"] as const).map((colorScheme) => ({
						...screen,
						colorScheme,
						place: page === "device" ? `/devices/${lead}` : `/${page}`,
						name: `${page}-${count}-${screen.width}-${colorScheme}`,
						whole: page !== "devices" || count < MANY,
					})),
				),
			),
	);
}

async function photograph(
	count: number,
	folder: string,
	shotsOf: (lead: string | undefined) => readonly Shot[],
): Promise<void> {
	const scene = await Scene.open(count);
	try {
		const camera = await Camera.open(scene, folder);
		for (const shot of shotsOf(await scene.lead())) await camera.take(shot);
		await camera.close();
	} finally {
		await scene.close();
	}
}
