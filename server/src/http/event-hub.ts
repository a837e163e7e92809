/** Passes live events from whoever publishes to whoever listens. */
import type { ServerEvent } from "@pi-netboot/api";
import type { Logger } from "../base/index.ts";
import type { EventService } from "./services.ts";

export class EventHub implements EventService {
	readonly #listeners = new Set<(event: ServerEvent) => void>();
	readonly #log: Logger;

	constructor(log: Logger) {
		this.#log = log;
	}

	subscribe(listener: (event: ServerEvent) => void): () => void {
		this.#listeners.add(listener);
		return () => void this.#listeners.delete(listener);
	}

	/** Never throws: whoever publishes is in the middle of a boot. A listener that fails is told no more. */
	publish(event: ServerEvent): void {
		for (const listener of this.#listeners) {
			try {
				listener(event);
			} catch (error) {
				// First, because the line in the log is an event too.
				this.#listeners.delete(listener);
				this.#log.error({ err: error }, "a listener of live events failed and is told no more");
			}
		}
	}
}
