/**
 * Runs test files with the project's own runtime: `run-tests.mjs [FILE...] [--lane FILE...]...`. The files behind a `--lane`
 * have a network or a machine of their own and run one by one; the lanes run side by side, since most tests there wait for
 * a client's timers.
 */
import { availableParallelism } from "node:os";
import { run } from "node:test";
import report from "./test-reporter.mjs";

/** Milliseconds; what takes longer hangs: the longest file takes some minutes on a slow machine. */
const PATIENCE = 20 * 60_000;

/** The events of those that run together, then of the lanes as they come. */
async function* events([together, ...lanes]) {
	if (together.length > 0) yield* limited(together, Math.max(2, availableParallelism()));
	yield* merged(lanes.filter((files) => files.length > 0).map(oneByOne));
}

/** Each file has its own patience, so that one that hangs fails and the next ones still run. */
async function* oneByOne(files) {
	for (const file of files) yield* limited([file], 1);
}

function limited(files, concurrency) {
	return run({ files, concurrency, signal: AbortSignal.timeout(PATIENCE) });
}

/** What several streams give, as it comes. */
async function* merged(streams) {
	const next = (iterator) => iterator.next().then((result) => ({ iterator, result }));
	const pending = new Map();
	for (const stream of streams) {
		const iterator = stream[Symbol.asyncIterator]();
		pending.set(iterator, next(iterator));
	}
	while (pending.size > 0) {
		const { iterator, result } = await Promise.race(pending.values());
		if (result.done) pending.delete(iterator);
		else {
			pending.set(iterator, next(iterator));
			yield result.value;
		}
	}
}

async function* watched(stream) {
	for await (const event of stream) {
		if (event.type === "test:fail") process.exitCode = 1;
		yield event;
	}
}

/** The arguments, cut at each `--lane`. */
function groups(args) {
	const cut = [[]];
	for (const arg of args) {
		if (arg === "--lane") cut.push([]);
		else cut.at(-1).push(arg);
	}
	return cut;
}

for await (const text of report(watched(events(groups(process.argv.slice(2)))))) process.stdout.write(text);
// A file that was given up may have left a program behind that holds on to our end of its output.
process.exit();
