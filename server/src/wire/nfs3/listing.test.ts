import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { BlockFault, MalformedError } from "../../base/index.ts";
import { type ListedEntry, NfsTestClient, OK } from "./testing/nfs-client.ts";

function withEntries(count: number, name = (index: number) => `file${index}`) {
	const client = new NfsTestClient();
	const { tree } = client;
	for (let index = 0; index < count; index++) tree.create(2, name(index), { mode: 0o644, uid: 0, gid: 0 });
	return client;
}

async function listAll(client: NfsTestClient, count: number, plus: boolean): Promise<ListedEntry[]> {
	const all: ListedEntry[] = [];
	for (let cookie = 0; ; ) {
		const page = plus
			? await client.readdirplus(client.rootHandle, cookie, count, count)
			: await client.readdir(client.rootHandle, cookie, count);
		assert.equal(page.status, OK);
		assert.ok(page.size <= count, `${page.size} bytes in a listing of ${count}`);
		all.push(...page.entries);
		if (page.eof) return all;
		assert.ok(page.entries.length > 0, "a page without entries that is not the end");
		cookie = page.entries.at(-1)?.cookie ?? 0;
	}
}

test("a directory is listed whole, page by page, with . and .. first", async () => {
	const names = [".", "..", ...Array.from({ length: 100 }, (_, index) => `file${index}`)];
	for (const plus of [false, true]) {
		const listed = await listAll(withEntries(100), 700, plus);
		assert.deepEqual(
			listed.map((entry) => entry.name),
			names,
		);
		assert.equal(new Set(listed.map((entry) => entry.cookie)).size, names.length);
	}
});

test("no page is larger than asked for, for any names and sizes", async () => {
	const name = fc.string({ minLength: 1, maxLength: 60, unit: fc.constantFrom("a", "b", "c") });
	await fc.assert(
		fc.asyncProperty(
			fc.uniqueArray(name, { maxLength: 20 }),
			fc.integer({ min: 330, max: 3000 }),
			fc.boolean(),
			async (names, count, plus) => {
				const client = withEntries(names.length, (index) => names[index] ?? "");
				const listed = await listAll(client, count, plus);
				assert.deepEqual(
					listed.map((entry) => entry.name),
					[".", "..", ...names],
				);
			},
		),
	);
});

test("a page that holds no entry is TOOSMALL; one that exactly holds one is not", async () => {
	const client = withEntries(1);
	const exact = 88 + 8 + 8 + (4 + 8 + 8 + 8);
	assert.equal((await client.readdir(client.rootHandle, 0, exact - 1)).status, 10005);
	const page = await client.readdir(client.rootHandle, 0, exact);
	assert.deepEqual([page.entries.length, page.eof, page.size], [1, false, exact]);
	const exactPlus = exact + 88 + 8 + 16;
	assert.equal((await client.readdirplus(client.rootHandle, 0, 4096, exactPlus - 1)).status, 10005);
	assert.equal((await client.readdirplus(client.rootHandle, 0, 4096, exactPlus)).entries.length, 1);
});

test("dircount bounds the names, but never to none", async () => {
	const client = withEntries(20);
	const perName = 4 + 8 + 4 + 8 + 8;
	const page = await client.readdirplus(client.rootHandle, 2, perName * 3, 65536);
	assert.equal(page.entries.length, 3);
	assert.equal((await client.readdirplus(client.rootHandle, 2, 0, 65536)).entries.length, 1);
});

test("entries behind the end are an empty page with eof", async () => {
	const client = withEntries(3);
	for (const page of [
		await client.readdir(client.rootHandle, 5, 4096),
		await client.readdirplus(client.rootHandle, 5, 4096, 4096),
	]) {
		assert.deepEqual([page.status, page.entries, page.eof], [OK, [], true]);
	}
});

test("a cookie that cannot be is BAD_COOKIE", async () => {
	const client = withEntries(1);
	assert.equal((await client.readdir(client.rootHandle, 2 ** 40, 4096)).status, 10003);
});

