/**
 * Keeps room for a layer on the host's disk: moves the WAL into the database before it grows large, and holds a reserve
 * for the day the disk is full.
 */
import { type Clock, errorText, type Logger } from "../../base/index.ts";
import { checkpoint } from "./checkpointer.ts";
import type { LayerDatabase } from "./database.ts";
import { type HostSpace, hostSpace } from "./host-space.ts";
import { Reserve } from "./reserve.ts";
import { isDatabaseFull } from "./system-errors.ts";

const MIB = 1024 * 1024;

/** Bytes of the WAL that are not in the database yet, from which on there is a checkpoint. */
const CHECKPOINT_AT = 16 * MIB;

/** A checkpoint may need as much again for the database, so with little left there is one earlier. */
const CHECKPOINT_AT_SCARCE = MIB / 2;
const SCARCE = 64 * MIB;

/** Bytes of a WAL that has to begin anew, for which the writer waits. */
const RESTART_AT = 64 * MIB;

/** How many transactions go by between two looks at the WAL. */
const COMMITS_PER_LOOK = 16;

/** Milliseconds for which what the host said about its disk is believed. */
const SPACE_AGE = 1000;

/** How often the size of the rows is taken for what it was. */
const ROWS_ASKED = 256;

export interface HousekeepingOptions {
	/** As in `LayerOptions`. */
	readonly path: string;
	readonly db: LayerDatabase;
	readonly clock: Clock;
	readonly log: Logger;
}

export class Housekeeping {
	readonly #path: string;
	readonly #db: LayerDatabase;
	readonly #clock: Clock;
	readonly #log: Logger;
	readonly #reserve: Reserve;
	#isCheckpointing = false;
	#commits = 0;
	#rows: { readonly at: number; asked: number; readonly bytes: number } | undefined;
	#space: { readonly at: number; readonly value: HostSpace } | undefined;

	constructor({ path, db, clock, log }: HousekeepingOptions) {
		this.#path = path;
		this.#db = db;
		this.#clock = clock;
		this.#log = log;
		this.#reserve = new Reserve(`${path}.reserve`);
	}

	/** The disk is full, and what was held back for that is given away: only what makes room is to be done. */
	get isFull(): boolean {
		return !this.#reserve.isHeld;
	}

	/** What the host's disk has; at most a second old. */
	get space(): HostSpace {
		const now = this.#clock.monotonic();
		if (this.#space === undefined || now - this.#space.at > SPACE_AGE) {
			this.#space = { at: now, value: hostSpace(this.#path) };
		}
		return this.#space.value;
	}

	/** Bytes that the rows take; at most a second and 256 questions old, one for each name that is made. */
	get databaseBytes(): number {
		const now = this.#clock.monotonic();
		if (this.#rows === undefined || now - this.#rows.at > SPACE_AGE || this.#rows.asked >= ROWS_ASKED) {
			this.#rows = { at: now, asked: 0, bytes: this.#db.usedBytes() };
		}
		this.#rows.asked++;
		return this.#rows.bytes;
	}

	/** A transaction was written to the WAL. */
	committed(): void {
		this.#commits++;
		if (this.#commits % COMMITS_PER_LOOK === 0) this.#look();
	}

	/** A round of syncing is done; blocks may have been given back to the host. */
	synced(): void {
		if (!this.isFull) return;
		this.#reserve.restore();
		this.#look();
	}

	/** Gives the reserve away. False when that was done before. */
	makeRoom(): boolean {
		if (!this.#reserve.release()) return false;
		this.#log.warn(`the disk of ${this.#path} is full: only what makes room is done`);
		this.#checkpointNow();
		return true;
	}

	#look(): void {
		const { total, left } = this.#db.walBytes();
		const isScarce = this.isFull || this.space.available < SCARCE;
		if (left < (isScarce ? CHECKPOINT_AT_SCARCE : CHECKPOINT_AT)) return;
		if (this.isFull) this.#checkpointNow();
		else this.#checkpoint(total > RESTART_AT);
	}

	#checkpoint(restart: boolean): void {
		if (this.#isCheckpointing) return;
		this.#isCheckpointing = true;
		checkpoint(`${this.#path}.db`, restart)
			.catch((error: unknown) => this.#log.warn(errorText(error)))
			.finally(() => {
				this.#isCheckpointing = false;
			});
	}

	/** On the event loop, because on a full disk the next transaction may need the room that this makes. */
	#checkpointNow(): void {
		try {
			this.#db.checkpoint();
		} catch (error) {
			if (!isDatabaseFull(error)) throw error;
			this.#log.warn(`checkpoint of ${this.#path}: ${errorText(error)}`);
		}
	}
}
