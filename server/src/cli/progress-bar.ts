/** How far something is, in one line that is written over; nothing where nobody watches. */
import { printable, type Terminal } from "./terminal.ts";

const WIDTH = 30;
const CLEAR = "\r\u001b[K";

export class ProgressBar {
	readonly #terminal: Terminal;
	#last = "";

	constructor(terminal: Terminal) {
		this.#terminal = terminal;
	}

	/** @param percent undefined when it is not known. */
	show(name: string, percent: number | undefined): void {
		const text = percent === undefined ? `${name} ...` : `${barOf(percent)} ${String(percent).padStart(3)} %  ${name}`;
		const line = printable(text);
		if (this.#terminal.isWatched !== true || line === this.#last) return;
		this.#last = line;
		this.#terminal.err(CLEAR + line);
	}

	/** A sentence that stays, above the bar. */
	say(text: string): void {
		this.end();
		this.#terminal.err(`${printable(text)}\n`);
	}

	/** Leaves an empty line for what comes next. */
	end(): void {
		if (this.#last === "") return;
		this.#last = "";
		this.#terminal.err(CLEAR);
	}
}

function barOf(percent: number): string {
	const done = Math.round((Math.min(100, Math.max(0, percent)) / 100) * WIDTH);
	return `[${"#".repeat(done)}${".".repeat(WIDTH - done)}]`;
}
