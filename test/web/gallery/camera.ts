/** Takes pictures of the page. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Browser, BrowserContext } from "playwright-core";
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
}

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
		const { place, name, width, height, colorScheme = "light", whole = false } = shot;
		const viewport = { width, height };
		const context = await this.#browser.newContext({ storageState: this.#storageState, colorScheme, viewport });
		const page = await context.newPage();
		await page.goto(`${SITE}${place}`);
		await page.getByText("Live", { exact: true }).waitFor();
		// What is lazily loaded and faded in is there.
		await page.waitForTimeout(700);
		await page.screenshot({ path: join(this.#folder, `${name}.png`), fullPage: whole });
		await context.close();
	}

	close(): Promise<void> {
		return this.#browser.close();
	}
}
