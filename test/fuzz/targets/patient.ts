/**
 * Disk images with parts of them changed. An input does not hold an image but says what is changed in one that the real
 * tools have made: its first byte chooses the image, then each nine bytes are one change.
 *
 *     block(2) offset(2) operation(1) value(4)      block counts those of the image that are worth a change
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkRange } from "../../../server/src/disk/block/source.ts";
import type { BlockSource } from "../../../server/src/disk/index.ts";
import { number } from "../mutate.ts";
import type { Random } from "../random.ts";
import type { FuzzTarget } from "../target.ts";

const CHANGE_BYTES = 9;
const MAX_CHANGES = 40;

/** An image in memory that can be changed and is whole again afterwards. */
export class Patient {
	readonly #bytes: Buffer;
	readonly #blockSize: number;
	/** Numbers of the blocks that are changed. */
	readonly #blocks: readonly number[];
	readonly #undo: { at: number; had: Buffer }[] = [];
	#size: number;

	/** @param isMetadata says which blocks are worth a change. */
	constructor(bytes: Buffer, blockSize: number, isMetadata: (block: Buffer, number: number) => boolean) {
		this.#bytes = bytes;
		this.#blockSize = blockSize;
		this.#size = bytes.length;
		const numbers = Array.from({ length: Math.floor(bytes.length / blockSize) }, (_, each) => each);
		this.#blocks = numbers.filter((each) => isMetadata(bytes.subarray(each * blockSize, (each + 1) * blockSize), each));
	}

	get blockCount(): number {
		return this.#blocks.length;
	}

	get blockSize(): number {
		return this.#blockSize;
	}

	#block(index: number): number {
		return this.#blocks[index % this.#blocks.length] ?? 0;
	}

	#write(at: number, bytes: Uint8Array): void {
		const room = this.#bytes.subarray(at, at + bytes.length);
		this.#undo.push({ at, had: Buffer.from(room) });
		room.set(bytes.subarray(0, room.length));
	}

	/** Makes the changes of an input. */
	change(input: Buffer): void {
		const end = Math.min(input.length, 1 + CHANGE_BYTES * MAX_CHANGES);
		for (let at = 1; at + CHANGE_BYTES <= end; at += CHANGE_BYTES) this.#apply(input.subarray(at, at + CHANGE_BYTES));
	}

	#apply(change: Buffer): void {
		const start = this.#block(change.readUInt16BE(0)) * this.#blockSize;
		const at = start + (change.readUInt16BE(2) % this.#blockSize);
		const value = change.readUInt32BE(5);
		const had = this.#bytes[at] ?? 0;
		switch (change.readUInt8(4) % 10) {
			case 0:
				this.#write(at, numberBytes(1, value));
				break;
			case 1:
				this.#write(at, numberBytes(2, value));
				break;
			case 2:
				this.#write(at, numberBytes(4, value));
				break;
			case 3:
				this.#write(at, numberBytes(4, value).reverse());
				break;
			case 4:
				this.#write(at, Buffer.of(had ^ (1 << (value % 8))));
				break;
			case 5:
				this.#write(at, Buffer.of((had + (value % 9) - 4) & 0xff));
				break;
			case 6:
				// A number that leads to another structure, or back to this one.
				this.#write(at, numberBytes(4, this.#block(value)));
				break;
			case 7: {
				const from = this.#block(value) * this.#blockSize;
				this.#write(start, Buffer.from(this.#bytes.subarray(from, from + this.#blockSize)));
				break;
			}
			case 8:
				this.#write(at, Buffer.alloc(Math.min(value % 4096, start + this.#blockSize - at)));
				break;
			default:
				this.#size = at;
		}
	}

	/** Takes all changes back. */
	heal(): void {
		for (let last = this.#undo.pop(); last !== undefined; last = this.#undo.pop()) this.#bytes.set(last.had, last.at);
		this.#size = this.#bytes.length;
	}

	/** The image as it is now, which may be read as often as any tree of its size needs. */
	source(): BlockSource {
		const bytes = this.#bytes;
		const size = this.#size;
		let reads = 0;
		return {
			size,
			read(offset, target) {
				if (++reads > MAX_READS) throw new Error(`more than ${MAX_READS} reads of an image of ${size} bytes`);
				checkRange(offset, target.length, size);
				target.set(bytes.subarray(offset, offset + target.length));
			},
		};
	}
}

const MAX_READS = 50_000;

/** Little endian. */
function numberBytes(width: number, value: number): Buffer {
	const bytes = Buffer.alloc(width);
	bytes.writeUIntLE(value % 2 ** (8 * width), 0, width);
	return bytes;
}

function changeOf(random: Random, patient: Patient): Buffer {
	const change = Buffer.alloc(CHANGE_BYTES);
	change.writeUInt16BE(random.below(patient.blockCount), 0);
	const at = random.below(patient.blockSize);
	change.writeUInt16BE(random.oneIn(4) ? at : at & ~3, 2);
	change.writeUInt8(random.pick([0, 0, 1, 1, 2, 2, 2, 3, 4, 5, 6, 6, 7, 8, 9]), 4);
	change.writeUInt32BE(number(random), 5);
	return change;
}

/** A target whose images are made when they are needed first. */
export function diskTarget(
	name: string,
	make: (dir: string) => Patient[],
	run: (source: BlockSource, seen: Set<string>) => void,
	rest: Pick<FuzzTarget, "allowance" | "shortRuns">,
): FuzzTarget {
	let made: Patient[] | undefined;
	const patients = () => {
		made ??= inFolder(make);
		return made;
	};
	const patientOf = (input: Buffer) =>
		patients()[(input[0] ?? 0) % patients().length] ?? new Patient(Buffer.alloc(512), 512, () => true);
	return {
		name,
		...rest,
		longest: 1 + CHANGE_BYTES * MAX_CHANGES,
		seeds: () => patients().map((_, index) => Buffer.of(index)),
		mutate(random, input, other) {
			const isShared = input[0] === other[0];
			const changes = random.oneIn(3) && isShared ? [...cut(input), ...cut(other)] : cut(input);
			for (let count = random.below(4); count >= 0; count--) {
				if (random.oneIn(4) && changes.length > 0) changes.splice(random.below(changes.length), 1);
				else changes.push(changeOf(random, patientOf(input)));
			}
			return Buffer.concat([input.subarray(0, 1), ...changes.slice(-MAX_CHANGES)]);
		},
		run(input) {
			const patient = patientOf(input);
			const seen = new Set<string>();
			try {
				patient.change(input);
				run(patient.source(), seen);
			} finally {
				patient.heal();
			}
			return [...seen].join("\n");
		},
	};
}

function cut(input: Buffer): Buffer[] {
	const changes: Buffer[] = [];
	for (let at = 1; at + CHANGE_BYTES <= input.length; at += CHANGE_BYTES)
		changes.push(input.subarray(at, at + CHANGE_BYTES));
	return changes;
}

function inFolder<T>(make: (dir: string) => T): T {
	const dir = mkdtempSync(join(tmpdir(), "fuzz-disk-"));
	try {
		return make(dir);
	} finally {
		rmSync(dir, { recursive: true });
	}
}
