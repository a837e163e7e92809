/** Which packs a shelf has, makes again, keeps and removes. The packs are a few bytes; what one holds is in pack.test.ts. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import fc from "fast-check";
import { ManualClock } from "../../base/index.ts";
import { PackError, PackShelf } from "./index.ts";
import type { PackRecord } from "./pack-records.ts";
import { type PackRule, surplus } from "./pack-rule.ts";
import type { PackJob } from "./packer.ts";

const dir = mkdtempSync(join(tmpdir(), "pack-shelf-"));
after(() => rmSync(dir, { recursive: true, force: true }));

const PACK_BYTES = 100;
const hash = (text: string) => createHash("sha256").update(text).digest("hex");
const packName = (image: string) => hash(image.padEnd(PACK_BYTES));

/** A shelf in a folder of its own, whose images are their content. */
class Fixture {
	readonly folder = mkdtempSync(join(dir, "shelf-"));
	readonly clock = new ManualClock();
	readonly made: string[] = [];
	readonly inUse = new Set<string>();
	readonly gone = new Set<string>();
	/** Packs that fit onto the disk. */
	room = Number.POSITIVE_INFINITY;

	open(mostPacks = Number.POSITIVE_INFINITY): Promise<PackShelf> {
		const rule: PackRule = {
			isInUse: (key) => this.inUse.has(key),
			isKnown: (key) => !this.gone.has(key),
			mostBytes: mostPacks * PACK_BYTES,
		};
		return PackShelf.open(this.folder, { rule, clock: this.clock, pack: (job) => this.#pack(job) });
	}

	async #pack({ image, folder }: PackJob) {
		this.clock.advance(1000);
		if (this.#count(".pack") >= this.room) throw new PackError("pack-no-space", "The disk is full.");
		this.made.push(image);
		const map = hash(`map of ${image}`);
		const pack = packName(image);
		writeFileSync(join(folder, `${pack}.pack`), image.padEnd(PACK_BYTES));
		writeFileSync(join(folder, `${map}.map`), `map of ${image}`);
		return { map, pack, dataBytes: 1, zeroBytes: 1, packBytes: PACK_BYTES };
	}

	#count(ending: string): number {
		return readdirSync(this.folder).filter((name) => name.endsWith(ending)).length;
	}

	/** Which of these images have their pack on the disk. */
	packed(...images: readonly string[]): string {
		const names = readdirSync(this.folder);
		return images.filter((image) => names.includes(`${packName(image)}.pack`)).join("");
	}

	get files(): string[] {
		return readdirSync(this.folder);
	}
}

const build = (key: string, image = key) => ({ key, image });

describe("a shelf of packs", () => {
	it("stops making what nobody needs, and makes it when it is asked for again", async () => {
		const fixture = new Fixture();
		const shelf = await PackShelf.open(fixture.folder, {
			pack: async ({ signal }) => {
				shelf.stop("a");
				assert.ok(signal?.aborted);
				throw new PackError("pack-cancelled", "It was cancelled.");
			},
		});
		await assert.rejects(shelf.get(build("a")), { code: "pack-cancelled" });
		shelf.stop("nobody makes it");
		assert.ok(await (await fixture.open()).get(build("a")));
	});

	it("looks at what arrived damaged: what the disk spoilt is made anew, what is whole stays", async () => {
		const fixture = new Fixture();
		const shelf = await fixture.open();
		const bytes = (name: string) => readFileSync(join(fixture.folder, name));
		const { map, pack } = await shelf.get(build("a"));
		await shelf.check("a");
		assert.equal(fixture.packed("a"), "a");
		const whole = [bytes(`${pack}.pack`), bytes(`${map}.map`)];
		for (const name of [`${pack}.pack`, `${map}.map`]) {
			const spoilt = bytes(name);
			spoilt[1] = (spoilt[1] ?? 0) ^ 1;
			writeFileSync(join(fixture.folder, name), spoilt);
			await shelf.check("a");
			assert.equal(fixture.packed("a"), "");
			await shelf.get(build("a"));
			assert.deepEqual([bytes(`${pack}.pack`), bytes(`${map}.map`)], whole);
		}
		await shelf.check("unknown");
	});

	it("makes one once, and again where what is known of it is damaged", async () => {
		const fixture = new Fixture();
		const shelf = await fixture.open();
		const result = await shelf.get(build("a"));
		assert.deepEqual(await (await fixture.open()).get(build("a")), result);
		assert.equal(fixture.made.length, 1);
		const record = fixture.files.find((name) => name.endsWith(".build")) ?? assert.fail();
		const others = { ...result, map: "../../etc/passwd" };
		for (const text of ["", "null", "{}", JSON.stringify({ key: "b", result }), JSON.stringify({ key: "a", others })]) {
			writeFileSync(join(fixture.folder, record), text);
			assert.deepEqual(await shelf.get(build("a")), result);
		}
		assert.equal(fixture.made.length, 6);
		truncateSync(join(fixture.folder, `${result.pack}.pack`), PACK_BYTES - 1);
		await shelf.get(build("a"));
		rmSync(join(fixture.folder, `${result.map}.map`));
		await shelf.get(build("a"));
		assert.equal(fixture.made.length, 8);
	});

	it("starts without what an ended server left there", async () => {
		const fixture = new Fixture();
		await (await fixture.open()).get(build("a"));
		const before = fixture.files;
		for (const left of ["12.unfinished", "12.unfinished-map.unfinished", `${hash("x")}.pack`, `${hash("y")}.map`]) {
			writeFileSync(join(fixture.folder, left), "half");
		}
		await fixture.open();
		assert.deepEqual(fixture.files, before);
	});

	it("forgets builds that are gone, but none that a write needs", async () => {
		const fixture = new Fixture();
		const shelf = await fixture.open();
		for (const key of ["a", "b", "c"]) await shelf.get(build(key));
		fixture.gone.add("a").add("b");
		fixture.inUse.add("b");
		await shelf.tidy();
		assert.equal(fixture.packed("a", "b", "c"), "bc");
		fixture.inUse.delete("b");
		await shelf.tidy();
		assert.equal(fixture.packed("a", "b", "c"), "c");
		assert.equal(fixture.files.length, 3, "the record, the map and the pack of c");
	});

	it("has room for some, and gives up those that were not used for longest", async () => {
		const fixture = new Fixture();
		const shelf = await fixture.open(2);
		await shelf.get(build("a"));
		await shelf.get(build("b"));
		fixture.clock.advance(1000);
		await shelf.get(build("a"));
		await shelf.get(build("c"));
		assert.equal(fixture.packed("a", "b", "c"), "ac");
		fixture.inUse.add("a").add("c");
		await shelf.get(build("d"));
		assert.equal(fixture.packed("a", "c", "d"), "acd", "what is asked for is there, whatever the room");
		await shelf.tidy();
		assert.equal(fixture.packed("a", "c", "d"), "ac");
	});

	it("keeps a pack as long as one of its builds is there", async () => {
		const fixture = new Fixture();
		const shelf = await fixture.open();
		await shelf.get(build("a", "same"));
		await shelf.get(build("b", "same"));
		fixture.gone.add("a");
		await shelf.tidy();
		assert.equal(fixture.packed("same"), "same");
		fixture.gone.add("b");
		await shelf.tidy();
		assert.deepEqual(fixture.files, []);
	});

	it("makes room on a full disk by giving up what no write needs", async () => {
		const fixture = new Fixture();
		const shelf = await fixture.open();
		await shelf.get(build("a"));
		await shelf.get(build("b"));
		fixture.room = 2;
		fixture.inUse.add("a");
		await shelf.get(build("c"));
		assert.equal(fixture.packed("a", "b", "c"), "ac");
		fixture.inUse.add("c");
		await assert.rejects(shelf.get(build("d")), { code: "pack-no-space" });
		assert.equal(fixture.packed("a", "c"), "ac");
	});
});

describe("the rule of a shelf", () => {
	const record = fc.record({
		key: fc.constantFrom(..."abcdefgh"),
		pack: fc.constantFrom(..."pqrstu"),
		usedAt: fc.nat(20),
	});
	const records = fc.uniqueArray(record, { selector: ({ key }) => key });

	it("keeps what is in use, drops what is gone, and stays below the most", () => {
		const packBytes = PACK_BYTES;
		fc.assert(
			fc.property(
				records,
				fc.subarray([..."abcdefgh"]),
				fc.subarray([..."abcdefgh"]),
				fc.nat(6),
				(all, used, gone, n) => {
					const given: PackRecord[] = all.map(({ key, pack, usedAt }) => {
						return { key, usedAt, result: { map: key, pack, packBytes, dataBytes: 1, zeroBytes: 1 } };
					});
					const rule = {
						isInUse: (key: string) => used.includes(key),
						isKnown: (key: string) => !gone.includes(key),
						mostBytes: n * PACK_BYTES,
					};
					const going = surplus(given, rule);
					const kept = given.filter((each) => !going.includes(each));
					assert.ok(going.every(({ key }) => !rule.isInUse(key)));
					assert.ok(kept.every(({ key }) => rule.isInUse(key) || rule.isKnown(key)));
					const packsOf = (some: readonly PackRecord[]) => new Set(some.map(({ result }) => result.pack));
					const needed = packsOf(given.filter(({ key }) => rule.isInUse(key)));
					assert.ok(packsOf(kept).size <= Math.max(n, needed.size));
				},
			),
		);
	});
});
