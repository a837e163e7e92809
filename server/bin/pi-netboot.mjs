#!/usr/bin/env node
/** Starts the program with the runtime that the project brings, where the installed Node is too old. */
import { fileURLToPath } from "node:url";
import { explainMissingRuntime, findRuntime, isNewEnough, runInPlace } from "./launch.mjs";

const main = new URL("../src/main.ts", import.meta.url);

if (isNewEnough()) {
	await import(main.href);
} else {
	const runtime = findRuntime();
	if (runtime === undefined) explainMissingRuntime();
	process.exitCode =
		runtime === undefined ? 1 : await runInPlace(runtime, [fileURLToPath(main), ...process.argv.slice(2)]);
}
