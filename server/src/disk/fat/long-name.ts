/**
 * Long names: up to 20 entries before the 8.3 one, the last part first.
 *
 *     LDIR_Ord (1.. with 0x40 on the first that is met), 5 characters, LDIR_Attr 0x0f, type 0, checksum, 6, 0, 2
 *
 * Characters are UTF-16; a shorter name ends with 0 and is filled with 0xffff.
 */
import { shortNameChecksum } from "./names.ts";

const LAST = 0x40;
const MAX_PARTS = 20;
const CHARACTERS = [
	[1, 11],
	[14, 26],
	[28, 32],
] as const;

/** Puts a long name together as its entries come by. */
export class LongName {
	readonly #parts: string[] = [];
	/** The order number that must come next; 0: the name is whole. */
	#next = 0;
	#checksum = 0;

	/** An entry of a long name. One that is out of order starts over, as if there were no long name. */
	add(entry: Buffer): void {
		const order = entry.readUInt8(0);
		const number = order & (LAST - 1);
		const checksum = entry.readUInt8(13);
		if (order & LAST) this.#begin(number, checksum);
		if (this.#next === 0 || number !== this.#next || checksum !== this.#checksum) {
			this.reset();
			return;
		}
		this.#parts.unshift(characters(entry));
		this.#next--;
	}

	#begin(number: number, checksum: number): void {
		this.#parts.length = 0;
		this.#next = number <= MAX_PARTS ? number : 0;
		this.#checksum = checksum;
	}

	reset(): void {
		this.#parts.length = 0;
		this.#next = 0;
	}

	/** The name that belongs to this 8.3 entry, or undefined when there is none that is whole. Starts over. */
	take(entry: Buffer): string | undefined {
		const whole = this.#next === 0 && this.#parts.length > 0 && this.#checksum === shortNameChecksum(entry);
		const name = whole ? this.#parts.join("").replace(/\0.*$/s, "") : undefined;
		this.reset();
		return name;
	}
}

function characters(entry: Buffer): string {
	return CHARACTERS.map(([from, to]) => entry.toString("utf16le", from, to)).join("");
}
