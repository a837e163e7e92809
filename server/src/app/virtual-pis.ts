/**
 * Virtual Pis that a person starts from the page. Each is a process of its own, `pi-netboot simulate`: the server shares no
 * code with the simulator, and one that hangs is ended without harm.
 */
import { type ChildProcess, spawn } from "node:child_process";
import type { VirtualFailure, VirtualModel } from "@pi-netboot/api";
import { type Logger, NetbootError } from "../base/index.ts";
import type { VirtualPiService } from "../http/index.ts";

export interface VirtualPiOptions {
	/** The words that start our own program: the runtime, its flags, the file. */
	readonly program: readonly string[];
	/** Where our API answers; known once it does. */
	readonly url: () => string;
	readonly log: Logger;
}

/** So many boot at once; whoever wants a fleet has `pi-netboot simulate`. */
const MOST = 4;

/** Seconds after which the plug is pulled. */
const PATIENCE = 120;

/** Characters of what it says that are kept for the log. */
const MOST_SAID = 4000;

export class VirtualPis implements VirtualPiService {
	readonly #options: VirtualPiOptions;
	/** With the name that no other one has at this moment. */
	readonly #running = new Map<ChildProcess, string>();
	#isStopped = false;

	constructor(options: VirtualPiOptions) {
		this.#options = options;
	}

	start(model: VirtualModel, plays?: VirtualFailure): void {
		if (this.#running.size >= MOST) {
			throw new NetbootError("conflict", `${MOST} virtual Pis are booting already.`, { hint: "Wait until one is up." });
		}
		const [program = process.execPath, ...rest] = this.#options.program;
		const number = this.#freeNumber(model);
		const words = this.#words(model, number, plays);
		const child = spawn(program, [...rest, ...words], { stdio: ["ignore", "pipe", "pipe"] });
		this.#running.set(child, nameOf(model, number));
		this.#listen(child, model, plays);
	}

	/** Pulls every plug. */
	stop(): void {
		this.#isStopped = true;
		for (const child of this.#running.keys()) child.kill("SIGKILL");
	}

	/** Who starts two of a model at once wants two Pis; whoever starts the one that is there again, that one. */
	#freeNumber(model: VirtualModel): number {
		const taken = new Set(this.#running.values());
		let number = 1;
		while (taken.has(nameOf(model, number))) number++;
		return number;
	}

	#words(model: VirtualModel, number: number, plays: VirtualFailure | undefined): string[] {
		const url = this.#options.url();
		const who = ["--model", model, "--first", String(number)];
		const words = ["simulate", ...who, "--url", url, "--server", "127.0.0.1", "--seconds", String(PATIENCE)];
		return plays === undefined ? words : [...words, "--plays", plays];
	}

	#listen(child: ChildProcess, model: VirtualModel, plays: VirtualFailure | undefined): void {
		const { log } = this.#options;
		let said = "";
		const hear = (chunk: Buffer) => {
			said = (said + chunk.toString()).slice(-MOST_SAID);
		};
		child.stdout?.on("data", hear);
		child.stderr?.on("data", hear);
		child.once("error", (error) => {
			this.#running.delete(child);
			log.warn(`the virtual ${model} does not start: ${error.message}`);
		});
		child.once("close", (status, signal) => {
			this.#running.delete(child);
			if (this.#isStopped) log.info(`the virtual ${model} is switched off with the server`);
			else if (status === 0) log.info(`the virtual ${model} has booted`);
			else log.warn(`the virtual ${model} did not boot: ${lastLine(said) || endText(status, signal)}`);
		});
		log.info(`a virtual ${model} is switched on${plays === undefined ? "" : `, which plays ${plays}`}`);
	}
}

const nameOf = (model: VirtualModel, number: number) => `${model} ${number}`;

/** Of one that said nothing. */
function endText(status: number | null, signal: string | null): string {
	return signal === null ? `it ended with status ${status}` : `it was ended by ${signal}`;
}

function lastLine(text: string): string {
	return text.trim().split("\n").at(-1) ?? "";
}
