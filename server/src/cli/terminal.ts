/** The world as a command sees it; tests bring their own. */
import { closeSync, openSync, writeSync } from "node:fs";
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { systemCode } from "../base/index.ts";

/** What Ctrl-C does while somebody listens to it. */
export interface Interruption {
	readonly signal: AbortSignal;
	/** From then on it ends the program again. */
	forget(): void;
}

export interface Secret {
	readonly text: string;
	/** A person typed it, and may have mistyped it. */
	readonly isTyped: boolean;
}

export interface Terminal {
	/** Standard output: what was asked for. */
	out(text: string): void;
	/** Standard error: everything else. */
	err(text: string): void;
	readonly env: NodeJS.ProcessEnv;
	/** Whether a person sees standard error as it comes. */
	readonly isWatched?: boolean;
	/** Gives the line that a person types; undefined where nobody is there. */
	ask?(question: string): Promise<string | undefined>;
	/** As `ask`, without showing what is typed; where nobody is there, the first line of standard input. */
	askSecret?(question: string): Promise<Secret | undefined>;
	/** Listens to Ctrl-C. */
	interrupted?(): Interruption;
}

export const processTerminal: Terminal = {
	out: (text) => void process.stdout.write(text),
	err: (text) => void process.stderr.write(text),
	env: process.env,
	isWatched: process.stderr.isTTY === true,
	ask,
	askSecret,
	interrupted,
};

async function ask(question: string): Promise<string | undefined> {
	if (!process.stdin.isTTY || !process.stderr.isTTY) return undefined;
	const line = createInterface({ input: process.stdin, output: process.stderr });
	try {
		return await line.question(question);
	} finally {
		line.close();
	}
}

async function askSecret(question: string): Promise<Secret | undefined> {
	const isTyped = process.stdin.isTTY;
	const screen = isTyped ? openScreen() : undefined;
	// What is typed is echoed to where nobody sees it, from before the question on: people type fast.
	const output = new Writable({ write: (_chunk, _encoding, done) => done() });
	const lines = createInterface({ input: process.stdin, output, terminal: isTyped });
	screen?.write(question);
	try {
		const { value: text } = await lines[Symbol.asyncIterator]().next();
		return text === undefined ? undefined : { text, isTyped };
	} finally {
		lines.close();
		screen?.write("\n");
		screen?.close();
	}
}

interface Screen {
	write(text: string): void;
	close(): void;
}

/** What the person at the keyboard sees, also while standard error goes into a file. */
function openScreen(): Screen {
	const terminal = process.stderr.isTTY ? undefined : openTerminal();
	if (terminal === undefined) return { write: (text) => void process.stderr.write(text), close: () => undefined };
	return { write: (text) => void writeSync(terminal, text), close: () => closeSync(terminal) };
}

/** The terminal that controls this process; undefined for a process that has none, which `setsid` makes. */
function openTerminal(): number | undefined {
	try {
		return openSync("/dev/tty", "w");
	} catch (error) {
		if (systemCode(error) === undefined) throw error;
		return undefined;
	}
}

function interrupted(): Interruption {
	const controller = new AbortController();
	const abort = () => controller.abort();
	process.once("SIGINT", abort);
	return { signal: controller.signal, forget: () => void process.off("SIGINT", abort) };
}

/** Text in columns, two spaces apart, under a heading. */
export function table(heading: readonly string[], rows: readonly (readonly string[])[]): string {
	const all = [heading, ...rows.map((row) => row.map(printable))];
	const widths = heading.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
	const lines = all.map((row) =>
		row
			.map((cell, column) => cell.padEnd(widths[column] ?? 0))
			.join("  ")
			.trimEnd(),
	);
	return `${lines.join("\n")}\n`;
}

/** Names come from outside; they shall not move the cursor, nor turn what is written around. */
export function printable(text: string): string {
	return text.replaceAll(/[\p{Cc}\p{Bidi_Control}]/gu, "?");
}

/** `2026-11-21 20:15` in the time zone of whoever reads it. */
export function localTime(milliseconds: number): string {
	const date = new Date(milliseconds);
	const two = (number: number) => String(number).padStart(2, "0");
	const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join("-");
	return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

export function json(value: unknown): string {
	return `${JSON.stringify(value, null, 2)}\n`;
}
