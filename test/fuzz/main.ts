/**
 * `npm run fuzz`: runs decoders on inputs that nobody would send, and says what came of it.
 *
 *     --seconds N   for each target; default 30
 *     --minutes N   for all targets together, instead
 *     --target A    only this one; may be given several times
 *     --jobs N      how many run at the same time; default 2
 *     --seed N      of the random numbers; default taken from the clock, and printed
 *     --keep        add inputs that came to something new to the corpus
 *     --input HEX   only this input, for one target
 *
 * An input that fails is printed, and kept in the corpus, where every later run begins with it. Exit code 1 when one did.
 */
import { constants, setPriority } from "node:os";
import { parseArgs } from "node:util";
import { addToCorpus, failedBecause, readCorpus } from "./corpus.ts";
import type { Report } from "./session.ts";
import { Supervisor } from "./supervisor.ts";
import { findTarget, targets } from "./targets/index.ts";

const { values: flags } = parseArgs({
	options: {
		seconds: { type: "string", default: "30" },
		minutes: { type: "string" },
		target: { type: "string", multiple: true },
		jobs: { type: "string", default: "2" },
		seed: { type: "string", default: String(Date.now() % 0x1_0000_0000) },
		keep: { type: "boolean", default: false },
		input: { type: "string" },
	},
});

const names = flags.target ?? targets.map(({ name }) => name);
for (const name of names) findTarget(name);
const seed = Number(flags.seed);
const jobs = Number(flags.jobs);
const seconds =
	flags.minutes === undefined ? Number(flags.seconds) : (Number(flags.minutes) * 60 * jobs) / names.length;
for (const value of [seed, jobs, seconds]) {
	if (!(value >= 0)) throw new RangeError("--seconds, --minutes, --jobs and --seed take numbers");
}

async function runAll(): Promise<Report[]> {
	const waiting = [...names];
	const reports: Report[] = [];
	const job = async () => {
		const supervisor = new Supervisor();
		for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
			const report = await supervisor.run(orderFor(name));
			reports.push(report);
			take(report);
		}
		await supervisor.close();
	};
	await Promise.all(Array.from({ length: jobs }, job));
	return reports;
}

function orderFor(target: string) {
	if (flags.input !== undefined) return { target, corpus: [flags.input], seed, budget: { runs: 0, seconds: 0 } };
	const corpus = readCorpus(target).map(({ input }) => input.toString("hex"));
	return { target, corpus, seed, budget: { runs: Number.POSITIVE_INFINITY, seconds } };
}

/** Says how a target did, and keeps what is worth it. */
function take(report: Report): void {
	const { target, failures, interesting } = report;
	const fromHex = (hex: string) => Buffer.from(hex, "hex");
	addToCorpus(
		target,
		failures.map(({ input, reason }) => ({ input: fromHex(input), why: failedBecause(reason) })),
	);
	if (flags.keep) {
		const smallFirst = [...interesting].sort((a, b) => a.input.length - b.input.length);
		addToCorpus(
			target,
			smallFirst.map(({ input, why }) => ({ input: fromHex(input), why })),
		);
	}
	const speed = Math.round(report.runs / Math.max(report.seconds, 0.001));
	console.log(row([target, report.runs, speed, report.outcomes, interesting.length, failures.length]));
	for (const { input, reason } of failures) console.log(`${target} FAILED on ${input}\n${reason}\n`);
}

function row(cells: readonly (string | number)[]): string {
	const [name = "", ...numbers] = cells.map(String);
	return name.padEnd(16) + numbers.map((cell) => cell.padStart(12)).join("");
}

function printSum(reports: readonly Report[]): void {
	const sum = (count: (report: Report) => number) => reports.reduce((total, report) => total + count(report), 0);
	const failures = sum((report) => report.failures.length);
	console.log(row(["all", sum(({ runs }) => runs), "", sum(({ outcomes }) => outcomes), "", failures]));
	process.exitCode = failures === 0 ? 0 : 1;
}

// An hour of this beside somebody's work must not be noticed.
setPriority(constants.priority.PRIORITY_LOW);
console.log(`seed ${seed}, ${Math.round(seconds)} s for each of ${names.length} targets, ${jobs} at a time`);
console.log(row(["target", "runs", "runs/s", "outcomes", "new", "failures"]));
printSum(await runAll());
