#!/usr/bin/env -S node --max-semi-space-size=4
/** Starts the program with the runtime that the project brings, where the installed Node is too old. */
import module from "node:module";
import { fileURLToPath } from "node:url";
import { compileCache, explainMissingRuntime, findRuntime, isNewEnough, runInPlace, runtimeFlags } from "./launch.mjs";

const main = new URL("../src/main.ts", import.meta.url);

if (isNewEnough()) {
	// The variable is for worker threads, which the call leaves out.
	process.env.NODE_COMPILE_CACHE ??= compileCache();
	module.enableCompileCache(process.env.NODE_COMPILE_CACHE);
	await import(main.href);
} else {
	const runtime = findRuntime();
	if (runtime === undefined) explainMissingRuntime();
	process.exitCode =
		runtime === undefined
			? 1
			: await runInPlace(runtime, [...runtimeFlags, fileURLToPath(main), ...process.argv.slice(2)]);
}
