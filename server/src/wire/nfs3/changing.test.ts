import assert from "node:assert/strict";
import { test } from "node:test";
import { BlockFault, FileError } from "../../base/index.ts";
import { NfsTestClient, OK } from "./testing/nfs-client.ts";

function open() {
	const client = new NfsTestClient();
	return { client, tree: client.tree, exported: client.port.exported, directory: client.rootHandle };
}

test("CREATE gives the file with its attributes, and what the directory was before and after", async () => {
	const { client, tree, directory } = open();
	const before = tree.getattr(2);
	const made = await client.create(directory, "file", { mode: 0o640, uid: 5, gid: 6, size: 3, mtime: [77, 8] });
	assert.equal(made.status, OK);
	const { mode, uid, gid, size, mtime } = made.attributes ?? {};
	assert.deepEqual({ mode, uid, gid, size, mtime }, { mode: 0o640, uid: 5, gid: 6, size: 3, mtime: "77.000000008" });
	assert.equal(made.wcc.before?.mtime, `${before.mtime.sec}.${String(before.mtime.nsec).padStart(9, "0")}`);
	assert.notEqual(made.wcc.after?.mtime, made.wcc.before?.mtime);
	assert.deepEqual(made.handle, client.handle(made.attributes?.fileid ?? 0));
});

test("CREATE UNCHECKED of a file that is there truncates it and leaves the rest", async () => {
	const { client, tree, directory } = open();
	const { handle, attributes } = await client.create(directory, "file", { mode: 0o600 });
	tree.write(attributes?.fileid ?? 0, 0, Buffer.from("content"));
	const again = await client.create(directory, "file", { mode: 0o777, size: 0 });
	assert.deepEqual(again.handle, handle);
	assert.equal(again.attributes?.mode, 0o600);
	assert.equal(again.attributes?.size, 0);
	assert.equal((await client.create(directory, "file", {}, 1)).status, 17);
	await client.mkdir(directory, "dir");
	assert.equal((await client.create(directory, "dir", {})).status, 21);
});

test("CREATE EXCLUSIVE knows its own repetition, until the attributes are set", async () => {
	const { client, directory } = open();
	const verifier = Buffer.from("fedcba9876543210", "hex");
	const made = await client.createExclusive(directory, "lock", verifier);
	assert.equal(made.status, OK);
	client.port.exported.replies.clear();
	const again = await client.createExclusive(directory, "lock", verifier);
	assert.deepEqual([again.status, again.handle], [OK, made.handle]);
	assert.equal((await client.createExclusive(directory, "lock", Buffer.alloc(8, 1))).status, 17);
	assert.equal((await client.setattr(made.handle, { mode: 0o644, atime: "now", mtime: "now" })).status, OK);
	assert.equal((await client.createExclusive(directory, "lock", verifier)).status, 17);
});

test("MKDIR, SYMLINK and MKNOD make what they say", async () => {
	const { client, directory } = open();
	assert.equal((await client.mkdir(directory, "dir", { mode: 0o700 })).attributes?.type, 2);
	const link = await client.symlink(directory, "link", "../target");
	assert.deepEqual([link.attributes?.type, link.attributes?.mode, link.attributes?.size], [5, 0o777, 9]);
	const kinds: [string, number, readonly [number, number] | undefined][] = [
		["block", 3, [8, 1]],
		["character", 4, [5, 0]],
		["socket", 6, undefined],
		["fifo", 7, undefined],
	];
	for (const [name, type, spec] of kinds) {
		const { attributes } = await client.mknod(directory, name, type, spec);
		assert.deepEqual([attributes?.type, attributes?.rdev], [type, spec ?? [0, 0]], name);
	}
	for (const type of [1, 2, 5]) assert.equal((await client.mknod(directory, "no", type)).status, 10007);
});

test("targets of symbolic links are bounded and without NUL", async () => {
	const { client, directory } = open();
	assert.equal((await client.symlink(directory, "a", "x".repeat(4096))).status, 63);
	assert.equal((await client.symlink(directory, "a", "")).status, 22);
	assert.equal((await client.symlink(directory, "a", "a\0b")).status, 22);
	assert.equal((await client.symlink(directory, "a", "x".repeat(4095))).status, OK);
});

test(". and .. can be neither made nor removed nor renamed", async () => {
	const { client, directory } = open();
	const { handle } = await client.mkdir(directory, "dir");
	assert.equal((await client.mkdir(handle, ".")).status, 17);
	assert.equal((await client.create(handle, "..")).status, 17);
	assert.equal((await client.remove(handle, ".")).status, 21);
	assert.equal((await client.rmdir(handle, ".")).status, 22);
	assert.equal((await client.rmdir(handle, "..")).status, 66);
	assert.equal((await client.rename(handle, ".", directory, "x")).status, 22);
	assert.equal((await client.rename(directory, "dir", directory, "..")).status, 22);
	assert.equal((await client.link(directory, directory, ".")).status, 17);
});

