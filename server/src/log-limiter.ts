/**
 * Keeps a flood out of the log. Lines that only differ in numbers, addresses and names are of one kind; of each kind a good many
 * pass, more than a class of Pis that is switched on makes, and then a few per second. The others are counted, and one line says
 * how many they were.
 */
import type { Clock, LogLine, Timer } from "./base/index.ts";

export interface LogLimits {
	/** Lines of a kind that pass at once. */
	readonly burst: number;
	/** Lines of a kind that pass per second when the burst is used up. */
	readonly perSecond: number;
	/** Kinds that are told apart; all further ones are one kind. */
	readonly kinds: number;
}

const DEFAULT_LOG_LIMITS: LogLimits = { burst: 100, perSecond: 1, kinds: 256 };

/** How often it is said what was left out. */
const SUMMARY_MS = 10_000;

interface Kind {
	/** Lines that may pass now; grows with the time. */
	credit: number;
	at: number;
	/** What did not pass since the last summary, and the first of it. */
	omitted: number;
	example: LogLine | undefined;
}

const OTHERS = "others";

export class LogLimiter {
	readonly #clock: Clock;
	readonly #limits: LogLimits;
	readonly #summarise: (line: LogLine) => void;
	readonly #kinds = new Map<string, Kind>();
	#timer: Timer | undefined;

	/** @param summarise takes the lines that say what was left out. */
	constructor(clock: Clock, summarise: (line: LogLine) => void, limits = DEFAULT_LOG_LIMITS) {
		this.#clock = clock;
		this.#summarise = summarise;
		this.#limits = limits;
	}

	/** Whether the line may be written. What somebody asked to see by `--log-level debug` always may. */
	passes(line: LogLine): boolean {
		if (line.level === "debug") return true;
		const kind = this.#kindOf(line);
		this.#refill(kind);
		if (kind.credit >= 1) {
			kind.credit--;
			return true;
		}
		kind.omitted++;
		kind.example ??= line;
		this.#timer ??= this.#clock.after(SUMMARY_MS, () => this.flush());
		return false;
	}

	/** Says now what was left out. */
	flush(): void {
		this.#timer?.cancel();
		this.#timer = undefined;
		for (const [key, kind] of this.#kinds) {
			if (kind.example !== undefined) this.#summarise(summaryOf(kind.example, kind.omitted, this.#clock.now()));
			kind.omitted = 0;
			kind.example = undefined;
			this.#refill(kind);
			if (kind.credit >= this.#limits.burst) this.#kinds.delete(key);
		}
	}

	#kindOf(line: LogLine): Kind {
		const key = `${line.level} ${line.service} ${shapeOf(line.message)}`;
		return this.#kinds.get(key) ?? this.#kinds.get(this.#newKey(key)) ?? this.#begin(this.#newKey(key));
	}

	#newKey(key: string): string {
		if (this.#kinds.size >= this.#limits.kinds) this.#forgetIdle();
		return this.#kinds.size < this.#limits.kinds ? key : OTHERS;
	}

	#begin(key: string): Kind {
		const kind = { credit: this.#limits.burst, at: this.#clock.monotonic(), omitted: 0, example: undefined };
		this.#kinds.set(key, kind);
		return kind;
	}

	#forgetIdle(): void {
		for (const [key, kind] of this.#kinds) {
			this.#refill(kind);
			if (kind.credit >= this.#limits.burst && kind.omitted === 0) this.#kinds.delete(key);
		}
	}

	#refill(kind: Kind): void {
		const now = this.#clock.monotonic();
		const grown = kind.credit + ((now - kind.at) / 1000) * this.#limits.perSecond;
		kind.credit = Math.min(grown, this.#limits.burst);
		kind.at = now;
	}
}

/** What a line says without whom and what it says it of. */
function shapeOf(message: string): string {
	return message
		.slice(0, 200)
		.replaceAll(/"(?:[^"\\]|\\.)*("|$)/g, '"')
		.replaceAll(/\S*\d\S*/g, "#")
		.slice(0, 80);
}

function summaryOf(example: LogLine, omitted: number, time: number): LogLine {
	const { level, service, message } = example;
	return { time, level, service, message: `and ${omitted.toLocaleString("en")} more like this: ${message}` };
}
