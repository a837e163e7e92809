/** The boot files that a Pi asked for in one attempt, and what it got of each. Times are milliseconds since 1970. */
import type { Fact, TransferOutcome } from "./facts.ts";

/** More names than a firmware asks for in one boot; a client that asks for more is not believed. */
export const NAMES_MAX = 96;
/** Characters that are kept of a name: a request may hold hundreds. */
const NAME_LENGTH_MAX = 200;

export interface AskedFile {
	/** Without the serial. */
	readonly path: string;
	/** The best that it was told: a name can be missing under the serial and there without it. */
	readonly answer: "found" | "missing" | "refused";
	/** How its last transfer ended; undefined while none has. */
	readonly outcome: TransferOutcome | undefined;
	/** Acknowledged, in all of its transfers. */
	readonly bytes: number;
	/** Undefined until a transfer ended. */
	readonly size: number | undefined;
	/** How often it was asked for. */
	readonly times: number;
	readonly firstAt: number;
	/** When its last transfer ended. */
	readonly endedAt: number | undefined;
}

const RANK = { missing: 0, refused: 1, found: 2 } as const;

/** In the order in which they were first asked for. */
export class AskedFiles {
	readonly #byName: Map<string, AskedFile>;

	/** @param known of an attempt that was under way when the server was stopped. */
	constructor(known: readonly AskedFile[] = []) {
		this.#byName = new Map(known.map((file) => [file.path, file]));
	}

	opened(path: string, answer: AskedFile["answer"], now: number): void {
		const name = path.slice(0, NAME_LENGTH_MAX);
		const known = this.#byName.get(name);
		if (known !== undefined) {
			const best = RANK[answer] > RANK[known.answer] ? answer : known.answer;
			this.#byName.set(name, { ...known, answer: best, times: known.times + 1 });
		} else if (this.#byName.size < NAMES_MAX) {
			const nothing = { outcome: undefined, bytes: 0, size: undefined, endedAt: undefined };
			this.#byName.set(name, { path: name, answer, ...nothing, times: 1, firstAt: now });
		}
	}

	/** What was never opened, or one too many, is not kept. */
	ended({ path, outcome, bytes, size }: Extract<Fact, { kind: "tftp-end" }>, now: number): void {
		const name = path.slice(0, NAME_LENGTH_MAX);
		const known = this.#byName.get(name);
		// A firmware that only asks for the size of what it has already does not make it half sent.
		const isSettled = outcome === "probe" && known?.outcome === "complete";
		if (known === undefined || isSettled) return;
		this.#byName.set(name, { ...known, outcome, bytes: known.bytes + bytes, size, endedAt: now });
	}

	list(): AskedFile[] {
		return [...this.#byName.values()];
	}
}
