/**
 * Pictures of the page, as root: a real server, virtual Pis and Debian's Chromium, in a network of their own.
 *
 *     node_modules/.bin/node test/web/pictures.ts                      the four of the README
 *     node_modules/.bin/node test/web/pictures.ts --all FOLDER         each page with 0, 1 and 60 Pis, wide and on a phone, light and dark
 *     node_modules/.bin/node test/web/pictures.ts --all FOLDER --pis 60 --pages device,network
 *
 * `moments` are what people see while they do something: dialogs, menus, refusals. They need a dozen Pis.
 */
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Camera, type Shot } from "./gallery/camera.ts";
import { momentsOf } from "./gallery/moments.ts";
import { Scene } from "./gallery/scene.ts";

const OURS = fileURLToPath(new URL("../../docs/pictures/", import.meta.url));
const PAGES = ["devices", "device", "images", "writes", "network", "logs", "settings", "guide", "login", "moments"];
const SCREENS = [
	{ width: 1440, height: 900 },
	{ width: 390, height: 844 },
];
/** So many have each part, those that are chosen among them. */
const FEW = 12;
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
	await photograph(count, folder, (lead) => {
		const shown = pages.filter((page) => page !== "moments" && (page !== "device" || lead !== undefined));
		const moments = pages.includes("moments") && lead !== undefined && count >= FEW ? momentsOf(lead) : [];
		return [
			...shown.flatMap((page) =>
				inAllWays({
					place: page === "device" ? `/devices/${lead}` : `/${page}`,
					name: `${page}-${count}`,
					whole: page !== "devices" || count < MANY,
					isOut: page === "login",
				}),
			),
			...moments.flatMap(({ name, ...moment }) => inAllWays({ ...moment, name: `moment-${name}-${count}` })),
		];
	});
}

/** Wide and on a phone, light and dark. */
function inAllWays(shot: Omit<Shot, "width" | "height" | "colorScheme">): Shot[] {
	return SCREENS.flatMap((screen) =>
		(["light", "dark"] as const).map((colorScheme) => ({
			...shot,
			...screen,
			colorScheme,
			name: `${shot.name}-${screen.width}-${colorScheme}`,
		})),
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
