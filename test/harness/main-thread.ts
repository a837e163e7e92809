/** What the main thread of a page computed, from a trace of Chromium. */
import { z } from "zod";

/** The categories of a trace that has the tasks of each thread. */
export const TRACED = ["toplevel", "devtools.timeline", "disabled-by-default-devtools.timeline"];

/** Milliseconds. */
export interface Task {
	/** By the clock: also while the thread had to wait for a processor. */
	readonly wall: number;
	/** What the thread itself computed. */
	readonly computed: number;
}

/** Trace Event Format: times in microseconds, `t` for those of the thread alone. */
const schema = z.object({
	traceEvents: z.array(
		z.looseObject({
			...{ name: z.string(), ph: z.string(), pid: z.number(), tid: z.number() },
			...{ dur: z.number().optional(), tdur: z.number().optional() },
			args: z.looseObject({ name: z.unknown().optional() }).optional(),
		}),
	),
});

/** @param trace as `browser.stopTracing()` gives it, of a browser with one page. */
export function mainThreadTasks(trace: Buffer): Task[] {
	const { traceEvents } = schema.parse(JSON.parse(trace.toString()));
	const mains = new Set(
		traceEvents
			.filter(({ name, args }) => name === "thread_name" && args?.name === "CrRendererMain")
			.map(({ pid, tid }) => `${pid}/${tid}`),
	);
	return traceEvents
		.filter(({ name, ph, pid, tid }) => name === "RunTask" && ph === "X" && mains.has(`${pid}/${tid}`))
		.map(({ dur = 0, tdur = 0 }) => ({ wall: dur / 1000, computed: tdur / 1000 }));
}
