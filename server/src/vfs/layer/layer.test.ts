import assert from "node:assert/strict";
import fs, { readdirSync, readlinkSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, it } from "node:test";
import { BlockFault, BugError, FileError, MalformedError, ManualClock, UnsupportedError } from "../../base/index.ts";
import { contentOf, fillTree, find, findIfThere, pattern } from "../compliance-source.ts";
import { assertFails, list, names } from "../compliance-tools.ts";
import { MemoryTree } from "../memory-tree.ts";
import { compareTimes } from "../times.ts";
import { Layer } from "./layer.ts";
import { dropLayer } from "./layer-files.ts";
import { BLOCK } from "./pool.ts";
import { openLayer, type TestLayer } from "./testing.ts";

const FILE = { mode: 0o644, uid: 0, gid: 0 };
const KEY = { client: "192.0.2.1", xid: 1, procedure: 9, checksum: 2 };

function filled(): MemoryTree {
	const base = new MemoryTree();
	fillTree(base);
	return base;
}

async function using(subject: TestLayer, run: (subject: TestLayer) => void | Promise<void>): Promise<void> {
	try {
		await run(subject);
	} finally {
		subject.close();
	}
}

describe("a transaction", () => {
	it("takes effect as a whole, with its reply", () =>
		using(openLayer(filled()), (subject) => {
			const tree = subject.layer.tree(1);
			const ino = subject.layer.transaction(() => {
				const made = tree.create(tree.root, "made", FILE);
				tree.write(made, 0, Buffer.from("content"));
				tree.rename(tree.root, "small", tree.root, "renamed");
				subject.layer.storeReply(KEY, Buffer.from("reply"));
				return made;
			});
			const again = subject.reopen();
			assert.equal(contentOf(again.tree(1), ino).toString(), "content");
			assert.equal(findIfThere(again.tree(1), "small"), undefined);
			assert.equal(again.storedReply(KEY)?.toString(), "reply");
		}));

	it("leaves nothing behind when it throws", () =>
		using(openLayer(filled()), (subject) => {
			const tree = subject.layer.tree(1);
			const mine = tree.create(tree.root, "mine", FILE);
			tree.write(mine, 0, pattern(10_000));
			const before = [tree.getattr(tree.root), tree.getattr(mine), names(tree, tree.root), subject.layer.usedBytes()];
			assert.throws(() =>
				subject.layer.transaction(() => {
					tree.setattr(mine, { size: 5000 });
					tree.write(tree.create(tree.root, "other", FILE), 0, pattern(50_000));
					tree.rename(tree.root, "directory", find(tree, "vacant"), "x");
					tree.remove(tree.root, "small");
					tree.remove(tree.root, "mine");
					subject.layer.storeReply(KEY, Buffer.from("reply"));
					throw new BugError("broken off");
				}),
			);
			const check = (layer: Layer) => {
				const now = layer.tree(1);
				assert.deepEqual([now.getattr(now.root), now.getattr(mine), names(now, now.root)], before.slice(0, 3));
				assert.ok(contentOf(now, mine).equals(pattern(10_000)));
				assert.equal(find(now, "directory/inner/file") > 0, true);
				assert.equal(layer.storedReply(KEY), undefined);
			};
			check(subject.layer);
			const blocks = (layer: Layer) => layer.usedBytes() - statSync(`${subject.path}.db`).size;
			const wal = statSync(`${subject.path}.db-wal`).size;
			assert.equal(blocks(subject.layer) - wal, 3 * BLOCK, "blocks that were taken and freed are as before");
			check(subject.reopen());
		}));

	it("gives back what it throws, a block fault too", () =>
		using(openLayer(filled()), ({ layer }) => {
			const fault = new BlockFault(Promise.resolve());
			const run = () =>
				layer.transaction(() => {
					layer.tree(1).create(2, "x", FILE);
					throw fault;
				});
			assert.throws(run, (error) => error === fault);
			assert.equal(findIfThere(layer.tree(1), "x"), undefined);
		}));

	it("is undone when an operation failed halfway, even if that was caught", () =>
		using(openLayer(filled(), {}, { quotaBytes: 4 * BLOCK }), ({ layer }) => {
			const tree = layer.tree(1);
			const run = () =>
				layer.transaction(() => {
					tree.create(tree.root, "first", FILE);
					try {
						tree.write(find(tree, "uneven"), 0, pattern(5 * BLOCK));
					} catch (error) {
						assert.ok(error instanceof FileError);
					}
				});
			assertFails("EDQUOT", run);
			assert.equal(findIfThere(tree, "first"), undefined);
		}));

	it("goes on when an operation failed before it changed anything", () =>
		using(openLayer(filled()), ({ layer }) => {
			const tree = layer.tree(1);
			layer.transaction(() => {
				assertFails("EEXIST", () => tree.create(tree.root, "small", FILE));
				tree.create(tree.root, "other", FILE);
			});
			assert.ok(find(tree, "other") > 0);
		}));

	it("does not nest, and is where replies are stored", () =>
		using(openLayer(filled()), ({ layer }) => {
			assert.throws(() => layer.transaction(() => layer.transaction(() => 1)), BugError);
			assert.throws(() => layer.storeReply(KEY, Buffer.alloc(1)), BugError);
		}));
});

