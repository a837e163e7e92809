/**
 * Logging. Two questions choose the level: who reads it, and how much is broken.
 * `error`: something does not work and will not by itself. `warn`: something did not work, the rest goes on.
 * `info`: one line per thing that a person did or a Pi reached. `debug`: every packet and call, for us.
 */
import { pino } from "pino";

export type Logger = pino.Logger;

/** A line as the page and the API show it. */
export interface LogLine {
	/** Milliseconds since 1970. */
	time: number;
	level: "debug" | "info" | "warn" | "error";
	/** The component: `dhcp`, `tftp`, `nfs`, `boot`, `http`, ... */
	service: string;
	/** The id of the device that it is about. */
	device?: string;
	message: string;
}

/** A logger that drops everything, for tests and for rooms that were given none. */
export const silentLogger: Logger = pino({ level: "silent" });
