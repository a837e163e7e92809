/** A task for its test: both sides, as every task has them. */
import { ExternalError } from "./errors.ts";
import { WorkerTask } from "./worker-task.ts";

interface Failure {
	readonly message: string;
}

/** The wish says how it goes. */
export const task = new WorkerTask<string, number, string, Failure>({
	name: "the tried one",
	file: import.meta.url,
	heapMegabytes: 32,
	work: async (wish, onProgress, signal) => {
		for (let step = 0; step < 1000; step++) onProgress(step);
		if (wish === "be broken") throw new ExternalError("EIO", "the disk failed");
		if (wish === "have a bug") throw new TypeError("a thing is undefined");
		if (wish === "end") process.exit();
		if (wish === "wait") await new Promise((resolve) => signal.addEventListener("abort", resolve));
		return `${wish}: ${signal.aborted ? "given up" : "done"}`;
	},
	describe: (error) => (error instanceof ExternalError ? { message: error.message } : undefined),
	revive: ({ message }) => new ExternalError("EIO", `told: ${message}`),
});

await task.serve();
