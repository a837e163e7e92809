/**
 * The stored replies of calls that must not be done twice: a ring of rows, the oldest of which is overwritten. Only their
 * keys are in memory.
 */
import type { LayerDatabase } from "./database.ts";

/** Tells a retransmitted call from a new one. */
export interface ReplyKey {
	readonly client: string;
	readonly xid: number;
	readonly procedure: number;
	readonly checksum: number;
}

/** More than a Linux client can have under way, many times over. */
const SLOTS = 2048;

export class Replies {
	readonly #db: LayerDatabase;
	readonly #slots = new Map<string, number>();
	readonly #keys: (string | undefined)[] = new Array<string | undefined>(SLOTS);
	#seq = 0;
	readonly #stored: { slot: number; key: string }[] = [];

	constructor(db: LayerDatabase) {
		this.#db = db;
		for (const { slot, seq, key } of db.replyKeys()) {
			this.#remember(slot, key);
			this.#seq = seq + 1;
		}
	}

	get(key: ReplyKey): Buffer | undefined {
		const slot = this.#slots.get(keyText(key));
		return slot === undefined ? undefined : this.#db.reply(slot);
	}

	put(key: ReplyKey, reply: Uint8Array): void {
		const text = keyText(key);
		const slot = (this.#seq + this.#stored.length) % SLOTS;
		this.#db.putReply(slot, this.#seq + this.#stored.length, text, reply);
		this.#stored.push({ slot, key: text });
	}

	committed(): void {
		for (const { slot, key } of this.#stored) this.#remember(slot, key);
		this.#seq += this.#stored.length;
		this.#stored.length = 0;
	}

	rolledBack(): void {
		this.#stored.length = 0;
	}

	#remember(slot: number, key: string): void {
		const before = this.#keys[slot];
		if (before !== undefined && this.#slots.get(before) === slot) this.#slots.delete(before);
		this.#keys[slot] = key;
		this.#slots.set(key, slot);
	}
}

function keyText({ client, xid, procedure, checksum }: ReplyKey): string {
	return `${xid}/${procedure}/${checksum}/${client}`;
}
