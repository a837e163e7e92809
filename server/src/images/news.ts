/** Telling of the images: each change once. */
import type { EventEmitter } from "node:events";
import type { ImageEntry } from "./entry.ts";
import type { ImageEvents } from "./library-options.ts";

export class ImageNews {
	readonly #events: EventEmitter<ImageEvents>;
	/** What was last told of each image. */
	readonly #told = new Map<string, string>();

	constructor(events: EventEmitter<ImageEvents>) {
		this.#events = events;
	}

	/** Tells of what is different since it was last told. */
	tell(entry: ImageEntry): void {
		const { id } = entry.record;
		const view = entry.view();
		const before = this.#told.get(id);
		if (!entry.isListed) {
			if (this.#told.delete(id)) this.#events.emit("removed", view);
			return;
		}
		const now = JSON.stringify(view);
		this.#told.set(id, now);
		if (before === undefined) this.#events.emit("added", view);
		else if (before !== now) this.#events.emit("changed", view);
	}

	clear(): void {
		this.#told.clear();
	}
}
