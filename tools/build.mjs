/**
 * Builds the page into `web/dist`, by hand with `npm run build`; `npm start` and `npm test` do it when the page is older than its
 * source. Plain JavaScript for the installed Node; Vite runs under the project's own.
 */
import { spawnSync } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { explainMissingRuntime, findRuntime, isNewEnough } from "../server/bin/launch.mjs";
import { install, root } from "./install.mjs";

/** What the page is made of; the lock file stands for its libraries. */
const sources = [
	"web/src",
	"web/index.html",
	"web/vite.config.ts",
	"web/mantine-styles-plugin.ts",
	"web/routes-plugin.ts",
	"api/src",
	"package-lock.json",
];

/** Milliseconds since 1970 of the newest change in a file or folder; 0 for what is not there. */
function changedAt(path) {
	const stats = statSync(path, { throwIfNoEntry: false });
	if (stats === undefined) return 0;
	if (!stats.isDirectory()) return stats.mtimeMs;
	return Math.max(stats.mtimeMs, ...readdirSync(path).map((name) => changedAt(join(path, name))));
}

function isBuilt() {
	const built = changedAt(join(root, "web/dist/index.html"));
	return sources.every((path) => changedAt(join(root, path)) <= built);
}

/**
 * Builds it when that is needed; without it, nothing runs.
 *
 * @param {string} runtime
 * @returns {boolean} false when it failed; Vite has said why.
 */
export function buildPage(runtime) {
	return isBuilt() || build(runtime);
}

function build(runtime) {
	console.error("pi-netboot: building the page (a few seconds)");
	const args = [join(root, "node_modules/vite/bin/vite.js"), "build", "--configLoader", "native", "--logLevel", "warn"];
	const { status } = spawnSync(runtime, args, { cwd: join(root, "web"), stdio: ["ignore", "ignore", "inherit"] });
	if (status === 0) return true;
	console.error("pi-netboot: the page cannot be built.");
	return false;
}

function main() {
	if (!install()) return 1;
	const runtime = findRuntime() ?? (isNewEnough() ? process.execPath : undefined);
	if (runtime !== undefined) return build(runtime) ? 0 : 1;
	explainMissingRuntime();
	return 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = main();
