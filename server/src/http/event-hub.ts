/** Passes live events from whoever publishes to whoever listens. */
import type { ServerEvent } from "@pi-netboot/api";
import type { EventService } from "./services.ts";

export class EventHub implements EventService {
	readonly #listeners = new Set<(event: ServerEvent) => void>();

	subscribe(listener: (event: ServerEvent) => void): () => void {
		this.#listeners.add(listener);
		return () => void this.#listeners.delete(listener);
	}

	publish(event: ServerEvent): void {
		for (const listener of this.#listeners) listener(event);
	}
}