test("REMOVE and RMDIR remove their kind only", async () => {
	const { client, tree, directory } = open();
	await client.create(directory, "file");
	const { handle } = await client.mkdir(directory, "dir");
	await client.create(handle, "inner");
	assert.equal((await client.remove(directory, "dir")).status, 21);
	assert.equal((await client.rmdir(directory, "file")).status, 20);
	assert.equal((await client.rmdir(directory, "dir")).status, 66);
	assert.equal((await client.remove(directory, "none")).status, 2);
	const { status, wcc } = await client.remove(directory, "file");
	assert.equal(status, OK);
	assert.notEqual(wcc.after?.mtime, wcc.before?.mtime);
	await client.remove(handle, "inner");
	assert.equal((await client.rmdir(directory, "dir")).status, OK);
	assert.deepEqual(tree.names(2), []);
});

test("RENAME tells of both directories", async () => {
	const { client, tree, directory } = open();
	const from = await client.mkdir(directory, "from");
	const to = await client.mkdir(directory, "to");
	await client.create(from.handle, "a");
	await client.create(to.handle, "b");
	const { status, from: fromWcc, to: toWcc } = await client.rename(from.handle, "a", to.handle, "b");
	assert.equal(status, OK);
	assert.equal(fromWcc.after?.fileid, from.attributes?.fileid);
	assert.equal(toWcc.after?.fileid, to.attributes?.fileid);
	assert.notEqual(fromWcc.before?.ctime, fromWcc.after?.ctime);
	assert.notEqual(toWcc.before?.ctime, toWcc.after?.ctime);
	assert.deepEqual([tree.names(11), tree.names(12)], [[], ["b"]]);
	assert.equal((await client.rename(from.handle, "gone", to.handle, "b")).status, 2);
});

test("LINK makes a second name and counts it", async () => {
	const { client, tree, directory } = open();
	const { handle } = await client.create(directory, "one");
	const { status, attributes, wcc } = await client.link(handle, directory, "two");
	assert.deepEqual([status, attributes?.nlink], [OK, 2]);
	assert.notEqual(wcc.before?.mtime, wcc.after?.mtime);
	assert.deepEqual(tree.names(2), ["one", "two"]);
	assert.equal((await client.link(directory, directory, "dir")).status, 1);
});

test("nothing moves from one volume to another, and mount points stay where they are", async () => {
	const { client, tree, exported, directory } = open();
	exported.mountPoint = tree.mkdir(2, "boot", { mode: 0o755, uid: 0, gid: 0 });
	const { handle } = await client.create(directory, "file");
	const volume = exported.handleOf({ tree: exported.volume, ino: exported.volume.root });
	assert.equal((await client.rename(directory, "file", volume, "file")).status, 18);
	assert.equal((await client.link(handle, volume, "file")).status, 18);
	assert.equal((await client.rmdir(directory, "boot")).status, 13);
	assert.equal((await client.rename(directory, "boot", directory, "other")).status, 13);
});

test("WRITE tells what it did, unstable or on the disk", async () => {
	const { client, tree, directory } = open();
	const { handle, attributes } = await client.create(directory, "file");
	const unstable = await client.write(handle, 2, Buffer.from("abc"));
	assert.deepEqual([unstable.count, unstable.committed, unstable.verifier], [3, 0, "verifier"]);
	assert.deepEqual([unstable.wcc.before?.size, unstable.wcc.after?.size], [0, 5]);
	assert.deepEqual(tree.committed, []);
	for (const stable of [1, 2]) {
		assert.equal((await client.write(handle, 0, Buffer.from("x"), stable)).committed, 2);
	}
	assert.deepEqual(tree.committed, [attributes?.fileid, attributes?.fileid]);
	assert.equal((await client.read(handle, 0, 10)).data.toString("latin1"), "x\0abc");
});

test("a WRITE to the disk is answered after it is there", async () => {
	const { client, tree, directory } = open();
	const { handle } = await client.create(directory, "file");
	let arrived = () => {};
	tree.committing = new Promise((resolve) => {
		arrived = resolve;
	});
	let answered = false;
	const writing = client.write(handle, 0, Buffer.from("x"), 2).then(() => {
		answered = true;
	});
	await new Promise((resolve) => setImmediate(resolve));
	assert.equal(answered, false);
	arrived();
	await writing;
});