describe("stored replies", () => {
	it("are told apart by every part of their key", () =>
		using(openLayer(filled()), ({ layer }) => {
			layer.transaction(() => layer.storeReply(KEY, Buffer.from("one")));
			for (const other of [{ client: "192.0.2.2" }, { xid: 2 }, { procedure: 8 }, { checksum: 3 }]) {
				assert.equal(layer.storedReply({ ...KEY, ...other }), undefined);
			}
			layer.transaction(() => layer.storeReply(KEY, Buffer.from("two")));
			assert.equal(layer.storedReply(KEY)?.toString(), "two");
		}));

	it("keep the latest, also when the layer is opened again", () =>
		using(openLayer(filled()), (subject) => {
			const put = (from: number, to: number) =>
				subject.layer.transaction(() => {
					for (let xid = from; xid < to; xid++) subject.layer.storeReply({ ...KEY, xid }, Buffer.from(`${xid}`));
				});
			put(0, 2000);
			subject.reopen();
			put(2000, 3000);
			subject.reopen();
			assert.equal(subject.layer.storedReply({ ...KEY, xid: 100 }), undefined);
			for (const xid of [960, 2000, 2999]) {
				assert.equal(subject.layer.storedReply({ ...KEY, xid })?.toString(), `${xid}`);
			}
		}));
});

