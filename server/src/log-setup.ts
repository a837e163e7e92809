/**
 * Where log lines go: to standard error, one line each for people or as pino's JSON for machines; into the ring of recent
 * lines; and to whoever listens live.
 */
import type { LogLine as NumberedLine } from "@pi-netboot/api";
import { pino } from "pino";
import { z } from "zod";
import { type Clock, type Logger, type LogLine, systemClock } from "./base/index.ts";
import { LogRing } from "./http/index.ts";
import { LogLimiter } from "./log-limiter.ts";

export interface LoggingOptions {
	readonly level: "error" | "warn" | "info" | "debug";
	readonly format: "text" | "json";
	/** Takes whole lines, with their line end. */
	readonly write: (text: string) => void;
	readonly clock?: Clock;
}

export interface Logging {
	readonly log: Logger;
	readonly recent: LogRing;
	/** Calls `listener` for each new line until the function that it gives is called. */
	subscribe(listener: (line: NumberedLine) => void): () => void;
	/** Says what a flood of lines left out, if there is such a flood. */
	flush(): void;
}

/** What pino makes of an `Error`. Anything can be thrown: a string comes as it is. */
const PinoError = z.object({ message: z.string(), stack: z.string().optional() });

/** A line as pino writes it. Rooms give `service` and `device` through `child` or with the line. */
const PinoLine = z.object({
	level: z.number(),
	time: z.number(),
	service: z.string().default("server"),
	device: z.string().optional(),
	msg: z.string().default(""),
	err: z.union([PinoError, z.string().transform((message): z.infer<typeof PinoError> => ({ message }))]).optional(),
});
type PinoLine = z.infer<typeof PinoLine>;

/** The logger of the whole process. */
export function createLogging({ level, format, write, clock = systemClock }: LoggingOptions): Logging {
	const recent = new LogRing();
	const listeners = new Set<(line: NumberedLine) => void>();
	const tell = (line: LogLine, text: string): void => {
		write(text);
		const numbered = recent.add(line);
		for (const listener of listeners) listener(numbered);
	};
	const limiter = new LogLimiter(clock, (line) => tell(line, format === "json" ? jsonLine(line) : humanLine(line)));
	const destination = {
		write(json: string): void {
			const raw = PinoLine.parse(JSON.parse(json));
			const line = logLine(raw);
			if (limiter.passes(line)) tell(line, format === "json" ? json : humanLine(line, raw.err));
		},
	};
	return {
		log: pino({ level, base: null }, destination),
		recent,
		subscribe(listener) {
			listeners.add(listener);
			return () => void listeners.delete(listener);
		},
		flush: () => limiter.flush(),
	};
}

/** As pino would write it. */
function jsonLine({ level, time, service, message }: LogLine): string {
	return `${JSON.stringify({ level: pino.levels.values[level], time, service, msg: message })}\n`;
}

function logLine({ level, time, service, device, msg, err }: PinoLine): LogLine {
	const message = err === undefined ? msg : messageWith(msg, err.message);
	return { time, level: levelName(level), service, message, ...(device === undefined ? {} : { device }) };
}

/** Where nothing else was said, pino makes the error's message that of the line, and some sentences end with it. */
function messageWith(message: string, failure: string): string {
	if (message.endsWith(failure)) return message;
	return message === "" ? failure : `${message}: ${failure}`;
}

/** pino's numbers: trace 10, debug 20, info 30, warn 40, error 50, fatal 60. */
function levelName(level: number): LogLine["level"] {
	if (level >= 50) return "error";
	if (level >= 40) return "warn";
	return level >= 30 ? "info" : "debug";
}

/** `20:15:04 info  boot  7bf18f79  kernel8.img ...`; an error brings its stack, which says where our fault is. */
function humanLine({ time, level, service, device, message }: LogLine, err?: PinoLine["err"]): string {
	const head = `${timeOfDay(time)} ${level.padEnd(5)} ${service.padEnd(7)}`;
	const line = [head, device, oneLine(message)].filter((part) => part !== undefined).join("  ");
	const stack = level === "error" ? placesOf(err?.stack ?? "") : [];
	return `${[line, ...stack].join("\n")}\n`;
}

/** The stack without the message in front of it, which may have lines of its own and come from outside. */
function placesOf(stack: string): string[] {
	return stack
		.split("\n")
		.filter((line) => /^ {4}at /.test(line))
		.map(oneLine);
}

function timeOfDay(time: number): string {
	const date = new Date(time);
	return [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => String(part).padStart(2, "0")).join(":");
}

/** File names and host names come from outside: they shall not move the cursor or make lines of their own. */
function oneLine(text: string): string {
	return text.replaceAll(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu, (character) => {
		return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
	});
}
