/** What is on the screen once somebody has done something: dialogs, menus, what is chosen, what is refused. */
import type { Page } from "playwright-core";

export interface Moment {
	readonly name: string;
	/** A path of the page. */
	readonly place: string;
	readonly act: (page: Page) => Promise<unknown>;
}

const CHOSEN = ["build-2", "camera-door", "kiosk"];

const press = (page: Page, name: string) => page.getByRole("button", { name, exact: true }).click();

const dialog = (page: Page) => page.getByRole("dialog");

async function choose(page: Page): Promise<void> {
	for (const name of CHOSEN) await page.getByRole("checkbox", { name: `Select ${name}`, exact: true }).click();
	await page.getByRole("region", { name: "Selected Pis" }).waitFor();
}

/** With some Pis chosen, a button of their bar. */
const chosen = (button: string) => async (page: Page) => {
	await choose(page);
	await press(page, button);
	await page.getByRole("dialog").or(page.getByRole("menu")).first().waitFor();
};

const search = (text: string) => (page: Page) => page.getByRole("searchbox").fill(text);

/** @param lead the Pi that there is most to see of. */
export function momentsOf(lead: string): readonly Moment[] {
	const own = `/devices/${lead}`;
	return [
		{ name: "chosen", place: "/devices", act: choose },
		{ name: "chosen-image", place: "/devices", act: chosen("Image") },
		{ name: "chosen-root", place: "/devices", act: chosen("Root") },
		{ name: "chosen-tags", place: "/devices", act: chosen("Tags") },
		{ name: "chosen-reset", place: "/devices", act: chosen("Reset") },
		{ name: "chosen-write", place: "/devices", act: chosen("Write to disk") },
		{ name: "none-found", place: "/devices", act: search("no such Pi") },
		{ name: "reboot", place: own, act: (page) => press(page, "Reboot") },
		{ name: "write", place: own, act: beginWrite },
		{ name: "catalogue", place: "/images", act: openCatalog },
		{ name: "add-refused", place: "/images", act: addMissing },
		{ name: "image-menu", place: "/images", act: openImageMenu },
		{ name: "network-refused", place: "/network", act: askForWrongRange },
		{ name: "no-lines", place: "/logs", act: search("no such line") },
		{ name: "levels", place: "/logs", act: (page) => page.getByRole("combobox", { name: "Level" }).click() },
		{ name: "link", place: "/settings", act: (page) => press(page, "Make a link") },
		{ name: "nobody", place: "/devices/nobody", act: (page) => page.getByText(/^There is no Pi/).waitFor() },
		{ name: "nothing", place: "/no/such/page", act: (page) => page.getByText("To the Pis").waitFor() },
	];
}

async function beginWrite(page: Page): Promise<void> {
	await press(page, "Write to disk");
	await dialog(page).getByRole("radio").first().check();
	await dialog(page).getByText("All that is on the disk is lost").waitFor();
}

/** There is no way to the internet. */
async function openCatalog(page: Page): Promise<void> {
	await press(page, "Choose from the catalogue");
	await dialog(page).getByRole("alert").waitFor();
}

async function addMissing(page: Page): Promise<void> {
	await press(page, "Add by address");
	await dialog(page).getByRole("textbox").first().fill("/no/such.img");
	await press(page, "Add");
	await dialog(page).getByRole("alert").waitFor();
}

async function openImageMenu(page: Page): Promise<void> {
	await page
		.getByRole("button", { name: /^What can be done with/ })
		.last()
		.click();
	await page.getByRole("menuitem").first().waitFor();
}

async function askForWrongRange(page: Page): Promise<void> {
	await page.getByLabel("First address").fill("10.99.0.1");
	await press(page, "Apply");
	await page.getByRole("alert").waitFor();
}
