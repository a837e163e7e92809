/** Recent log lines. */
import { z } from "zod";
import { Time } from "./common.ts";

export const LogLevel = z.enum(["debug", "info", "warn", "error"]);
export type LogLevel = z.infer<typeof LogLevel>;

export const LogLine = z
	.object({
		id: z.int().min(0).describe("Grows from line to line, over restarts of the server too."),
		time: Time,
		level: LogLevel,
		service: z.string().describe("`dhcp`, `tftp`, `nfs`, `boot`, `http`, `netconsole`, ..."),
		device: z.string().optional().describe("The id of the device that it is about."),
		message: z.string(),
	})
	.meta({ id: "LogLine" });
export type LogLine = z.infer<typeof LogLine>;

/** Of the matching lines the newest `limit` come that are older than `before`, oldest first. */
export const LogQuery = z.strictObject({
	service: z.string().max(64).optional().describe("Only lines of this service."),
	device: z.string().max(64).optional().describe("Only lines about this device."),
	level: LogLevel.default("debug").describe("Only lines of this level and the more serious ones."),
	text: z.string().max(200).optional().describe("Only lines whose message holds this, in any case."),
	before: z.coerce.number().int().min(0).optional().describe("Only lines with a smaller id: the page before."),
	limit: z.coerce.number().int().min(1).max(2000).default(200).describe("At most so many lines, the newest."),
});
export type LogQuery = z.infer<typeof LogQuery>;

export const LogLines = z
	.object({
		lines: z.array(LogLine),
		next: z.int().min(0).nullable().describe("`before` for the page before; null where there is none."),
	})
	.meta({ id: "LogLines" });
export type LogLines = z.infer<typeof LogLines>;
