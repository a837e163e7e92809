/** Lines of the log: which are wanted, and how they are written in a file. */
import type { LogLevel, LogLine } from "@pi-netboot/api";

export interface LineFilter {
	readonly level: LogLevel;
	readonly service: string | null;
	readonly device: string | null;
	readonly text: string;
}

const levels: readonly LogLevel[] = ["debug", "info", "warn", "error"];

/** The lines of this level and the more serious ones, with the other words. */
export function filterLines(lines: readonly LogLine[], { level, service, device, text }: LineFilter): LogLine[] {
	const least = levels.indexOf(level);
	const wanted = text.toLowerCase();
	return lines.filter(
		(line) =>
			levels.indexOf(line.level) >= least &&
			(service === null || line.service === service) &&
			(device === null || line.device === device) &&
			(wanted === "" || line.message.toLowerCase().includes(wanted)),
	);
}

export function lineText({ time, level, service, device, message }: LogLine): string {
	const about = device === undefined ? "" : ` ${device}`;
	return `${new Date(time).toISOString()} ${level} ${service}${about}: ${message}`;
}
