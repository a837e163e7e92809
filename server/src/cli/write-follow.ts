/** Watches writes until they are over, over restarts of the server. */
import type { Write } from "@pi-netboot/api";
import { type ClientOptions, call } from "./client.ts";
import { CommandError, exitCodes } from "./command-error.ts";
import { ProgressBar } from "./progress-bar.ts";
import type { Terminal } from "./terminal.ts";
import { progressText } from "./write-text.ts";

const PAUSE_MS = 500;
/** Questions in a row without an answer: about ten minutes. */
const PATIENCE = 1200;

/** Gives them as they ended. @throws CommandError when the person does not want to wait, or the server is gone. */
export async function followWrites(
	client: ClientOptions,
	writes: readonly Write[],
	terminal: Terminal,
): Promise<Write[]> {
	const bar = new ProgressBar(terminal);
	const interrupted = terminal.interrupted?.() ?? { signal: new AbortController().signal, forget: () => undefined };
	try {
		let now = writes;
		for (let silent = 0; now.some(({ endedAt }) => endedAt === null); ) {
			show(now, bar, silent > 0);
			await pause(interrupted.signal);
			if (interrupted.signal.aborted) throw leftRunning(now);
			const asked = await look(client, now);
			silent = asked === undefined ? silent + 1 : 0;
			if (silent > PATIENCE) throw new CommandError(exitCodes.notReachable, "the server does not answer any more");
			now = asked ?? now;
		}
		return [...now];
	} finally {
		interrupted.forget();
		bar.end();
	}
}

/** @returns undefined while the server does not answer. */
async function look(client: ClientOptions, writes: readonly Write[]): Promise<Write[] | undefined> {
	try {
		const { id } = writes.length === 1 ? (writes[0] ?? { id: "" }) : { id: "" };
		if (id !== "") return [await call(client, "getWrite", { params: { id } })];
		const { writes: all } = await call(client, "listWrites", { query: { limit: 1000 } });
		return writes.map((write) => all.find((other) => other.id === write.id) ?? write);
	} catch (error) {
		if (error instanceof CommandError && error.exitCode === exitCodes.notReachable) return undefined;
		throw error;
	}
}

function show(writes: readonly Write[], bar: ProgressBar, isSilent: boolean): void {
	const sum = writes.reduce((total, { percent }) => total + percent, 0);
	const percent = Math.floor(sum / writes.length);
	const [first] = writes;
	if (isSilent) bar.show("the server does not answer; waiting for it", percent);
	else if (writes.length === 1 && first !== undefined) bar.show(progressText(first), percent);
	else bar.show(`${writes.filter(({ endedAt }) => endedAt !== null).length} of ${writes.length} are over`, percent);
}

function pause(signal: AbortSignal): Promise<void> {
	if (signal.aborted) return Promise.resolve();
	return new Promise((resolve) => {
		const end = () => {
			clearTimeout(timer);
			signal.removeEventListener("abort", end);
			resolve();
		};
		const timer = setTimeout(end, PAUSE_MS);
		signal.addEventListener("abort", end, { once: true });
	});
}

function leftRunning(writes: readonly Write[]): CommandError {
	const open = writes.filter(({ endedAt }) => endedAt === null);
	const hint = open.map(({ id }) => `pi-netboot write --cancel ${id}`).join("\n");
	const what = open.length === 1 ? "the write goes on" : `${open.length} writes go on`;
	return new CommandError(exitCodes.failed, `${what} without you. To stop:`, { hint });
}
