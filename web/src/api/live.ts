/**
 * One stream of live events for the whole page. It is opened anew where it broke off: the server sends what was missed since,
 * or says that it does not know that any more, and the lists are asked for again. While nobody looks at the page it is closed:
 * browsers open six connections to a server, and people more tabs than that.
 */
import type { ServerEvent } from "@pi-netboot/api";
import type { QueryClient } from "@tanstack/react-query";
import { addressOf } from "./client.ts";
import { isTold, tellCache } from "./news.ts";
import { waitBefore } from "./retry.ts";

export type LiveState = "connecting" | "live" | "away";

const types: readonly ServerEvent["type"][] = ["device", "image", "network", "log", "bystander", "write", "defaults"];

/** Milliseconds. News of many Pis come together: they are shown in one go. */
const GATHER = 120;
/** How often it is looked whether the machine has slept, and what counts as that: what was open then may be dead. */
const LOOK = 10_000;
const SLEPT = 45_000;
/** A tab that somebody only passes by keeps its stream. */
const HIDDEN = 60_000;

export class Live {
	readonly #client: QueryClient;
	readonly #listeners = new Set<() => void>();
	#source: EventSource | undefined;
	#retry: number | undefined;
	/** How often it was tried in vain. */
	#failures = 0;
	/** The id of the last event, from which the server goes on. */
	#lastId = "";
	#lookedAt = Date.now();
	#hide: number | undefined;
	#flush: number | undefined;
	#waiting: ServerEvent[] = [];
	#state: LiveState = "connecting";

	constructor(client: QueryClient) {
		this.#client = client;
	}

	readonly state = (): LiveState => this.#state;

	readonly subscribe = (listener: () => void): (() => void) => {
		this.#listeners.add(listener);
		return () => void this.#listeners.delete(listener);
	};

	start(): void {
		document.addEventListener("visibilitychange", () => this.#seen());
		window.addEventListener("online", () => this.#openAgain());
		window.setInterval(() => this.#lookForSleep(), LOOK);
		this.#open();
		// A tab may be opened behind the others.
		this.#seen();
	}

	/** The server did not answer another question: the stream may be dead, which it does not say by itself. */
	doubt(): void {
		if (this.#source !== undefined) this.#lost();
	}

	#seen(): void {
		window.clearTimeout(this.#hide);
		if (document.visibilityState === "hidden") this.#hide = window.setTimeout(() => this.#close(), HIDDEN);
		else if (this.#source === undefined) this.#open();
	}

	#lookForSleep(): void {
		const now = Date.now();
		const slept = now - this.#lookedAt > SLEPT;
		this.#lookedAt = now;
		if (slept) this.#openAgain();
	}

	#openAgain(): void {
		this.#close();
		if (document.visibilityState !== "hidden") this.#open();
	}

	#open(): void {
		window.clearTimeout(this.#retry);
		const isFirst = this.#lastId === "";
		const source = new EventSource(addressOf("streamEvents") + (isFirst ? "" : `?after=${this.#lastId}`));
		this.#source = source;
		source.addEventListener("open", () => this.#opened(isFirst));
		source.addEventListener("error", () => source === this.#source && this.#lost());
		source.addEventListener("reset", () => this.#reset());
		for (const type of types) source.addEventListener(type, (event) => this.#heard(type, event));
	}

	#close(): void {
		window.clearTimeout(this.#retry);
		this.#source?.close();
		this.#source = undefined;
	}

	/** Whatever happened before the first event is in the lists; later on the events go on where they broke off. */
	#opened(isFirst: boolean): void {
		this.#failures = 0;
		this.#show("live");
		void this.#client.invalidateQueries(
			isFirst ? {} : { predicate: ({ queryKey, state }) => isToBeAsked(queryKey, state.error) },
		);
	}

	#reset(): void {
		this.#lastId = "";
		// Older than what the lists are about to say.
		this.#waiting = [];
		void this.#client.invalidateQueries();
	}

	/** The page tries by itself: a browser does not where the server refused, and keeps the id of the last event to itself. */
	#lost(): void {
		this.#show("away");
		this.#close();
		this.#retry = window.setTimeout(() => this.#open(), waitBefore(this.#failures++));
		// Tells the difference between a server that is gone and a login that has ended.
		void this.#client.invalidateQueries({ queryKey: ["session"] });
	}

	#heard(type: ServerEvent["type"], { data, lastEventId }: MessageEvent<string>): void {
		this.#lastId = lastEventId;
		this.#waiting.push({ type, data: JSON.parse(data) } as ServerEvent);
		this.#flush ??= window.setTimeout(() => this.#tell(), GATHER);
	}

	#tell(): void {
		const events = this.#waiting;
		this.#waiting = [];
		this.#flush = undefined;
		tellCache(this.#client, events);
	}

	#show(state: LiveState): void {
		if (state === this.#state) return;
		this.#state = state;
		for (const listener of this.#listeners) listener();
	}
}

/** What no event tells of, and what could not be had meanwhile. */
function isToBeAsked([list]: readonly unknown[], error: unknown): boolean {
	return error !== null || !isTold(list);
}
