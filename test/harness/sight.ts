/** What people see of a page whose screen is small, whose letters are large, or whose colours are their own. */
import type { Page } from "playwright-core";

/** Makes the numbers as long as they get at another hour, on another day: 9:05 is 89:85, 1.4 MB are 81.84. */
export function growNumbers(page: Page): Promise<void> {
	return page.evaluate(`{
		const texts = document.createTreeWalker(document.getElementById("page"), NodeFilter.SHOW_TEXT);
		while (texts.nextNode()) {
			const text = texts.currentNode;
			const grown = text.nodeValue.replace(/\\d+/g, (digits) => digits.padStart(2, "8"));
			if (grown !== text.nodeValue) text.nodeValue = grown;
		}
	}`);
}

/** What is wider than its place, the screen or a box: by how many pixels, and which elements stick out. */
export function tooWide(page: Page): Promise<string[]> {
	return page.evaluate(`(() => {
		const excess = (one) => one.scrollWidth - one.clientWidth;
		const inner = (one) => one.getBoundingClientRect().left + one.clientLeft + one.clientWidth;
		const scrolls = (one) => getComputedStyle(one).overflowX !== "visible";
		const reach = (one) => {
			const { left, right } = one.getBoundingClientRect();
			return scrolls(one) ? right : Math.max(right, left + one.scrollWidth);
		};
		const isCut = (one, place) => one !== place && (scrolls(one) || isCut(one.parentElement, place));
		const named = (one) => one.localName + "." + one.classList + " (" + one.textContent.slice(0, 40) + ")";
		const places = [document.documentElement, ...document.querySelectorAll("#page .mantine-Paper-root")];
		return places.filter((place) => excess(place) > 1).map((place) => {
			const beyond = [...place.querySelectorAll("body *")].filter(
				(one) => reach(one) > inner(place) + 1 && !isCut(one.parentElement, place),
			);
			const last = beyond.filter((one) => !beyond.some((other) => other !== one && one.contains(other)));
			return excess(place) + " pixels beyond " + named(place) + ": " + last.map(named).join(", ");
		});
	})()`);
}

/** Sets how large letters are where a page says nothing of it, as one does in the browser's settings; 16 pixels are usual. */
export async function setTextSize(page: Page, pixels: number): Promise<void> {
	const session = await page.context().newCDPSession(page);
	await session.send("Page.setFontSizes", { fontSizes: { standard: pixels } });
	await session.detach();
}
