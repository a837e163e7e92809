/**
 * Runs test files with the project's own runtime: `run-tests.mjs [FILE...] [--guests=FILE...] [--quiet=FILE...] [--patient=FILE...]`.
 * The files that are named without a flag run together, and then the others, which have a network of their own: those with
 * guests one by one, since each keeps a processor busy; beside them those that look at how a server fares under attack, one by
 * one, then those that mostly wait for a client's timers, some at a time, and then what is left of those with guests.
 */
import { availableParallelism } from "node:os";
import { relative, resolve } from "node:path";
import { run } from "node:test";
import { parseArgs } from "node:util";
import report from "./test-reporter.mjs";

/** Milliseconds; what takes longer hangs: the longest file takes some minutes on a slow machine. */
const PATIENCE = 30 * 60_000;

/** How many of those that mostly wait run at a time. */
const ABREAST = 2;

/** The events of those that run together, then of the others. */
async function* events({ together, guests, quiet, patient }) {
	if (together.length > 0) yield* limited(together, Math.max(2, availableParallelism()));
	const [guestsLeft, patientLeft] = [[...guests], [...patient]];
	yield* merged([oneByOne(guestsLeft), besideGuests(guestsLeft, quiet, patientLeft)]);
}

async function* besideGuests(guests, quiet, patient) {
	yield* oneByOne([...quiet]);
	yield* merged(Array.from({ length: ABREAST }, () => oneByOne(patient)));
	// A processor is free from here on.
	yield* oneByOne(guests);
}

/**
 * Takes the files off their list, which others may do as well. Each has its own patience, so that one that hangs fails and the
 * next ones still run.
 */
async function* oneByOne(files) {
	for (let file = files.shift(); file !== undefined; file = files.shift()) yield* limited([file], 1);
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

/** With a failure for each file of whose end nothing was told: one that exits by itself, and well, takes its tests with it. */
async function* accounted(stream, files) {
	const open = new Set(files.map((file) => resolve(file)));
	for await (const event of stream) {
		const { file, name = "" } = event.data ?? {};
		// A file is itself a test around its own tests.
		const isEnd = event.type === "test:summary" || (event.type === "test:fail" && resolve(name) === file);
		if (isEnd && file !== undefined) open.delete(file);
		yield event;
	}
	const error = new Error("expected its tests to the end; it has none, or exited before that");
	for (const file of open) yield { type: "test:fail", data: { file, name: relative(".", file), details: { error } } };
}

async function* watched(stream) {
	for await (const event of stream) {
		if (event.type === "test:fail") process.exitCode = 1;
		yield event;
	}
}

const several = { type: "string", multiple: true, default: [] };
const options = { guests: several, quiet: several, patient: several };
const { values, positionals } = parseArgs({ options, allowPositionals: true });
const queues = { together: positionals, ...values };
const all = Object.values(queues).flat();
for await (const text of report(watched(accounted(events(queues), all)))) process.stdout.write(text);
// A file that was given up may have left a program behind that holds on to our end of its output.
process.exit();
