/** What the layer knows about the names of one directory, in memory while the directory is in use. */
import type { DirectoryEntry } from "../../base/index.ts";
import type { EntryRow } from "./rows.ts";

export class DirectoryRows {
	readonly #rows = new Map<string, EntryRow>();
	/** Those with a cookie of their own, in the order of the cookies; may hold some that are gone. */
	#ordered: EntryRow[] = [];
	#gone = 0;
	#live = 0;

	constructor(rows: Iterable<EntryRow>) {
		for (const row of rows) this.#insert(row);
		this.#ordered.sort((a, b) => a.cookie - b.cookie);
	}

	/** Rows, hidden ones included. */
	get size(): number {
		return this.#rows.size;
	}

	/** Entries that are shown. */
	get live(): number {
		return this.#live;
	}

	get(key: string): EntryRow | undefined {
		return this.#rows.get(key);
	}

	/** A cookie of its own must be higher than all that this directory ever had. */
	put(row: EntryRow): void {
		this.delete(row.key);
		this.#insert(row);
	}

	/** Another file behind the same name and cookie. */
	replace(row: EntryRow, name: string, ino: number): void {
		row.name = name;
		row.ino = ino;
	}

	delete(key: string): void {
		const row = this.#rows.get(key);
		if (row === undefined) return;
		this.#rows.delete(key);
		if (row.ino === 0) return;
		this.#live--;
		if (row.cookie === 0) return;
		row.ino = 0;
		this.#gone++;
		if (this.#gone > 64 && this.#gone > this.#ordered.length / 2) this.#compact();
	}

	/** Gives the entries with cookies of their own behind `cookie`; true when there are no more. */
	forEachBehind(cookie: number, visit: (entry: DirectoryEntry) => boolean): boolean {
		for (let index = this.#indexBehind(cookie); index < this.#ordered.length; index++) {
			const row = this.#ordered[index];
			if (row === undefined || row.ino === 0) continue;
			if (!visit({ name: row.name, ino: row.ino, cookie: row.cookie })) return false;
		}
		return true;
	}

	#insert(row: EntryRow): void {
		this.#rows.set(row.key, row);
		if (row.ino === 0) return;
		this.#live++;
		if (row.cookie !== 0) this.#ordered.push(row);
	}

	#compact(): void {
		this.#ordered = this.#ordered.filter((row) => row.ino !== 0);
		this.#gone = 0;
	}

	#indexBehind(cookie: number): number {
		let low = 0;
		let high = this.#ordered.length;
		while (low < high) {
			const middle = (low + high) >>> 1;
			if ((this.#ordered[middle]?.cookie ?? 0) <= cookie) low = middle + 1;
			else high = middle;
		}
		return low;
	}
}