describe("a layer", () => {
	it("keeps its id and verifier, and is another one when it is made anew", () =>
		using(openLayer(filled()), (subject) => {
			const { id, writeVerifier } = subject.layer;
			assert.match(id, /^[0-9a-f]{16}$/);
			assert.equal(writeVerifier.length, 8);
			const again = subject.reopen();
			assert.deepEqual([again.id, again.writeVerifier], [id, writeVerifier]);
			const other = openLayer(filled());
			assert.notEqual(other.layer.id, id);
			assert.notDeepEqual(other.layer.writeVerifier, writeVerifier);
			other.close();
		}));

	it("is gone without a trace when it is dropped", () =>
		using(openLayer(filled()), async (subject) => {
			const tree = subject.layer.tree(1);
			tree.create(tree.root, "x", FILE);
			await tree.commit(tree.root);
			subject.shut();
			dropLayer(subject.path);
			assert.deepEqual(readdirSync(dirname(subject.path)), []);
			assert.equal(findIfThere(subject.reopen().tree(1), "x"), undefined);
		}));

	it("copies one block for a byte that is appended", () =>
		using(openLayer(filled()), ({ layer, path }) => {
			const base = layer.tree(1);
			const ino = find(base, "uneven");
			base.write(ino, base.getattr(ino).size, Buffer.from("!"));
			assert.equal(statSync(`${path}.pool`).size, BLOCK);
		}));

	it("has given times, numbers and cookies once, also when it is opened again and the clock was set back", () => {
		const clock = new ManualClock();
		return using(openLayer(filled(), {}, { clock }), (subject) => {
			let tree = subject.layer.tree(1);
			const inos = new Set<number>();
			const cookies = new Set<number>();
			let last = { sec: 0, nsec: 0 };
			for (let round = 0; round < 30; round++) {
				const ino = tree.create(find(tree, "vacant"), `file-${round}`, FILE);
				const [entry] = list(tree, find(tree, "vacant"));
				assert.ok(entry !== undefined && !inos.has(ino) && !cookies.has(entry.cookie));
				inos.add(ino);
				cookies.add(entry.cookie);
				const { ctime } = tree.getattr(ino);
				assert.ok(compareTimes(ctime, last) > 0);
				last = ctime;
				tree.remove(find(tree, "vacant"), entry.name);
				if (round % 7 === 0) tree = subject.reopen().tree(1);
				if (round % 5 === 0) clock.advance(round * 400 - 4000);
			}
		});
	});

	it("copies files whole whose base may change, at their first change", () => {
		const base = filled();
		const patched = new Set([find(base, "uneven"), find(base, "symlink")]);
		const before = contentOf(base, find(base, "uneven"));
		return using(openLayer(base, { wholeCopyUp: (ino) => patched.has(ino) }), (subject) => {
			const tree = subject.layer.tree(1);
			const [file, symlink] = [find(tree, "uneven"), find(tree, "symlink")];
			tree.setattr(file, { mode: 0o600 });
			tree.setattr(symlink, { uid: 4 });
			base.setattr(file, { size: 10 });
			const again = subject.reopen().tree(1);
			assert.ok(contentOf(again, file).equals(before));
			assert.equal(again.readlink(symlink).toString(), "directory/first");
			assert.equal(again.getattr(find(again, "blocks")).size, 3 * BLOCK);
		});
	});

	it("refuses a base whose inode numbers reach into its own", () =>
		using(openLayer(filled(), { maxBaseIno: 5000 }), ({ layer, path }) => {
			layer.tree(1).create(2, "x", FILE);
			const volume = { fsid: 1, base: filled(), semantics: "posix", maxBaseIno: 6000 } as const;
			assert.throws(() => Layer.open({ path, volumes: [volume] }), MalformedError);
		}));

	it("refuses files that another version made", () =>
		using(openLayer(filled()), ({ path }) => {
			const db = new DatabaseSync(`${path}.db`);
			db.exec("PRAGMA user_version = 99");
			db.close();
			const volume = { fsid: 1, base: filled(), semantics: "posix", maxBaseIno: 0x4fff_ffff } as const;
			assert.throws(() => Layer.open({ path, volumes: [volume] }), UnsupportedError);
		}));

	it("refuses a file that is no database", () =>
		using(openLayer(filled()), (subject) => {
			subject.shut();
			writeFileSync(`${subject.path}.db`, pattern(10_000));
			assert.throws(() => subject.reopen(), MalformedError);
		}));

	it("keeps no rows of directories and files that are gone", () =>
		using(openLayer(filled()), (subject) => {
			const tree = subject.layer.tree(1);
			const directory = tree.mkdir(tree.root, "new", FILE);
			const inside = tree.create(directory, "file", FILE);
			tree.write(inside, 0, pattern(10_000));
			tree.rename(directory, "file", find(tree, "vacant"), "file");
			tree.remove(find(tree, "vacant"), "file");
			tree.rmdir(tree.root, "new");
			for (const name of ["first", "second"]) tree.remove(find(tree, "directory"), name);
			tree.remove(find(tree, "directory/inner"), "file");
			tree.rmdir(find(tree, "directory"), "inner");
			tree.rmdir(tree.root, "directory");
			subject.shut();
			const db = new DatabaseSync(`${subject.path}.db`);
			const count = (sql: string) => Number(db.prepare(sql).get()?.count);
			assert.equal(count("SELECT count(*) AS count FROM run"), 0);
			assert.equal(count("SELECT count(*) AS count FROM entry"), 1, "what hides the base's directory");
			assert.equal(count("SELECT count(*) AS count FROM node WHERE nlink = 0"), 4, "what the base has and is gone");
			db.close();
		}));

	it("keeps the trees of its volumes apart", () => {
		const [root, boot] = [filled(), new MemoryTree({ fsid: 2 })];
		boot.create(boot.root, "config.txt", FILE);
		const volumes = [
			{ fsid: 1, base: root, semantics: "posix", maxBaseIno: 0x4fff_ffff },
			{ fsid: 2, base: boot, semantics: "vfat", maxBaseIno: 0x4fff_ffff },
		] as const;
		return using(openLayer(root, {}, { volumes }), (subject) => {
			subject.layer.tree(2).remove(boot.root, "config.txt");
			subject.layer.tree(2).create(boot.root, "other", FILE);
			const again = subject.reopen();
			assert.deepEqual(names(again.tree(2), boot.root), ["other"]);
			assert.equal(findIfThere(again.tree(1), "other"), undefined);
			assert.equal(again.tree(2).getattr(find(again.tree(2), "other")).fsid, 2);
			assert.throws(() => again.tree(3), BugError);
		});
	});
});

