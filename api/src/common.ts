/** Small values that several parts of the API share. */
import { z } from "zod";

/** Times travel as milliseconds since 1970, as JavaScript and the log lines have them. */
export const Time = z.int().min(0).describe("Milliseconds since 1970-01-01 UTC.");

export const Bytes = z.int().min(0).describe("Bytes.");

export const Ipv4 = z.ipv4().describe("An IPv4 address in dotted form.");

/** How long a page is that `limit` was not said for: lists that fit into one answer come whole. */
export const PageLimit = z.coerce
	.number()
	.int()
	.min(1)
	.max(1000)
	.optional()
	.describe("At most so many; missing = all.");

export const Port = z.int().min(0).max(65535);

/** Something that a person should know, with what to do about it. */
export const Finding = z
	.object({
		code: z.string().describe("Stable; tells findings of one kind."),
		severity: z.enum(["info", "warning", "error"]),
		message: z.string().describe("One sentence."),
		fix: z.string().optional().describe("What to do about it."),
	})
	.meta({ id: "Finding" });
export type Finding = z.infer<typeof Finding>;

/** A sentence of the rule book. */
export const Diagnosis = Finding.extend({
	seen: z.string().describe("What the server saw that says so, as a sentence; empty for what an earlier version said."),
	fix: z.string().describe("What to do about it."),
}).meta({ id: "Diagnosis" });
export type Diagnosis = z.infer<typeof Diagnosis>;
