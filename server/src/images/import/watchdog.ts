import { ImportError } from "./import-error.ts";

/** Milliseconds without a byte after which a connection counts as dead. */
export const STALL_MS = 30_000;

/** Ends a connection on which nothing comes, or whose owner has given up. */
export class Watchdog {
	readonly #giveUp = new AbortController();
	readonly #owner: AbortSignal | undefined;
	readonly #timer: NodeJS.Timeout;
	readonly #cancel: () => void;

	constructor(url: URL, owner: AbortSignal | undefined, stallMs: number) {
		this.#owner = owner;
		this.#cancel = () => this.#giveUp.abort(owner?.reason);
		if (owner?.aborted) this.#cancel();
		owner?.addEventListener("abort", this.#cancel, { once: true });
		this.#timer = setTimeout(() => this.#giveUp.abort(stalled(url, stallMs)), stallMs);
	}

	get signal(): AbortSignal {
		return this.#giveUp.signal;
	}

	feed(): void {
		this.#timer.refresh();
	}

	stop(): void {
		clearTimeout(this.#timer);
		this.#owner?.removeEventListener("abort", this.#cancel);
	}
}

function stalled(url: URL, milliseconds: number): ImportError {
	const message = `${url.host} has sent nothing for ${Math.round(milliseconds / 1000)} seconds.`;
	return new ImportError("download-stalled", message, { hint: "Start it again later.", retry: true });
}
