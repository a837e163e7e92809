/**
 * `npm start -- FLAGS`: installs when needed, then serves with the project's own runtime. `--watch` as the first argument
 * (`npm run dev`) starts anew after each change of the source.
 */
import { fileURLToPath } from "node:url";
import { explainMissingRuntime, findRuntime, isNewEnough, runInPlace, runtimeFlags } from "../server/bin/launch.mjs";
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
	const flags = watch ? args.slice(1) : args;
	return runInPlace(runtime, [
		...runtimeFlags,
		...(watch ? ["--watch", "--watch-preserve-output"] : []),
		main,
		"serve",
		...flags,
	]);
}

process.exitCode = await start(process.argv.slice(2));
