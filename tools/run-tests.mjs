/**
 * Runs test files with the project's own runtime: `run-tests.mjs [FILE...] [--laboratory=FILE...] [--guests=FILE...]`. The files
 * of the laboratory have a network of their own and mostly wait for a client's timers: they run two at a time, in the order in
 * which they are named. Never two with guests: those keep a processor busy.
 */
import { availableParallelism } from "node:os";
import { run } from "node:test";
import { parseArgs } from "node:util";
import report from "./test-reporter.mjs";

/** Milliseconds; what takes longer hangs: the longest file takes some minutes on a slow machine. */
const PATIENCE = 20 * 60_000;

/** The events of those that run together, then of the others. */
async function* events({ together, laboratory, guests }) {
	if (together.length > 0) yield* limited(together, Math.max(2, availableParallelism()));
	const queue = new Queue(laboratory, guests);
	yield* merged([oneByOne(queue), oneByOne(queue)]);
}

class Queue {
	#laboratory;
	#guests;
	/** The file with guests that runs. */
	#host;

	constructor(laboratory, guests) {
		this.#laboratory = [...laboratory];
		this.#guests = [...guests];
	}

	/** What runs next beside what runs; those with guests first, since nothing makes their row shorter. */
	next() {
		if (this.#host !== undefined) return this.#laboratory.shift();
		this.#host = this.#guests.shift();
		return this.#host ?? this.#laboratory.shift();
	}

	ended(file) {
		if (file === this.#host) this.#host = undefined;
	}
}

/** Each file has its own patience, so that one that hangs fails and the next ones still run. */
async function* oneByOne(queue) {
	for (let file = queue.next(); file !== undefined; file = queue.next()) {
		yield* limited([file], 1);
		queue.ended(file);
	}
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

const several = { type: "string", multiple: true, default: [] };
const { values, positionals } = parseArgs({
	options: { laboratory: several, guests: several },
	allowPositionals: true,
});
for await (const text of report(watched(events({ together: positionals, ...values })))) process.stdout.write(text);
// A file that was given up may have left a program behind that holds on to our end of its output.
process.exit();