test("COMMIT answers with the verifier, and with the failure of the disk", async () => {
	const { client, tree, directory } = open();
	const { handle } = await client.create(directory, "file");
	assert.deepEqual((await client.commit(handle)).verifier, "verifier");
	tree.committing = Promise.reject(new FileError("ENOSPC"));
	const failed = await client.commit(handle);
	assert.equal(failed.status, 28);
	assert.equal(failed.wcc.after?.type, 1);
	assert.equal((await client.write(handle, 0, Buffer.from("x"), 2)).status, 28);
	assert.equal((await client.commit(directory)).status, 21);
});

test("WRITE where it cannot be", async () => {
	const { client, directory } = open();
	const { handle } = await client.create(directory, "file");
	assert.equal((await client.write(directory, 0, Buffer.from("x"))).status, 21);
	assert.equal((await client.write(handle, 2 ** 53, Buffer.from("x"))).status, 27);
	assert.equal((await client.write(handle, 0, Buffer.from("x"), 0, 2)).status, 22);
	assert.equal((await client.write(handle, 0, Buffer.alloc(0))).count, 0);
});

test("SETATTR sets, and its guard refuses what changed meanwhile", async () => {
	const { client, tree, directory } = open();
	const { handle, attributes } = await client.create(directory, "file");
	const ino = attributes?.fileid ?? 0;
	const set = await client.setattr(handle, { mode: 0o4755, size: 7, atime: [1, 2], mtime: [3, 4] });
	assert.deepEqual([set.status, set.wcc.before?.size, set.wcc.after?.size], [OK, 0, 7]);
	assert.deepEqual([set.wcc.after?.mode, set.wcc.after?.atime], [0o4755, "1.000000002"]);
	const { ctime } = tree.getattr(ino);
	assert.equal((await client.setattr(handle, { mode: 0o600 }, [ctime.sec, ctime.nsec + 1])).status, 10002);
	assert.equal((await client.setattr(handle, { mode: 0o600 }, [ctime.sec, ctime.nsec])).status, OK);
	assert.equal((await client.setattr(directory, { size: 0 })).status, 21);
});

test("a read-only volume refuses every change and tells so in ACCESS", async () => {
	const { client, tree, directory } = open();
	const { handle } = await client.create(directory, "file", { mode: 0o777 });
	const fifo = await client.mknod(directory, "fifo", 7);
	tree.writable = false;
	const statuses = [
		await client.setattr(handle, { mode: 0 }),
		await client.write(handle, 0, Buffer.from("x")),
		await client.create(directory, "x"),
		await client.mkdir(directory, "x"),
		await client.symlink(directory, "x", "y"),
		await client.mknod(directory, "x", 7),
		await client.remove(directory, "file"),
		await client.rmdir(directory, "x"),
		await client.rename(directory, "file", directory, "x"),
		await client.link(handle, directory, "x"),
	].map((each) => each.status);
	assert.deepEqual(statuses, Array(10).fill(30));
	assert.equal((await client.access(handle)).access, 0x21);
	assert.equal((await client.access(directory)).access, 0x03);
	assert.equal((await client.access(fifo.handle)).access, 0x0d);
});

test("a change that is sent again gets the first reply and is not done again", async () => {
	const { client, tree, directory } = open();
	await client.create(directory, "file", {}, 1, 500);
	assert.equal((await client.create(directory, "file", {}, 1, 500)).status, OK);
	const first = await client.remove(directory, "file", 501);
	await client.create(directory, "file", {}, 1, 502);
	const again = await client.remove(directory, "file", 501);
	assert.deepEqual(again, first);
	assert.deepEqual(tree.names(2), ["file"]);
});

test("the same xid from another client, or with other arguments, is another call", async () => {
	const { client, directory } = open();
	await client.create(directory, "a", {}, 1, 500);
	assert.equal((await client.create(directory, "b", {}, 1, 500)).status, OK);
	client.caller = { ...client.caller, address: "192.0.2.21" };
	assert.equal((await client.create(directory, "a", {}, 1, 500)).status, 17);
});

test("a change that fails stores no reply and leaves nothing done", async () => {
	const { client, tree, exported, directory } = open();
	exported.storeReply = () => {
		throw new FileError("ENOSPC");
	};
	const { status, wcc } = await client.create(directory, "file");
	assert.equal(status, 28);
	assert.deepEqual(wcc.before?.mtime, wcc.after?.mtime);
	assert.deepEqual(tree.names(2), []);
});

test("a change that faults is undone and runs again", async () => {
	const { client, tree, directory } = open();
	const storeReply = client.port.exported.storeReply.bind(client.port.exported);
	let faults = 1;
	client.port.exported.storeReply = (key, reply) => {
		if (faults-- > 0) throw new BlockFault(Promise.resolve());
		storeReply(key, reply);
	};
	await assert.rejects(client.create(directory, "file", {}, 1), BlockFault);
	assert.deepEqual(tree.names(2), []);
	assert.equal((await client.create(directory, "file", {}, 1)).status, OK);
});
