/** Debian's Chromium on a host of the lab, driven by Playwright through its pipe. */
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import type { Lab } from "./lab.ts";

export const BROWSER_PROGRAMS = ["chromium"];

/**
 * Starts it.
 *
 * @param folder for the script that puts it into the host's namespace.
 * @param runner a command that runs it, with a priority of its own, say.
 */
export async function startBrowser(
	lab: Lab,
	host: string,
	folder: string,
	runner: readonly string[] = [],
): Promise<Browser> {
	const script = join(folder, "chromium.sh");
	const words = lab.on(host, [...runner, "chromium"]).join(" ");
	writeFileSync(script, `#!/bin/sh\nexec ${words} "$@"\n`);
	chmodSync(script, 0o755);
	// Root has no sandbox in Chromium; it sees nothing here but our own page.
	return chromium.launch({ executablePath: script, args: ["--no-sandbox", "--disable-gpu"] });
}

/** A page that remembers what it complained about. */
export interface WatchedPage {
	readonly page: Page;
	/** Errors of the console and of scripts, answers with a status of 500 and more. */
	readonly complaints: readonly string[];
}

export async function openPage(context: BrowserContext): Promise<WatchedPage> {
	const page = await context.newPage();
	page.setDefaultTimeout(30_000);
	const complaints: string[] = [];
	page.on("console", (message) => {
		if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
	});
	page.on("pageerror", (error) => complaints.push(String(error)));
	page.on("response", (response) => {
		if (response.status() >= 500) complaints.push(`${response.status()} ${response.url()}`);
	});
	return { page, complaints };
}
