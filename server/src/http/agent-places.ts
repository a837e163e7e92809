/** What the agent of one Pi may ask at the same time: whoever has taken its place gets no more of our memory than it would. */
import type { ServerResponse } from "node:http";
import type { Clock } from "../base/index.ts";
import { ApiError } from "./errors.ts";

/** An agent fetches three chunks of 4 MiB, waits for work, and reports. */
const MOST = 16;
/** Milliseconds after which an answer that nobody takes may be one to a Pi that was switched off. */
const PATIENCE = 60_000;

interface Place {
	readonly response: ServerResponse;
	readonly since: number;
}

export class AgentPlaces {
	readonly #clock: Clock;
	readonly #taken = new Map<number, Set<Place>>();

	constructor(clock: Clock) {
		this.#clock = clock;
	}

	/**
	 * Takes a place, until the work is done and the answer has gone out, or its connection is closed.
	 *
	 * @returns what is to be called when the work is done: its result takes memory also when nobody waits for it any more.
	 * @throws ApiError unavailable.
	 */
	enter(deviceKey: number, response: ServerResponse): () => void {
		const places = this.#taken.get(deviceKey) ?? new Set();
		if (places.size >= MOST) {
			this.#cutOffOld(places);
			throw new ApiError("unavailable", `${MOST} requests of this Pi are not answered yet.`, { hint: "Ask later." });
		}
		const place = { response, since: this.#clock.monotonic() };
		this.#taken.set(deviceKey, places.add(place));
		let missing = 2;
		const over = () => {
			if (--missing > 0) return;
			places.delete(place);
			if (places.size === 0 && this.#taken.get(deviceKey) === places) this.#taken.delete(deviceKey);
		};
		const sent = once(over);
		response.once("finish", sent).once("close", sent);
		return once(over);
	}

	#cutOffOld(places: ReadonlySet<Place>): void {
		const now = this.#clock.monotonic();
		for (const { response, since } of places) if (now - since > PATIENCE) response.req.socket.destroy();
	}
}

function once(action: () => void): () => void {
	let isDone = false;
	return () => {
		if (!isDone) action();
		isDone = true;
	};
}
