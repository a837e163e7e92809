/**
 * Runs test files with the project's own runtime: `run-tests.mjs [FILE...] [--one-by-one FILE...]`. The files behind
 * `--one-by-one` have a network or a machine of their own and want this one for themselves.
 */
import { availableParallelism } from "node:os";
import { run } from "node:test";
import report from "./test-reporter.mjs";

/** The events of both groups, one after the other. */
async function* events(together, oneByOne) {
	if (together.length > 0) yield* watched(run({ files: together, concurrency: Math.max(2, availableParallelism()) }));
	if (oneByOne.length > 0) yield* watched(run({ files: oneByOne, concurrency: 1 }));
}

async function* watched(stream) {
	for await (const event of stream) {
		if (event.type === "test:fail") process.exitCode = 1;
		yield event;
	}
}

const args = process.argv.slice(2);
const border = args.includes("--one-by-one") ? args.indexOf("--one-by-one") : args.length;
for await (const text of report(events(args.slice(0, border), args.slice(border + 1)))) process.stdout.write(text);
