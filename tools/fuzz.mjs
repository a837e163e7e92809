/** `npm run fuzz -- FLAGS`: installs when needed, then runs `test/fuzz/main.ts` with the project's own runtime. */
import { fileURLToPath } from "node:url";
import { explainMissingRuntime, findRuntime, isNewEnough, runInPlace } from "../server/bin/launch.mjs";
import { install } from "./install.mjs";

const main = fileURLToPath(new URL("../test/fuzz/main.ts", import.meta.url));

async function fuzz(args) {
	if (!install()) return 1;
	const runtime = findRuntime() ?? (isNewEnough() ? process.execPath : undefined);
	if (runtime === undefined) {
		explainMissingRuntime();
		return 1;
	}
	return runInPlace(runtime, [main, ...args]);
}

process.exitCode = await fuzz(process.argv.slice(2));
