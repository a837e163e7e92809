/**
 * `npm start -- FLAGS`: installs and builds the page when needed, then serves with the project's own runtime. `--watch` as the
 * first argument (`npm run dev`) starts anew after each change of the source, and serves the page as it is being written.
 */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { explainMissingRuntime, findRuntime, isNewEnough, runInPlace, runtimeFlags } from "../server/bin/launch.mjs";
import { buildPage } from "./build.mjs";
import { install } from "./install.mjs";

const main = fileURLToPath(new URL("../server/src/main.ts", import.meta.url));

async function start(args) {
	if (!install()) return 1;
	const runtime = findRuntime() ?? (isNewEnough() ? process.execPath : undefined);
	if (runtime === undefined) {
		explainMissingRuntime();
		return 1;
	}
	const watch = args[0] === "--watch";
	if (watch) servePage(runtime);
	// The server runs without its page, and says so there.
	else buildPage(runtime);
	const flags = watch ? args.slice(1) : args;
	return runInPlace(runtime, [
		...runtimeFlags,
		...(watch ? ["--watch", "--watch-preserve-output"] : []),
		main,
		"serve",
		...flags,
	]);
}

/** Vite's own server, which passes the API's questions on. It ends with this process. */
function servePage(runtime) {
	const vite = fileURLToPath(new URL("../node_modules/vite/bin/vite.js", import.meta.url));
	const web = fileURLToPath(new URL("../web", import.meta.url));
	const child = spawn(runtime, [vite, "--configLoader", "native"], {
		cwd: web,
		stdio: ["ignore", "inherit", "inherit"],
	});
	child.on("error", (error) => console.error(`pi-netboot: ${vite} does not start: ${error.message}`));
	process.on("exit", () => child.kill());
}

process.exitCode = await start(process.argv.slice(2));
