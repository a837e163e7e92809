/** The last log lines, for the page and the API. */
import type { LogLevel, LogLine, LogQuery } from "@pi-netboot/api";
import type { LogLine as NewLine } from "../base/index.ts";
import type { LogService } from "./services.ts";

const severity: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

/** No server writes so many lines in a millisecond, so that the ids of a later run are larger. */
const LINES_PER_MILLISECOND = 1000;

export class LogRing implements LogService {
	readonly #capacity: number;
	readonly #lines: LogLine[] = [];
	#next = 0;
	#id = Date.now() * LINES_PER_MILLISECOND;

	/** @param capacity lines that are kept. */
	constructor(capacity = 2000) {
		this.#capacity = capacity;
	}

	/** Gives the line its id. */
	add(line: NewLine): LogLine {
		const numbered = { ...line, id: ++this.#id };
		this.#lines[this.#next] = numbered;
		this.#next = (this.#next + 1) % this.#capacity;
		return numbered;
	}

	recent(query: LogQuery): LogLine[] {
		const inOrder = [...this.#lines.slice(this.#next), ...this.#lines.slice(0, this.#next)];
		return inOrder.filter((line) => matches(line, query)).slice(-query.limit);
	}
}

function matches(line: LogLine, { service, device, level, text, before }: LogQuery): boolean {
	if (severity[line.level] < severity[level]) return false;
	if (before !== undefined && line.id >= before) return false;
	if (text !== undefined && !line.message.toLowerCase().includes(text.toLowerCase())) return false;
	return (service === undefined || line.service === service) && (device === undefined || line.device === device);
}