test("an entry removed and one made while listing disturb no other", async () => {
	const client = withEntries(10);
	const first = await client.readdir(client.rootHandle, 0, 88 + 16 + 28 * 2 + 32 * 3);
	assert.deepEqual(first.entries.map((entry) => entry.name).slice(2), ["file0", "file1", "file2"]);
	client.tree.remove(2, "file2");
	client.tree.remove(2, "file5");
	client.tree.create(2, "new", { mode: 0o644, uid: 0, gid: 0 });
	const rest = await client.readdir(client.rootHandle, first.entries.at(-1)?.cookie ?? 0, 4096);
	const names = rest.entries.map((entry) => entry.name);
	assert.deepEqual(names, ["file3", "file4", "file6", "file7", "file8", "file9", "new"]);
});

test("READDIRPLUS gives handles and attributes, of a mounted volume those of its root", async () => {
	const client = withEntries(1);
	const { exported } = client.port;
	exported.mountPoint = client.tree.mkdir(2, "boot", { mode: 0o755, uid: 0, gid: 0 });
	const { entries } = await client.readdirplus(client.rootHandle, 0, 4096, 4096);
	const volume = exported.handleOf({ tree: exported.volume, ino: exported.volume.root });
	assert.deepEqual(
		entries.map((entry) => entry.handle),
		[client.rootHandle, client.rootHandle, client.handle(11), volume],
	);
	assert.deepEqual(
		entries.map((entry) => entry.attributes?.fsid),
		[1, 1, 1, 2],
	);
	const inside = await client.readdir(volume, 0, 4096);
	assert.deepEqual(
		inside.entries.map((entry) => entry.fileid),
		[2, 2],
	);
});

test("READDIRPLUS waits for cold inodes a few times, then leaves their attributes out", async () => {
	const client = withEntries(3);
	client.tree.coldInodes.add(12);
	await assert.rejects(client.readdirplus(client.rootHandle, 0, 4096, 4096), BlockFault);
	const { entries } = await client.readdirplus(client.rootHandle, 0, 4096, 4096, 8);
	assert.deepEqual(
		entries.map((entry) => entry.attributes?.fileid),
		[2, 2, 11, undefined, 13],
	);
	assert.equal(entries[3]?.handle, undefined);
});

test("READDIRPLUS tells of a broken inode by its name only; the rest of the directory is listed", async () => {
	const client = withEntries(3);
	const getattr = client.tree.getattr.bind(client.tree);
	client.tree.getattr = (ino) => {
		if (ino === 12) throw new MalformedError("ext4", "ext4: inode 12 is broken");
		return getattr(ino);
	};
	const { status, entries } = await client.readdirplus(client.rootHandle, 0, 4096, 4096);
	assert.equal(status, OK);
	assert.deepEqual(
		entries.map(({ name, attributes }) => [name, attributes?.fileid]),
		[
			[".", 2],
			["..", 2],
			["file0", 11],
			["file1", undefined],
			["file2", 13],
		],
	);
});

test("a listing never looks at more inodes than it tells of", async () => {
	const client = withEntries(2000);
	let asked = 0;
	const getattr = client.tree.getattr.bind(client.tree);
	client.tree.getattr = (ino) => {
		asked++;
		return getattr(ino);
	};
	const { entries } = await client.readdirplus(client.rootHandle, 0, 1 << 20, 1 << 20);
	assert.ok(entries.length > 300 && asked <= entries.length + 3, `${asked} inodes for ${entries.length} entries`);
});

test("listing needs the right to read, and a directory", async () => {
	const client = withEntries(1);
	client.tree.setattr(2, { mode: 0o711 });
	client.credential = { uid: 1000, gid: 1000 };
	assert.equal((await client.readdir(client.rootHandle, 0, 4096)).status, 13);
	assert.equal((await client.readdirplus(client.rootHandle, 0, 4096, 4096)).status, 13);
	assert.equal((await client.readdir(client.handle(11), 0, 4096)).status, 20);
});
