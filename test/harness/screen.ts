/** What a person has before their eyes: a page of the server in a browser, and what is on it by the names that are seen and read out. */
import type { BrowserContext, Locator, Page } from "playwright-core";
import { type Server, SITE } from "./server.ts";

export const DESK = { width: 1440, height: 900 };
export const PHONE = { width: 390, height: 844 };
/** What a browser says of a server that is away, which is no fault of the page. */
export const AWAY = /net::ERR_/;

export class Screen {
	readonly page: Page;
	readonly #complaints: string[] = [];

	private constructor(page: Page) {
		this.page = page;
		page.setDefaultTimeout(30_000);
		page.on("console", (message) => {
			if (message.type() === "error" || message.type() === "warning") this.#complaints.push(message.text());
		});
		page.on("pageerror", (error) => this.#complaints.push(String(error)));
		page.on("response", (response) => {
			if (response.status() >= 500) this.#complaints.push(`${response.status()} ${response.url()}`);
		});
	}

	/** An empty one. */
	static async open(context: BrowserContext): Promise<Screen> {
		return new Screen(await context.newPage());
	}

	/** The first page of who opens the link that the start of the server printed. */
	static async enter(context: BrowserContext, server: Server): Promise<Screen> {
		const screen = await Screen.open(context);
		await screen.page.goto(server.loginLink);
		await screen.untilLive();
		return screen;
	}

	/** Opens a path of the server, and waits until all of its page was loaded. */
	async go(path: string): Promise<void> {
		await this.page.goto(SITE + path);
		await this.page.getByRole("heading", { level: 1 }).waitFor();
		await this.untilLive();
	}

	/** Waits until it says that it shows what is. */
	untilLive(): Promise<void> {
		return this.page.getByText("Live", { exact: true }).waitFor();
	}

	/** Waits until it says that it cannot. */
	untilAway(): Promise<void> {
		return this.page.getByText("Server away", { exact: true }).waitFor();
	}

	/** Errors of the console and of scripts, answers with a status of 500 and more; but not those that were to come. */
	complaints(expected?: RegExp): string[] {
		return this.#complaints.filter((line) => expected?.test(line) !== true);
	}

	/** The title of the page. */
	heading(name: string): Locator {
		return this.page.getByRole("heading", { name, level: 1 });
	}

	button(name: string): Locator {
		return this.page.getByRole("button", { name, exact: true });
	}

	link(name: string): Locator {
		return this.page.getByRole("link", { name, exact: true });
	}

	region(name: string): Locator {
		return this.page.getByRole("region", { name });
	}

	dialog(): Locator {
		return this.page.getByRole("dialog");
	}

	/** Of a Pi, an image or a write, by the heading of it. */
	card(name: string): Locator {
		return this.page.getByRole("article").filter({ has: this.page.getByRole("heading", { name }) });
	}
}
