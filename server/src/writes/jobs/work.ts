/** What an agent is given, and what a write waits for that no agent has. */
import type { WriteJob } from "./job.ts";

/** Why nothing is written at the moment. */
export type WriteWait =
	| { readonly for: "image"; readonly percent: number }
	/** @property before how many writes come first. */
	| { readonly for: "turn"; readonly before: number }
	| { readonly for: "device" };

/** What an agent is to do. */
export type AgentWork =
	| {
			readonly kind: "write";
			readonly job: string;
			readonly map: string;
			readonly target: { readonly path: string; readonly size: number; readonly identity: string };
			readonly verify: WriteJob["verify"];
			readonly done: string | null;
	  }
	| { readonly kind: "reboot" };

/** A write as an agent is told of it; null while its image is not prepared. */
export function workOf({ id, map, target, verify, durable }: WriteJob): AgentWork | null {
	if (map === null) return null;
	const { path, size, identity } = target;
	return { kind: "write", job: id, map, target: { path, size, identity }, verify, done: durable };
}
