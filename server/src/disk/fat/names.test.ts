import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { nameFromUtf8 } from "../../base/index.ts";
import { LongName } from "./long-name.ts";
import { foldName, isUsableName, shortName, shortNameChecksum, volumeLabel } from "./names.ts";

/** An 8.3 entry. @param name 11 bytes. */
function entry(name: string, caseBits = 0): Buffer {
	const bytes = Buffer.alloc(32);
	bytes.write(name, 0, "latin1");
	bytes.writeUInt8(caseBits, 12);
	return bytes;
}

/** The entries of a long name as a writer puts them before the 8.3 one. */
function longEntries(name: string, short: Buffer): Buffer[] {
	const units = [...Buffer.from(name, "utf16le").swap16()].length / 2;
	const parts = Math.ceil(units / 13);
	const padded = Buffer.alloc(parts * 26, 0xff);
	padded.write(name, 0, "utf16le");
	if (units % 13 !== 0) padded.writeUInt16LE(0, units * 2);
	return Array.from({ length: parts }, (_, index) => {
		const number = parts - index;
		const part = padded.subarray((number - 1) * 26, number * 26);
		const bytes = Buffer.alloc(32);
		bytes.writeUInt8(number | (index === 0 ? 0x40 : 0), 0);
		bytes.writeUInt8(0x0f, 11);
		bytes.writeUInt8(shortNameChecksum(short), 13);
		part.copy(bytes, 1, 0, 10);
		part.copy(bytes, 14, 10, 22);
		part.copy(bytes, 28, 22, 26);
		return bytes;
	});
}

test("8.3 names, with the case that Windows NT keeps aside", () => {
	assert.equal(shortName(entry("CONFIG  TXT")), "CONFIG.TXT");
	assert.equal(shortName(entry("CONFIG  TXT", 0x08)), "config.TXT");
	assert.equal(shortName(entry("CONFIG  TXT", 0x10)), "CONFIG.txt");
	assert.equal(shortName(entry("CONFIG  TXT", 0x18)), "config.txt");
	assert.equal(shortName(entry("NOEXT      ")), "NOEXT");
	assert.equal(shortName(entry("A B     C  ")), "A B.C");
	assert.equal(shortName(entry("\x05BC        ")), "σBC");
	assert.equal(shortName(entry("\x8eBC     \x9a  ")), "ÄBC.Ü");
	assert.equal(volumeLabel(entry("MY   DISK 1")), "MY   DISK 1");
});

test("long names of any text come back whole, and only for their own 8.3 entry", () => {
	const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 80 });
	fc.assert(
		fc.property(text, (name) => {
			fc.pre(!name.includes("\0") && name.length <= 255);
			const short = entry("SHORT~1 TXT");
			const long = new LongName();
			for (const part of longEntries(name, short)) long.add(part);
			assert.equal(long.take(short), name);
			assert.equal(long.take(short), undefined);
			for (const part of longEntries(name, short)) long.add(part);
			assert.equal(long.take(entry("OTHER~1 TXT")), undefined);
		}),
	);
	const emoji = "😀 with a name of more than 13 units 😀.img";
	const short = entry("EMOJI~1 IMG");
	const long = new LongName();
	for (const part of longEntries(emoji, short)) long.add(part);
	assert.equal(long.take(short), emoji);
});

test("entries out of order, doubled or missing give no long name", () => {
	const short = entry("SHORT~1 TXT");
	const parts = longEntries("a name that takes three entries of 13", short);
	const take = (...entries: (Buffer | undefined)[]) => {
		const long = new LongName();
		for (const part of entries) if (part !== undefined) long.add(part);
		return long.take(short);
	};
	const [a, b, c] = parts;
	assert.equal(parts.length, 3);
	assert.notEqual(take(a, b, c), undefined);
	for (const wrong of [[a, c], [b, c], [a, c, b], [a, b], [a, b, b, c], [c], []])
		assert.equal(take(...wrong), undefined);
	assert.notEqual(take(a, a, b, c), undefined);
});

test("what counts as the same name", () => {
	const same = (a: string, b: string) => foldName(nameFromUtf8(a)) === foldName(nameFromUtf8(b));
	assert.ok(same("Config.TXT", "cONFIG.txt"));
	assert.ok(same("ÄÖÜ-Σ", "äöü-σ"));
	assert.ok(same("name", "name..."));
	assert.ok(!same("straße", "strasse"));
	assert.ok(!same("a.b", "a"));
});

test("names that a tree cannot give", () => {
	for (const name of ["", ".", "..", "a/b", "a\0", "a\nb"]) assert.equal(isUsableName(name), false, name);
	for (const name of ["a", "...", "a b", "é"]) assert.equal(isUsableName(name), true, name);
});
