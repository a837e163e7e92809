/** Changes to bytes whose meaning is not known. */
import type { Random } from "./random.ts";

export interface MutationOptions {
	readonly words: readonly Buffer[];
	readonly longest: number;
}

/** The numbers at which decoders go wrong: the ends of their types, and what is next to them. */
const NUMBERS = [
	...[0, 1, 2, 3, 4, 7, 8, 15, 16, 17, 31, 32, 64, 100, 127, 128, 129, 254, 255, 256, 257],
	...[511, 512, 513, 1023, 1024, 4095, 4096, 32_767, 32_768, 65_534, 65_535, 65_536],
	...[0x00ff_ffff, 0x0100_0000, 0x7fff_fffe, 0x7fff_ffff, 0x8000_0000, 0x8000_0001, 0xffff_fffe, 0xffff_ffff],
];
const DECIMALS = ["0", "-1", "00", "1e9", "255", "65536", "2147483648", "4294967296", "99999999999999999999", "NaN"];

export function number(random: Random): number {
	return random.oneIn(4) ? random.u32() : random.pick(NUMBERS);
}

type Step = (random: Random, bytes: Buffer, other: Buffer, words: readonly Buffer[]) => Buffer;

const flipBit: Step = (random, bytes) => {
	const at = random.below(bytes.length);
	return replaced(bytes, at, Buffer.of((bytes[at] ?? 0) ^ (1 << random.below(8))));
};

const setByte: Step = (random, bytes) => replaced(bytes, random.below(bytes.length), Buffer.of(number(random) & 0xff));

/** Sets, or moves by a little, a number of 2 or 4 bytes in either order. */
const setNumber: Step = (random, bytes) => {
	const width = random.oneIn(2) ? 4 : 2;
	if (bytes.length < width) return setByte(random, bytes, bytes, []);
	const at = random.oneIn(2) ? random.below(bytes.length - width + 1) : 4 * random.below(Math.floor(bytes.length / 4));
	const from = Math.min(at, bytes.length - width);
	const isLittle = random.oneIn(2);
	const had = isLittle ? bytes.readUIntLE(from, width) : bytes.readUIntBE(from, width);
	const value = (random.oneIn(3) ? had + random.below(9) - 4 : number(random)) >>> 0;
	const field = Buffer.alloc(width);
	if (isLittle) field.writeUIntLE(value % 2 ** (8 * width), 0, width);
	else field.writeUIntBE(value % 2 ** (8 * width), 0, width);
	return replaced(bytes, from, field);
};

const remove: Step = (random, bytes) => {
	const { from, to } = range(random, bytes);
	return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]);
};

const duplicate: Step = (random, bytes) => {
	const { from, to } = range(random, bytes);
	return inserted(bytes, random.oneIn(2) ? to : random.below(bytes.length + 1), bytes.subarray(from, to));
};

const insertBytes: Step = (random, bytes) =>
	inserted(bytes, random.below(bytes.length + 1), random.bytes(1 + random.below(8)));

const fill: Step = (random, bytes) => {
	const { from, to } = range(random, bytes);
	return replaced(bytes, from, Buffer.alloc(to - from, random.pick([0, 0xff, 0x20, 0x41, 0x80])));
};

const truncate: Step = (random, bytes) => bytes.subarray(0, random.below(bytes.length));

const extend: Step = (random, bytes) =>
	Buffer.concat([bytes, Buffer.alloc(1 + random.below(300), random.pick([0, 0xff, 0x41]))]);

const splice: Step = (random, bytes, other) =>
	Buffer.concat([bytes.subarray(0, random.below(bytes.length + 1)), other.subarray(random.below(other.length + 1))]);

const insertWord: Step = (random, bytes, _other, words) =>
	words.length === 0 ? bytes : inserted(bytes, random.below(bytes.length + 1), random.pick(words));

const overwriteWithWord: Step = (random, bytes, _other, words) =>
	words.length === 0 ? bytes : replaced(bytes, random.below(bytes.length), random.pick(words));

/** Another number where one stands as text. */
const setDecimal: Step = (random, bytes) => {
	const found = [...bytes.toString("latin1").matchAll(/\d+/g)];
	if (found.length === 0) return bytes;
	const match = random.pick(found);
	const end = match.index + match[0].length;
	return Buffer.concat([bytes.subarray(0, match.index), Buffer.from(random.pick(DECIMALS)), bytes.subarray(end)]);
};

/** Lines of a text in another order, doubled or left out. */
const moveLine: Step = (random, bytes) => {
	const lines = bytes.toString("latin1").split("\n");
	const [line = ""] = random.oneIn(2) ? [random.pick(lines)] : lines.splice(random.below(lines.length), 1);
	lines.splice(random.below(lines.length + 1), 0, line);
	return Buffer.from(lines.join("\n"), "latin1");
};

const STEPS: readonly Step[] = [
	...[flipBit, setByte, setNumber, setNumber, setNumber, remove, duplicate, insertBytes, fill, truncate, extend],
	...[splice, insertWord, insertWord, overwriteWithWord, setDecimal, moveLine],
];

function range(random: Random, bytes: Buffer): { from: number; to: number } {
	const from = random.below(bytes.length);
	const longest = random.oneIn(4) ? bytes.length - from : Math.min(16, bytes.length - from);
	return { from, to: from + 1 + random.below(longest) };
}

function inserted(bytes: Buffer, at: number, what: Uint8Array): Buffer {
	return Buffer.concat([bytes.subarray(0, at), what, bytes.subarray(at)]);
}

function replaced(bytes: Buffer, at: number, what: Uint8Array): Buffer {
	return Buffer.concat([bytes.subarray(0, at), what, bytes.subarray(at + what.length)]);
}

/** One to six changes, one after the other. */
export function mutateBytes(random: Random, input: Buffer, other: Buffer, options: MutationOptions): Buffer {
	let bytes = input;
	do {
		bytes =
			bytes.length === 0 ? random.bytes(1 + random.below(16)) : random.pick(STEPS)(random, bytes, other, options.words);
	} while (!random.oneIn(3));
	return bytes.subarray(0, options.longest);
}
