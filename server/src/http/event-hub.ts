/**
 * Passes live events from whoever publishes to whoever listens, and remembers the last ones for those who come back after
 * their connection broke.
 */
import { randomBytes } from "node:crypto";
import type { ServerEvent } from "@pi-netboot/api";
import type { Logger } from "../base/index.ts";
import type { EventService, SentEvent } from "./services.ts";

/** What is remembered: less than may wait for one who reads slowly, since it is sent at once. */
const EVENTS_KEPT = 1000;
const CHARACTERS_KEPT = 256 * 1024;

export class EventHub implements EventService {
	readonly #listeners = new Set<(event: ServerEvent, sent: SentEvent) => void>();
	readonly #log: Logger;
	/** Ids of another run of the server mean nothing to this one. */
	readonly #run = randomBytes(4).toString("hex");
	readonly #kept: SentEvent[] = [];
	#characters = 0;
	/** Of the last event. */
	#number = 0;

	constructor(log: Logger) {
		this.#log = log;
	}

	get lastId(): string {
		return this.#idOf(this.#number);
	}

	#idOf(number: number): string {
		return `${this.#run}-${number}`;
	}

	subscribe(listener: (event: ServerEvent, sent: SentEvent) => void): () => void {
		this.#listeners.add(listener);
		return () => void this.#listeners.delete(listener);
	}

	since(id: string): readonly SentEvent[] | undefined {
		const [, run, number] = /^([0-9a-f]{8})-(\d{1,15})$/.exec(id) ?? [];
		const missed = this.#number - Number(number);
		if (run !== this.#run || missed < 0 || missed > this.#kept.length) return undefined;
		return missed === 0 ? [] : this.#kept.slice(-missed);
	}

	/** Never throws: whoever publishes is in the middle of a boot. A listener that fails is told no more. */
	publish(event: ServerEvent): void {
		const sent = this.#keep(event);
		for (const listener of this.#listeners) {
			try {
				listener(event, sent);
			} catch (error) {
				// First, because the line in the log is an event too.
				this.#listeners.delete(listener);
				this.#log.error({ err: error }, "a listener of live events failed and is told no more");
			}
		}
	}

	#keep({ type, data }: ServerEvent): SentEvent {
		const sent = { id: this.#idOf(++this.#number), type, json: JSON.stringify(data) };
		this.#kept.push(sent);
		this.#characters += sent.json.length;
		while (this.#kept.length > EVENTS_KEPT || this.#characters > CHARACTERS_KEPT) {
			this.#characters -= this.#kept.shift()?.json.length ?? 0;
		}
		return sent;
	}
}
