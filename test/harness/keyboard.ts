/** A person who has no mouse: goes from one thing to the next, and does what keys do there. */
import assert from "node:assert/strict";
import type { Locator, Page } from "playwright-core";

/** Steps after which nobody goes on looking. */
const PATIENCE = 200;

export class Hands {
	readonly page: Page;

	constructor(page: Page) {
		this.page = page;
	}

	/** Steps on until the focus is there. */
	async goTo(target: Locator): Promise<void> {
		for (let step = 0; step < PATIENCE; step++) {
			if (await hasFocus(target)) return;
			await this.press("Tab");
		}
		assert.fail(`the keyboard does not come to ${target}`);
	}

	/** Goes there and presses Enter. */
	async use(target: Locator): Promise<void> {
		await this.goTo(target);
		await this.press("Enter");
	}

	/** Goes to a field and types over what is in it. */
	async fill(field: Locator, text: string): Promise<void> {
		await this.goTo(field);
		await this.press("Control+A");
		await this.page.keyboard.type(text);
	}

	async press(...keys: readonly string[]): Promise<void> {
		for (const key of keys) await this.page.keyboard.press(key);
	}
}

export function hasFocus(target: Locator): Promise<boolean> {
	// It runs in the browser, whose types are not known here.
	return target.evaluate(
		(element) => element === (globalThis as unknown as { document: { activeElement: unknown } }).document.activeElement,
	);
}

/** Steps through all of a page, and fails where one does not see the focus: on the element, or on what stands for it. */
export async function assertFocusIsSeen(page: Page): Promise<void> {
	await page.locator("body").press("Tab");
	for (let step = 0; step < PATIENCE; step++) {
		const [name, isSeen] = await page.evaluate<[string, boolean]>(`[(${NAME_OF_FOCUSED})(), (${IS_FOCUS_SEEN})()]`);
		if (name === "BODY") return;
		assert.ok(isSeen, `the focus is not seen on ${name}`);
		await page.keyboard.press("Tab");
	}
	assert.fail("the keyboard does not come to the end of the page");
}

/** What has the focus, for a message: `BUTTON Save`; `BODY` when nothing has it. */
export function focused(page: Page): Promise<string> {
	return page.evaluate(`(${NAME_OF_FOCUSED})()`);
}

/** They run in the browser. */
const NAME_OF_FOCUSED = `() => {
	const { tagName, innerText, labels } = document.activeElement;
	const name = document.activeElement.getAttribute("aria-label") ?? labels?.[0]?.innerText ?? innerText ?? "";
	return tagName === "BODY" ? tagName : tagName + " " + name.split("\\n")[0];
}`;
const IS_FOCUS_SEEN = `() => {
	const element = document.activeElement;
	const isRinged = (one) => {
		if (!one) return false;
		const { outlineStyle, outlineWidth } = getComputedStyle(one);
		return outlineStyle !== "none" && parseFloat(outlineWidth) >= 2;
	};
	return [element, element.nextElementSibling, element.parentElement, element.closest("label"), element.closest(".mantine-TagsInput-input")].some(isRinged);
}`;
