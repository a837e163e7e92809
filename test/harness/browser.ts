/** Debian's Chromium on a host of the lab, driven by Playwright through its pipe. */
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Browser, chromium } from "playwright-core";
import type { BootLab } from "./boot-lab.ts";
import type { Lab } from "./lab.ts";
import { IMAGE_PROGRAMS } from "./needs.ts";

/** What tests of the page need. */
export const PAGE_PROGRAMS = ["ip", "curl", "chromium", ...IMAGE_PROGRAMS];

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

/** Starts it on a host of a boot lab, whose end is its own. */
export async function browserIn(room: BootLab, host = "rtr"): Promise<Browser> {
	const browser = await startBrowser(room.lab, host, room.folder);
	room.atEnd(() => browser.close());
	return browser;
}
