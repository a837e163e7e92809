/** Running programs from tests: to their end with their output, or as a server that is ended with the test. */
import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";

export interface Finished {
	readonly status: number | null;
	readonly stdout: string;
	readonly stderr: string;
}

export interface RunOptions {
	readonly input?: string;
	readonly environment?: Readonly<Record<string, string>>;
	readonly directory?: string;
	/** Milliseconds after which the program is killed. */
	readonly timeout?: number;
}

function spawnOptions(options: RunOptions): SpawnOptions {
	return {
		env: { ...process.env, ...options.environment },
		...(options.directory === undefined ? {} : { cwd: options.directory }),
		...(options.timeout === undefined ? {} : { timeout: options.timeout, killSignal: "SIGKILL" as const }),
	};
}

/** Runs a program to its end, whatever its exit status. */
export function run(command: readonly string[], options: RunOptions = {}): Promise<Finished> {
	const [program = "false", ...rest] = command;
	const stdin = options.input === undefined ? "ignore" : "pipe";
	const child = spawn(program, rest, { ...spawnOptions(options), stdio: [stdin, "pipe", "pipe"] });
	child.stdin?.end(options.input);
	return new Promise((resolve, reject) => {
		const out: Buffer[] = [];
		const err: Buffer[] = [];
		child.stdout?.on("data", (chunk: Buffer) => out.push(chunk));
		child.stderr?.on("data", (chunk: Buffer) => err.push(chunk));
		child.once("error", reject);
		child.once("close", (status) =>
			resolve({ status, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() }),
		);
	});
}

/** Runs a program that must succeed, and gives its standard output. */
export async function must(command: readonly string[], options: RunOptions = {}): Promise<string> {
	const finished = await run(command, options);
	if (finished.status !== 0) {
		throw new Error(`${command.join(" ")}: exit ${finished.status}\n${finished.stdout}${finished.stderr}`);
	}
	return finished.stdout;
}

/** A program that runs beside the test, with what it printed so far. */
export class Background {
	readonly process: ChildProcess;
	#output = "";
	readonly #exited: Promise<number | null>;
	readonly #watchers = new Set<() => void>();

	constructor(command: readonly string[], options: RunOptions = {}) {
		const [program = "false", ...rest] = command;
		this.process = spawn(program, rest, { ...spawnOptions(options), stdio: ["ignore", "pipe", "pipe"] });
		for (const stream of [this.process.stdout, this.process.stderr]) {
			stream?.on("data", (chunk: Buffer) => {
				this.#output += chunk.toString();
				for (const watcher of this.#watchers) watcher();
			});
		}
		this.#exited = new Promise((resolve) => {
			this.process.once("error", () => resolve(null));
			this.process.once("close", (status) => {
				resolve(status);
				for (const watcher of this.#watchers) watcher();
			});
		});
	}

	/** Standard output and standard error, as they came. */
	get output(): string {
		return this.#output;
	}

	/** Resolves with the match once the output has it; rejects when the program ends first or the time is over. */
	waitFor(pattern: RegExp, milliseconds: number): Promise<RegExpExecArray> {
		return new Promise((resolve, reject) => {
			const settle = (action: () => void) => {
				clearTimeout(timer);
				this.#watchers.delete(look);
				action();
			};
			const fail = (why: string) =>
				settle(() =>
					reject(new Error(`${why} waiting for ${pattern}; the end of its output:\n${this.#output.slice(-4000)}`)),
				);
			const look = () => {
				const match = pattern.exec(this.#output);
				if (match !== null) settle(() => resolve(match));
				else if (this.process.exitCode !== null || this.process.signalCode !== null) fail("the program ended");
			};
			const timer = setTimeout(() => fail(`${milliseconds} ms passed`), milliseconds);
			this.#watchers.add(look);
			look();
		});
	}

	/** Resolves with the exit status once the program has ended, null when a signal ended it. */
	get ended(): Promise<number | null> {
		return this.#exited;
	}

	/** Sends a signal and waits for the end. */
	stop(signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
		if (this.process.exitCode === null && this.process.signalCode === null) this.process.kill(signal);
		return this.#exited;
	}
}
