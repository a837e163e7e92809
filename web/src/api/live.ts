/**
 * One stream of live events for the whole page. While nobody looks at the page it is closed: browsers open six connections
 * to a server, and people more tabs than that.
 */
import type { ServerEvent } from "@pi-netboot/api";
import type { QueryClient } from "@tanstack/react-query";
import { addressOf } from "./client.ts";
import { tellCache } from "./news.ts";

export type LiveState = "connecting" | "live" | "away";

const types: readonly ServerEvent["type"][] = ["device", "image", "network", "log", "bystander", "write"];

/** Milliseconds. News of many Pis come together: they are shown in one go. */
const GATHER = 120;
const RETRY = 2000;
/** A tab that somebody only passes by keeps its stream. */
const HIDDEN = 60_000;

export class Live {
	readonly #client: QueryClient;
	readonly #listeners = new Set<() => void>();
	#source: EventSource | undefined;
	#retry: number | undefined;
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
		document.addEventListener("visibilitychange", () => this.#look());
		this.#open();
	}

	#look(): void {
		window.clearTimeout(this.#hide);
		if (document.visibilityState === "hidden") this.#hide = window.setTimeout(() => this.#close(), HIDDEN);
		else if (this.#source === undefined) this.#open();
	}

	#open(): void {
		window.clearTimeout(this.#retry);
		const source = new EventSource(addressOf("streamEvents"));
		this.#source = source;
		source.addEventListener("open", () => this.#opened());
		source.addEventListener("error", () => this.#failed(source));
		source.addEventListener("reset", () => void this.#client.invalidateQueries());
		for (const type of types) source.addEventListener(type, (event) => this.#heard(type, event.data));
	}

	#close(): void {
		window.clearTimeout(this.#retry);
		this.#source?.close();
		this.#source = undefined;
	}

	/** Whatever happened before is in the lists. */
	#opened(): void {
		this.#show("live");
		void this.#client.invalidateQueries();
	}

	/** A stream that the server refused is not tried again by the browser. */
	#failed(source: EventSource): void {
		if (source !== this.#source) return;
		this.#show("away");
		this.#close();
		this.#retry = window.setTimeout(() => this.#open(), RETRY);
		// Tells the difference between a server that is gone and a login that has ended.
		void this.#client.invalidateQueries({ queryKey: ["session"] });
	}

	#heard(type: ServerEvent["type"], data: string): void {
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
