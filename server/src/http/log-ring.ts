/** The last log lines, for the page and the API. */
import type { LogLevel, LogQuery } from "@pi-netboot/api";
import type { LogLine } from "../base/index.ts";
import type { LogService } from "./services.ts";

const severity: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

export class LogRing implements LogService {
	readonly #capacity: number;
	readonly #lines: LogLine[] = [];
	#next = 0;

	/** @param capacity lines that are kept. */
	constructor(capacity = 2000) {
		this.#capacity = capacity;
	}

	add(line: LogLine): void {
		this.#lines[this.#next] = line;
		this.#next = (this.#next + 1) % this.#capacity;
	}

	recent(query: LogQuery): LogLine[] {
		const inOrder = [...this.#lines.slice(this.#next), ...this.#lines.slice(0, this.#next)];
		return inOrder.filter((line) => matches(line, query)).slice(-query.limit);
	}
}

function matches(line: LogLine, { service, device, level }: LogQuery): boolean {
	if (severity[line.level] < severity[level]) return false;
	return (service === undefined || line.service === service) && (device === undefined || line.device === device);
}
