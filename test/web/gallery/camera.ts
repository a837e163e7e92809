/** Takes pictures of the page. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { startBrowser } from "../../harness/browser.ts";
import { SITE } from "../../harness/server.ts";
import type { Scene } from "./scene.ts";

type Login = Awaited<ReturnType<BrowserContext["storageState"]>>;

export interface Shot {
	/** A path of the page. */
	readonly place: string;
	readonly name: string;
	readonly width: number;
	readonly height: number;
	readonly colorScheme?: "light" | "dark";
	/** Down to its end, rather than what fits on the screen. */
	readonly whole?: boolean;
	/** What is done before. */
	readonly act?: (page: Page) => Promise<unknown>;
	/** By somebody who has not logged in. */
	readonly isOut?: boolean;
}

/** Milliseconds. */
const LAZY = 500;

export class Camera {
	readonly #browser: Browser;
	readonly #storageState: Login;
	readonly #folder: string;

	private constructor(browser: Browser, storageState: Login, folder: string) {
		this.#browser = browser;
		this.#storageState = storageState;
		this.#folder = folder;
	}

	/** Logs in. @param folder that the pictures go to. */
	static async open({ room }: Scene, folder: string): Promise<Camera> {
		mkdirSync(folder, { recursive: true });
		const browser = await startBrowser(room.lab, "rtr", room.folder);
		const entry = await browser.newContext();
		await (await entry.newPage()).goto(room.server.loginLink);
		return new Camera(browser, await entry.storageState(), folder);
	}

	async take(shot: Shot): Promise<void> {
		const { place, name, width, height, colorScheme = "light", whole = false, act, isOut = false } = shot;
		const context = await this.#browser.newContext({
			...(!isOut && { storageState: this.#storageState }),
			colorScheme,
			viewport: { width, height },
			// Nothing is taken while it is on its way.
			reducedMotion: "reduce",
		});
		const page = await context.newPage();
		await page.goto(`${SITE}${place}`);
		await page
			.getByText(isOut ? "Log in" : "Live", { exact: true })
			.first()
			.waitFor();
		await act?.(page);
		// What is lazily loaded is there.
		await page.waitForTimeout(LAZY);
		if (whole) await growTo(page, width);
		await page.screenshot({ path: join(this.#folder, `${name}.png`) });
		await context.close();
	}

	close(): Promise<void> {
		return this.#browser.close();
	}
}

/** Makes the screen as high as the page: below a screen's end nothing is painted. */
async function growTo(page: Page, width: number): Promise<void> {
	for (let round = 0; round < 2; round++) {
		const height = await page.evaluate<number>("document.documentElement.scrollHeight");
		await page.setViewportSize({ width, height });
		await page.waitForTimeout(LAZY / 5);
	}
}
