/** What the page is told live of the writes and of the agents. */
import type { Clock, Timer } from "../base/index.ts";
import type { DeviceRegistry } from "../devices/index.ts";
import type { EventHub } from "../http/index.ts";
import type { AgentBook, WriteJob, WriteJobs } from "../writes/index.ts";
import type { DeviceAnswers } from "./device-service.ts";
import type { WriteAnswers } from "./write-service.ts";

export interface WriteEventSources {
	readonly hub: EventHub;
	readonly jobs: WriteJobs;
	readonly agents: AgentBook;
	readonly writes: WriteAnswers;
	readonly registry: DeviceRegistry;
	readonly devices: DeviceAnswers;
	readonly clock: Clock;
}

/**
 * A fast disk reports many times a second; who watches wants to see it move, no more. Nor shall an agent that says another thing
 * of its Pi each moment, with all that is in it, fill the pages.
 */
const PAUSE_MS = 400;

interface Told {
	readonly at: number;
	/** What is worth telling at once when it is another. */
	readonly state: string;
}

/** After a device was told of. */
interface Pause {
	readonly timer: Timer;
	/** It has changed since. */
	isNews: boolean;
}

/** Passes on what happens, until the function that it gives is called. */
export function publishWrites(sources: WriteEventSources): () => void {
	const { hub, jobs, agents, writes, registry, devices, clock } = sources;
	const told = new Map<string, Told>();
	const showWrite = (job: WriteJob) => {
		const write = writes.show(job);
		const state = [write.stage, write.waiting?.message, write.cancelling].join();
		const last = told.get(job.id);
		const now = clock.monotonic();
		if (last?.state === state && now - last.at < PAUSE_MS) return;
		if (job.endedAt === null) told.set(job.id, { at: now, state });
		else told.delete(job.id);
		hub.publish({ type: "write", data: { id: job.id, write } });
	};
	const tellDevice = (deviceKey: number) => {
		const device = registry.byKey(deviceKey);
		if (device !== undefined) hub.publish({ type: "device", data: { id: device.id, device: devices.show(device) } });
	};
	const pauses = new Map<number, Pause>();
	const showDevice = ({ deviceKey }: { readonly deviceKey: number }) => {
		const before = pauses.get(deviceKey);
		if (before !== undefined) {
			before.isNews = true;
			return;
		}
		tellDevice(deviceKey);
		const end = () => {
			pauses.delete(deviceKey);
			if (pause.isNews) showDevice({ deviceKey });
		};
		const pause: Pause = { isNews: false, timer: clock.after(PAUSE_MS, end) };
		pauses.set(deviceKey, pause);
	};
	jobs.on("changed", showWrite);
	agents.on("changed", showDevice);
	return () => {
		jobs.off("changed", showWrite);
		agents.off("changed", showDevice);
		for (const { timer } of pauses.values()) timer.cancel();
	};
}
