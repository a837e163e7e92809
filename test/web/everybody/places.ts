/**
 * Every page as people have it who do not see it, who have other colours, who go by the ring around what has the focus, whose
 * letters are large, whose screen is small or as large as a wall.
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { violations } from "../../harness/axe.ts";
import { assertFocusIsSeen } from "../../harness/keyboard.ts";
import { DESK, PHONE } from "../../harness/screen.ts";
import { growNumbers, setTextSize, tooWide } from "../../harness/sight.ts";
import { bench, focusIsOn, hands, lost, menuLink, page, screen, setScheme, skip } from "./room.ts";

const WIDTHS = [320, 360, 769, 1024, 2560, 3840];
/** Pixels of a letter; the one size is what browsers come with. */
const [USUAL, LARGE] = [16, 32];
/** Each has something on it. */
const PLACES: Readonly<Record<string, () => string>> = {
	"all Pis": () => "/devices",
	"a Pi that runs": () => `/devices/${bench.id}`,
	"a Pi that does not boot": () => `/devices/${lost}`,
	"a Pi that nobody knows": () => "/devices/nobody",
	images: () => "/images",
	writes: () => "/writes",
	"the network": () => "/network",
	"the log": () => "/logs",
	settings: () => "/settings",
	"the guide": () => "/guide",
	"what is not there": () => "/no/such/page",
};

for (const [name, path] of Object.entries(PLACES)) {
	describe(`the page of ${name}`, { skip, timeout: 60_000 }, () => {
		before(async () => {
			await page.setViewportSize(DESK);
			await setScheme("light");
			await screen.go(path());
		});
		after(() => page.emulateMedia({ colorScheme: null, forcedColors: null }));

		it("breaks no rule, light at a desk, dark on a phone, and with colours of one's own", async () => {
			assert.deepEqual(await violations(page), []);
			await page.emulateMedia({ forcedColors: "active" });
			assert.deepEqual(await violations(page, ["color-contrast", "link-in-text-block"]), [], "forced colours");
			await page.emulateMedia({ forcedColors: null });
			await page.setViewportSize(PHONE);
			await setScheme("dark");
			assert.deepEqual(await violations(page), [], "on a phone");
		});

		it("shows where the focus is", async () => {
			await page.setViewportSize(DESK);
			await assertFocusIsSeen(page);
		});

		it("goes never beyond the side of the screen, from a small phone to a wall, nor with letters twice as large", async () => {
			await growNumbers(page);
			for (const width of WIDTHS) {
				await page.setViewportSize({ width, height: 900 });
				assert.deepEqual(await tooWide(page), [], `${width} wide`);
			}
			await setTextSize(page, LARGE);
			for (const width of [640, 1440]) {
				await page.setViewportSize({ width, height: 900 });
				assert.deepEqual(await tooWide(page), [], `${width} wide, large letters`);
			}
			await setTextSize(page, USUAL);
		});
	});
}

describe("the page", { skip, timeout: 60_000 }, () => {
	it("shows with colours of one's own what is chosen and where the focus is", async () => {
		await page.setViewportSize(DESK);
		await screen.go("/network");
		await page.emulateMedia({ forcedColors: "active" });
		await assertFocusIsSeen(page);
		const [chosen, others] = [await looksOf(":checked"), await looksOf(":not(:checked)")];
		assert.ok(chosen.length > 0 && others.length > 0);
		for (const look of chosen) assert.ok(!others.includes(look), look);
		await page.emulateMedia({ forcedColors: null });
	});

	/** What round buttons are painted in. */
	function looksOf(state: string): Promise<string[]> {
		return page.evaluate(`[...document.querySelectorAll("input[type=radio]${state}")]
			.map((one) => getComputedStyle(one).backgroundColor + " " + getComputedStyle(one).borderColor)`);
	}

	it("moves nothing for those who do not want it", async () => {
		await page.setViewportSize(DESK);
		await screen.go("/images");
		await screen.button("Add by address").click();
		await screen.dialog().waitFor();
		const longest = await page.evaluate(
			"Math.max(0, ...document.getAnimations().map((one) => one.effect.getComputedTiming().endTime))",
		);
		assert.ok(Number(longest) <= 1, `${longest} ms`);
	});

	it("has a menu on a phone that Escape closes, and that is not in the way while it is closed", async () => {
		await page.setViewportSize(PHONE);
		await screen.go("/devices");
		const images = menuLink("Images");
		await images.waitFor({ state: "hidden" });
		await hands.use(screen.button("Open the menu"));
		await images.waitFor();
		assert.deepEqual(await violations(page), []);
		await hands.press("Escape");
		await images.waitFor({ state: "hidden" });
		await focusIsOn(/^BUTTON Open the menu/);
	});

	it("does not read out what a herd does, but that one needs help", async () => {
		await page.setViewportSize(DESK);
		await screen.go("/logs");
		assert.equal(await page.getByRole("log").getAttribute("aria-live"), "off");
		await screen.go("/devices");
		await page.getByRole("status").getByText("1 Pi needs help").waitFor();
	});
});
