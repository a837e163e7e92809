/** How the page is told of what happens: now and then where much does, and without harm to whoever tells of it. */
import type { Logger } from "../base/index.ts";

const TOLD_AT_ONCE = 64;
const TELL_MS = 1000;

/** Tells of each thing once in a while, and of no more than a few: who makes up machines shall not fill the pages. */
export class Collected<T> {
	readonly #tell: (thing: T) => void;
	readonly #waiting = new Map<string, T>();
	#timer: NodeJS.Timeout | undefined;

	constructor(tell: (thing: T) => void) {
		this.#tell = tell;
	}

	add(key: string, thing: T): void {
		if (this.#waiting.size < TOLD_AT_ONCE) this.#waiting.set(key, thing);
		this.#timer ??= setTimeout(() => this.#flush(), TELL_MS).unref();
	}

	stop(): void {
		clearTimeout(this.#timer);
	}

	#flush(): void {
		this.#timer = undefined;
		for (const thing of this.#waiting.values()) this.#tell(thing);
		this.#waiting.clear();
	}
}

/** What fails while it is told of stays here: whoever tells of it is in the middle of a boot. */
export function guarded<T>(log: Logger, tell: (what: T) => void): (what: T) => void {
	return (what) => {
		try {
			tell(what);
		} catch (error) {
			log.error({ err: error }, "the page was not told of a change");
		}
	};
}
