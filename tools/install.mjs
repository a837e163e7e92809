/** Brings `node_modules` in line with the lock file, when it is not. Plain JavaScript for the installed Node. */
import { spawnSync } from "node:child_process";
import { statSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));

/** Milliseconds since 1970, 0 for a file that is not there. */
function changedAt(path) {
	return statSync(new URL(`../${path}`, import.meta.url), { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** npm writes `node_modules/.package-lock.json` last, so an installation that broke off counts as none. */
function isInstalled() {
	return changedAt("node_modules/.package-lock.json") >= changedAt("package-lock.json");
}

/**
 * Installs when that is needed; without it, no network is used.
 *
 * @returns {boolean} false when it failed; npm has said why.
 */
export function install() {
	if (isInstalled()) return true;
	console.error("pi-netboot: installing what it needs (once, about a minute)");
	const result = spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
		cwd: root,
		stdio: ["ignore", "ignore", "inherit"],
		shell: process.platform === "win32",
	});
	if (result.status === 0) return true;
	console.error("pi-netboot: `npm ci` failed; it needs the network the first time.");
	return false;
}