describe("the pool", () => {
	it("uses freed blocks again, but only when the rows that freed them are on the disk", () =>
		using(openLayer(new MemoryTree()), async ({ layer, path }) => {
			const tree = layer.tree(1);
			const size = () => statSync(`${path}.pool`).size;
			tree.write(tree.create(tree.root, "a", FILE), 0, pattern(100 * BLOCK));
			tree.write(tree.create(tree.root, "b", FILE), 0, pattern(BLOCK));
			await tree.commit(tree.root);
			tree.remove(tree.root, "a");
			tree.write(tree.create(tree.root, "c", FILE), 0, pattern(10 * BLOCK, 5));
			assert.equal(size(), 111 * BLOCK, "not before the commit");
			await tree.commit(tree.root);
			tree.write(tree.create(tree.root, "d", FILE), 0, pattern(100 * BLOCK, 6));
			assert.equal(size(), 111 * BLOCK, "after it");
			assert.ok(contentOf(tree, find(tree, "d")).equals(pattern(100 * BLOCK, 6)));
			assert.ok(contentOf(tree, find(tree, "c")).equals(pattern(10 * BLOCK, 5)));
		}));

	it("gives the room behind the last block back to the host", () =>
		using(openLayer(new MemoryTree()), async ({ layer, path }) => {
			const tree = layer.tree(1);
			tree.write(tree.create(tree.root, "kept", FILE), 0, pattern(BLOCK));
			tree.write(tree.create(tree.root, "large", FILE), 0, Buffer.alloc(2000 * BLOCK, 1));
			tree.remove(tree.root, "large");
			await tree.commit(tree.root);
			assert.equal(statSync(`${path}.pool`).size, BLOCK);
			assert.ok(contentOf(tree, find(tree, "kept")).equals(pattern(BLOCK)));
		}));

	it("holds the quota, which statfs knows, and takes more when something was removed", () =>
		using(openLayer(new MemoryTree(), {}, { quotaBytes: 50 * BLOCK }), async ({ layer }) => {
			const tree = layer.tree(1);
			tree.write(tree.create(tree.root, "a", FILE), 0, pattern(40 * BLOCK));
			const b = tree.create(tree.root, "b", FILE);
			assertFails("EDQUOT", () => tree.write(b, 0, pattern(11 * BLOCK)));
			assert.equal(tree.getattr(b).size, 0);
			assert.equal(tree.statfs().totalBytes, 50 * BLOCK);
			tree.remove(tree.root, "a");
			tree.write(b, 0, pattern(50 * BLOCK));
			assert.ok(contentOf(tree, b).equals(pattern(50 * BLOCK)));
		}));

	it("reads zeros where a power cut took blocks that nobody committed", () =>
		using(openLayer(new MemoryTree()), (subject) => {
			const tree = subject.layer.tree(1);
			const ino = tree.create(tree.root, "a", FILE);
			tree.write(ino, 0, pattern(3 * BLOCK));
			subject.shut();
			truncateSync(`${subject.path}.pool`, BLOCK);
			const expected = Buffer.concat([pattern(BLOCK), Buffer.alloc(2 * BLOCK)]);
			assert.ok(contentOf(subject.reopen().tree(1), ino).equals(expected));
		}));
});

it("leaves no file but its own", () =>
	using(openLayer(filled()), ({ path }) => {
		assert.deepEqual(readdirSync(dirname(path)).sort(), [
			"layer.db",
			"layer.db-shm",
			"layer.db-wal",
			"layer.pool",
			"layer.reserve",
		]);
	}));

it("is nobody's to read but its owner's, whatever the umask", () => {
	const umask = process.umask(0);
	try {
		const subject = openLayer(filled());
		subject.layer.tree(1).create(subject.layer.tree(1).root, "made", FILE);
		const folder = dirname(subject.path);
		const modes = readdirSync(folder).map(
			(name) => `${name} ${(statSync(`${folder}/${name}`).mode & 0o777).toString(8)}`,
		);
		subject.close();
		const files = ["layer.db", "layer.db-shm", "layer.db-wal", "layer.pool", "layer.reserve"];
		assert.deepEqual(
			modes.sort(),
			files.map((name) => `${name} 600`),
		);
	} finally {
		process.umask(umask);
	}
});

/** How many of a layer's files this process has open. */
function openFiles(path: string): number {
	const targets = readdirSync("/proc/self/fd").map((fd) => {
		try {
			return readlinkSync(`/proc/self/fd/${fd}`);
		} catch {
			// The descriptor that the directory was read with.
			return "";
		}
	});
	return targets.filter((target) => target.startsWith(path)).length;
}

describe("a layer's files", { skip: process.platform !== "linux" && "needs /proc" }, () => {
	it("are closed when it cannot be opened, as often as it is tried", () =>
		using(openLayer(filled()), (subject) => {
			subject.shut();
			const db = new DatabaseSync(`${subject.path}.db`);
			db.exec("DROP TABLE node");
			db.close();
			for (let tries = 0; tries < 3; tries++) assert.throws(() => subject.reopen(), { code: "EIO" });
			assert.equal(openFiles(subject.path), 0);
		}));

	it("are closed when the disk fails at the end", (t) =>
		using(openLayer(filled()), async (subject) => {
			subject.layer.tree(1).create(subject.layer.tree(1).root, "made", FILE);
			assert.ok(openFiles(subject.path) >= 3);
			const failing = t.mock.method(fs, "fdatasyncSync", () => assert.fail("the disk fails"));
			syncBuiltinESMExports();
			try {
				assert.throws(() => subject.shut(), /the disk fails/);
			} finally {
				failing.mock.restore();
				syncBuiltinESMExports();
			}
			assert.equal(openFiles(subject.path), 0);
			assert.ok(findIfThere(subject.reopen().tree(1), "made") !== undefined);
		}));
});
