/**
 * A file of real bytes beside the database that is given back to the host when its disk is full: removing a file needs room
 * for the rows that say so, and a full disk must not stop anybody from making room.
 */
import { closeSync, fstatSync, openSync, rmSync, writeSync } from "node:fs";
import { systemCode } from "../../base/index.ts";
import { hostSpace } from "./host-space.ts";
import { sizeOf } from "./layer-files.ts";

/** Bytes: room for a checkpoint of what the WAL holds when space is scarce, and for as much again. */
const RESERVE_BYTES = 2 * 1024 * 1024;

export class Reserve {
	readonly #path: string;
	#isHeld: boolean;

	constructor(path: string) {
		this.#path = path;
		this.#isHeld = sizeOf(path) >= RESERVE_BYTES || this.#take();
	}

	/** While it is not there, only what makes room is done. */
	get isHeld(): boolean {
		return this.#isHeld;
	}

	/** Gives the room back; false when there was none. */
	release(): boolean {
		if (!this.#isHeld) return false;
		rmSync(this.#path, { force: true });
		this.#isHeld = false;
		return true;
	}

	/** Takes the room again when the host has more than enough. */
	restore(): void {
		if (!this.#isHeld && hostSpace(this.#path).available > 2 * RESERVE_BYTES) this.#isHeld = this.#take();
	}

	#take(): boolean {
		const fd = openSync(this.#path, "w", 0o600);
		try {
			// Not zeros: a file system may store those as a hole.
			const bytes = Buffer.alloc(64 * 1024, "reserve ");
			while (fstatSync(fd).size < RESERVE_BYTES) writeSync(fd, bytes);
			return true;
		} catch (error) {
			if (systemCode(error) !== "ENOSPC" && systemCode(error) !== "EDQUOT") throw error;
			rmSync(this.#path, { force: true });
			return false;
		} finally {
			closeSync(fd);
		}
	}
}
