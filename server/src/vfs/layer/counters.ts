/**
 * The numbers and times that a layer never gives twice: inode numbers, cookies, mtime and ctime. Each is reserved in the
 * database some way ahead, so that most changes need no row for it; after a restart counting goes on behind what was
 * reserved.
 */
import { type Clock, FileError, type FileTime } from "../../base/index.ts";
import { StrictTime } from "../times.ts";
import type { LayerDatabase } from "./database.ts";

/** fileids and cookies stay below 2^31: 32-bit programs on the Pi get EOVERFLOW for larger ones. */
const NUMBER_LIMIT = 0x7fff_ffff;

/** The first cookie of an entry made in a layer; the base and its patches have those below. */
export const FIRST_LAYER_COOKIE = 0x5000_0000;

const NUMBERS_AHEAD = 1024;
const SECONDS_AHEAD = 1;

class Counter {
	readonly #db: LayerDatabase;
	readonly #name: string;
	#next: number;
	#reserved: number;

	constructor(db: LayerDatabase, name: string, first: number) {
		this.#db = db;
		this.#name = name;
		this.#next = Number(db.meta(name) ?? first);
		this.#reserved = this.#next;
	}

	next(): number {
		if (this.#next >= NUMBER_LIMIT) throw new FileError("ENOSPC", `the layer ran out of ${this.#name} numbers`);
		if (this.#next >= this.#reserved) {
			this.#reserved = this.#next + NUMBERS_AHEAD;
			this.#db.setMeta(this.#name, this.#reserved);
		}
		return this.#next++;
	}

	/** What was reserved in a transaction that was rolled back is not; the numbers given there are lost. */
	rolledBack(): void {
		this.#reserved = Math.min(this.#reserved, Number(this.#db.meta(this.#name) ?? 0));
	}

	get given(): number {
		return this.#next;
	}
}

export class Counters {
	readonly #db: LayerDatabase;
	readonly #ino: Counter;
	readonly #cookie: Counter;
	readonly #time: StrictTime;
	#reservedSec: number;

	/** @param firstIno above all that the bases may use. */
	constructor(db: LayerDatabase, clock: Clock, firstIno: number) {
		this.#db = db;
		this.#ino = new Counter(db, "ino", firstIno);
		this.#cookie = new Counter(db, "cookie", FIRST_LAYER_COOKIE);
		this.#reservedSec = Number(db.meta("time") ?? 0);
		this.#time = new StrictTime(clock, { sec: this.#reservedSec, nsec: 0 });
	}

	nextIno(): number {
		return this.#ino.next();
	}

	nextCookie(): number {
		return this.#cookie.next();
	}

	/** Inode numbers that are left. */
	get freeInos(): number {
		return NUMBER_LIMIT - this.#ino.given;
	}

	/** A time for a change, later than all before. */
	nextTime(): FileTime {
		const time = this.#time.next();
		if (time.sec >= this.#reservedSec) {
			this.#reservedSec = time.sec + SECONDS_AHEAD;
			this.#db.setMeta("time", this.#reservedSec);
		}
		return time;
	}

	rolledBack(): void {
		this.#ino.rolledBack();
		this.#cookie.rolledBack();
		this.#reservedSec = Number(this.#db.meta("time") ?? 0);
	}
}
