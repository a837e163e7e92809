/** `pi-netboot serve` */
import type { Command } from "commander";
import type { Logger } from "../base/index.ts";
import { type Config, loadConfig } from "../config.ts";
import { createLogging, type Logging } from "../log-setup.ts";
import { exitCodes } from "./command-error.ts";
import { addSettingFlags } from "./setting-flags.ts";
import type { Terminal } from "./terminal.ts";

export interface RunningServer {
	/** The line that tells scripts and people that it is ready, and where. */
	readonly readyLine: string;
	stop(): Promise<void>;
}

/** Starts everything; resolves when every service listens or has said why not. */
export type RunServer = (config: Config, log: Logger, logging: Logging) => Promise<RunningServer>;

export function addServe(program: Command, terminal: Terminal, runServer: RunServer): void {
	addSettingFlags(program.command("serve", { isDefault: true }).description("serve (the default command)")).action(
		(flags: Record<string, unknown>) => serve(loadConfig(flags, terminal.env), terminal, runServer),
	);
}

async function serve(config: Config, terminal: Terminal, runServer: RunServer): Promise<void> {
	const logging = createLogging({ level: config.logLevel, format: config.logFormat, write: terminal.err });
	const { log } = logging;
	// From now on, so that a signal during the start is not lost.
	const signals = new StopSignals();
	const forgetFaults = endOnFault(log);
	try {
		const server = await runServer(config, log, logging);
		terminal.out(`${server.readyLine}\n`);
		log.info(`stopping (${await signals.first})`);
		await server.stop();
		logging.flush();
		log.info("stopped");
	} finally {
		forgetFaults();
		signals.forget();
	}
}

/**
 * An exception or rejection that nobody caught is a fault of ours, and nobody knows what it left half done. So the process
 * ends at once, as it may at any time: roots and settings survive it, running Pis wait for the next start.
 *
 * @returns what ends the watching.
 */
function endOnFault(log: Logger): () => void {
	const listener = (error: unknown): void => {
		log.error({ err: error }, "a fault of ours ends the server (start it again: running Pis go on then)");
		process.exit(exitCodes.failed);
	};
	// Rejections that nobody handles come here too: Node's `--unhandled-rejections=throw`, the default.
	process.on("uncaughtException", listener);
	return () => void process.off("uncaughtException", listener);
}

/** Milliseconds in which a signal is the same one again: Ctrl-C comes from the terminal and from npm. */
const sameSignal = 500;

/** Waits for SIGTERM or SIGINT; the next one after the first ends the process at once. */
class StopSignals {
	readonly first: Promise<NodeJS.Signals>;
	/** Ends the waiting: signals do again what they do by themselves. */
	readonly forget: () => void;

	constructor() {
		const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>();
		let firstAt: number | undefined;
		const listener = (signal: NodeJS.Signals): void => {
			firstAt ??= performance.now();
			if (performance.now() - firstAt > sameSignal) process.exit(exitCodes.failed);
			resolve(signal);
		};
		process.on("SIGTERM", listener).on("SIGINT", listener);
		this.first = promise;
		this.forget = () => void process.off("SIGTERM", listener).off("SIGINT", listener);
	}
}
