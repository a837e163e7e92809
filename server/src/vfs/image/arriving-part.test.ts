import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { BlockFault, FileError, whenReady } from "../../base/index.ts";
import { readTextAt, resolvePath } from "../path.ts";
import { ArrivingPart } from "./arriving-part.ts";
import { ImageBuild } from "./build.ts";
import { originOf } from "./file-part.ts";
import { stampOf } from "./identity.ts";
import { makePiImage, PI_ROOT } from "./testing/images.ts";

const dir = fs.mkdtempSync(path.join(os.tmpdir(), "arriving-"));
after(() => fs.rmSync(dir, { recursive: true }));
const LATE = "l".repeat(3 << 20);
const image = fs.readFileSync(makePiImage(dir, { root: { ...PI_ROOT, late: LATE } }));
/** What the image was unpacked from, for its name only. */
const packed = path.join(dir, "packed");
fs.writeFileSync(packed, "the packed image");
const origin = await originOf(packed, stampOf(fs.statSync(packed, { bigint: true })));

async function startArriving(name: string) {
	const [place, growing] = [path.join(dir, name), path.join(dir, `${name}.part`)];
	const fd = fs.openSync(growing, "w");
	const part = await ArrivingPart.open(growing, image.length);
	let [sent, asked] = [0, 0];
	const read = part.source.read.bind(part.source);
	part.source.read = (offset, target) => {
		asked = Math.max(asked, offset + target.length);
		read(offset, target);
	};
	const isAskedForMore = () => asked > sent;
	const arrive = (bytes: number) => {
		fs.writeSync(fd, image, sent, bytes - sent, sent);
		sent = bytes;
		part.advance(sent);
	};
	const complete = async () => {
		fs.closeSync(fd);
		fs.renameSync(growing, place);
		await part.complete(place);
	};
	return { part, arrive, isAskedForMore, complete, place, fd };
}

/** Lets it arrive bit by bit, and only what is waited for, until something is done with what is there. */
async function arriveUntil(
	done: Promise<unknown>,
	{ arrive, isAskedForMore }: Awaited<ReturnType<typeof startArriving>>,
): Promise<number> {
	let isOver = false;
	const over = () => {
		isOver = true;
	};
	done.then(over, over);
	for (let at = 50_000; at < image.length; at += 50_000) {
		arrive(at);
		while (!isOver && !isAskedForMore()) await new Promise(setImmediate);
		if (isOver) return at;
	}
	return assert.fail("it was only done at the end");
}

function isAgain(error: unknown): boolean {
	return error instanceof FileError && error.code === "EAGAIN";
}

test("a build is there before its end has arrived, and is that of the whole file afterwards", async () => {
	const arriving = await startArriving("a.img");
	const { part, arrive, complete, place } = arriving;
	const opening = ImageBuild.openArriving(place, part, origin);
	const enough = await arriveUntil(opening, arriving);
	const build = await opening;
	assert.deepEqual([build.valid, build.isWhole, build.source], [true, false, undefined]);
	const { boot, root } = build.trees();
	assert.ok(boot !== undefined && root !== undefined);
	assert.equal(await whenReady(() => readTextAt(boot.tree, "/config.txt")), "arm_64bit=1\n");
	const late = await whenReady(() => resolvePath(root.tree, "/late") ?? assert.fail());
	const reading = whenReady(() => {
		const target = Buffer.alloc(LATE.length);
		assert.equal(root.tree.read(late, 0, target), LATE.length);
		return target.toString("latin1");
	});
	assert.throws(() => part.source.read(enough, Buffer.alloc(1)), BlockFault);
	assert.throws(() => part.source.read(image.length, Buffer.alloc(1)), { code: "malformed-image" });
	arrive(image.length);
	assert.equal(await reading, LATE);
	await complete();
	assert.equal(build.isWhole, true);
	const source = build.source ?? assert.fail();
	const all = Buffer.alloc(image.length);
	await whenReady(() => source.read(0, all));
	assert.ok(all.equals(image));
	const whole = await ImageBuild.open(place, { origin });
	assert.equal(build.id, whole.id);
	await whole.close();

	fs.appendFileSync(place, "overwritten");
	assert.equal(await build.check(), false);
	assert.throws(() => root.tree.getattr(root.tree.root), isAgain);
	await build.close();
});

test("when it will never be whole, who waits is told, and nothing of it is given any more", async () => {
	const arriving = await startArriving("b.img");
	const { part, place, fd } = arriving;
	const opening = ImageBuild.openArriving(place, part, origin);
	await arriveUntil(opening, arriving);
	const build = await opening;
	let told = 0;
	build.onInvalid(() => told++);
	const waiting = whenReady(() => part.source.read(image.length - 10, Buffer.alloc(10)));
	part.fail(new Error("b.img.xz is damaged"));
	await assert.rejects(waiting, isAgain);
	assert.deepEqual([told, build.valid, build.isWhole, build.failure], [1, false, false, "b.img.xz is damaged"]);
	assert.throws(() => build.trees().root?.tree.statfs(), isAgain);
	await build.close();
	assert.throws(() => part.source.read(0, Buffer.alloc(1)), isAgain);
	fs.closeSync(fd);
});

test("what becomes another file than was promised is not believed", async () => {
	for (const spoil of [(place: string) => fs.appendFileSync(place, "x"), swap]) {
		const { part, arrive, place, fd } = await startArriving("c.img");
		arrive(image.length);
		fs.writeFileSync(place, image);
		if (spoil !== swap) fs.renameSync(`${place}.part`, place);
		spoil(place);
		await part.complete(place);
		assert.deepEqual([part.valid, part.whole], [false, undefined]);
		await part.close();
		fs.closeSync(fd);
	}
});

/** The file of that name is not the one that grew. */
function swap(): void {}
