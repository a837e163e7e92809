import assert from "node:assert/strict";
import { test } from "node:test";
import { NfsTestClient, OK } from "./testing/nfs-client.ts";

const owner = { uid: 1000, gid: 1000 };
const member = { uid: 1001, gid: 1001, gids: [44, 1000] };
const other = { uid: 1002, gid: 1002 };

function withFile(mode: number, credential = owner) {
	const client = new NfsTestClient();
	const ino = client.tree.create(2, "file", { mode, ...owner });
	client.tree.write(ino, 0, Buffer.from("content"));
	client.tree.setattr(2, { mode: 0o777 });
	client.credential = credential;
	return { client, ino, handle: client.handle(ino), directory: client.rootHandle };
}

const modeOf = (client: NfsTestClient, ino: number) => client.tree.getattr(ino).mode;

test("ACCESS tells by owner, group and others, the first that fits", async () => {
	const access = async (mode: number, credential: typeof owner) => {
		const { client, handle } = withFile(mode, credential);
		return (await client.access(handle)).access;
	};
	assert.equal(await access(0o640, owner), 0x0d);
	assert.equal(await access(0o640, member), 0x01);
	assert.equal(await access(0o640, other), 0);
	assert.equal(await access(0o077, owner), 0);
	assert.equal(await access(0o077, other), 0x2d);
	assert.equal(await access(0o644, { uid: 0, gid: 0 }), 0x0d);
	assert.equal(await access(0o100, { uid: 0, gid: 0 }), 0x2d);
});

test("ACCESS of a directory", async () => {
	const { client, directory } = withFile(0o644, other);
	assert.equal((await client.access(directory)).access, 0x1f);
	client.tree.setattr(2, { mode: 0o776 });
	assert.equal((await client.access(directory)).access, 0x01);
	assert.equal((await client.access(directory, 0x02)).access, 0);
});

test("the owner may read and write an open file whatever its mode says", async () => {
	const { client, handle } = withFile(0o000);
	assert.equal((await client.read(handle, 0, 10)).data.toString(), "content");
	assert.equal((await client.write(handle, 0, Buffer.from("x"))).status, OK);
	client.credential = other;
	assert.equal((await client.read(handle, 0, 10)).status, 13);
	assert.equal((await client.write(handle, 0, Buffer.from("x"))).status, 13);
});

test("who may execute a file may read it", async () => {
	const { client, handle } = withFile(0o711, other);
	assert.equal((await client.read(handle, 0, 10)).status, OK);
});

test("without credentials one is nobody", async () => {
	const { client, handle } = withFile(0o640);
	client.credential = undefined;
	assert.equal((await client.read(handle, 0, 10)).status, 13);
});

test("LOOKUP and changes need search and write of the directory", async () => {
	const { client, handle, directory } = withFile(0o644, other);
	client.tree.setattr(2, { mode: 0o776 });
	assert.equal((await client.lookup(directory, "file")).status, 13);
	client.tree.setattr(2, { mode: 0o775 });
	assert.equal((await client.lookup(directory, "file")).status, OK);
	const statuses = [
		await client.create(directory, "x"),
		await client.createExclusive(directory, "x", Buffer.alloc(8)),
		await client.mkdir(directory, "x"),
		await client.symlink(directory, "x", "y"),
		await client.mknod(directory, "x", 7),
		await client.remove(directory, "file"),
		await client.rmdir(directory, "file"),
		await client.rename(directory, "file", directory, "x"),
		await client.link(handle, directory, "x"),
	].map((each) => each.status);
	assert.deepEqual(statuses, Array(9).fill(13));
});

test("CREATE does not tell of a name to who may not search the directory", async () => {
	const { client, directory } = withFile(0o644, other);
	client.tree.setattr(2, { mode: 0o776 });
	const statuses = [
		await client.create(directory, "file"),
		await client.createExclusive(directory, "file", Buffer.alloc(8)),
	].map((each) => each.status);
	assert.deepEqual(statuses, [13, 13]);
	client.tree.setattr(2, { mode: 0o775 });
	assert.equal((await client.create(directory, "file")).status, OK);
});

test("in a sticky directory only the owners remove and rename", async () => {
	const { client, directory } = withFile(0o666, other);
	client.tree.setattr(2, { mode: 0o1777 });
	assert.equal((await client.remove(directory, "file")).status, 1);
	assert.equal((await client.rename(directory, "file", directory, "x")).status, 1);
	await client.create(directory, "mine");
	assert.equal((await client.rename(directory, "mine", directory, "file")).status, 1);
	client.credential = owner;
	assert.equal((await client.remove(directory, "file")).status, OK);
});

test("chmod is for the owner; setgid only for members of the group", async () => {
	const { client, ino, handle } = withFile(0o644, other);
	assert.equal((await client.setattr(handle, { mode: 0o666 })).status, 1);
	client.credential = owner;
	await client.setattr(handle, { mode: 0o6755 });
	assert.equal(modeOf(client, ino), 0o6755);
	client.tree.setattr(ino, { gid: 44 });
	await client.setattr(handle, { mode: 0o6755 });
	assert.equal(modeOf(client, ino), 0o4755);
});

test("chown is for root; an owner may choose among the own groups", async () => {
	const { client, ino, handle } = withFile(0o644, other);
	assert.equal((await client.setattr(handle, { uid: 1002 })).status, 1);
	client.credential = owner;
	assert.equal((await client.setattr(handle, { uid: 1002 })).status, 1);
	assert.equal((await client.setattr(handle, { gid: 44 })).status, 1);
	assert.equal((await client.setattr(handle, { uid: 1000, gid: 1000 })).status, OK);
	client.tree.setattr(ino, { uid: 1001 });
	client.credential = member;
	assert.equal((await client.setattr(handle, { gid: 44 })).status, OK);
	assert.equal(client.tree.getattr(ino).gid, 44);
});

test("chown, and a write or truncation by an ordinary user, take setuid and setgid away", async () => {
	const set = 0o6755;
	const cases: [string, (client: NfsTestClient, handle: Buffer) => Promise<{ status: number }>][] = [
		["chgrp", (client, handle) => client.setattr(handle, { gid: 1000 })],
		["write", (client, handle) => client.write(handle, 0, Buffer.from("x"))],
		["truncate", (client, handle) => client.setattr(handle, { size: 0 })],
	];
	for (const [name, change] of cases) {
		const { client, ino, handle } = withFile(set);
		assert.equal((await change(client, handle)).status, OK, name);
		assert.equal(modeOf(client, ino), 0o755, name);
	}
	const { client, ino, handle } = withFile(set, { uid: 0, gid: 0 });
	await client.write(handle, 0, Buffer.from("x"));
	await client.setattr(handle, { size: 1 });
	assert.equal(modeOf(client, ino), set);
	await client.setattr(handle, { uid: 5 });
	assert.equal(modeOf(client, ino), 0o755);
});

test("utimes: any time for the owner, the present for whoever may write", async () => {
	const { client, handle } = withFile(0o646, other);
	assert.equal((await client.setattr(handle, { mtime: [1, 0] })).status, 1);
	assert.equal((await client.setattr(handle, { mtime: "now", atime: "now" })).status, OK);
	client.credential = member;
	assert.equal((await client.setattr(handle, { mtime: "now" })).status, 13);
	client.credential = owner;
	assert.equal((await client.setattr(handle, { mtime: [1, 0] })).status, OK);
});

test("truncation needs the right to write", async () => {
	const { client, handle } = withFile(0o644, other);
	assert.equal((await client.setattr(handle, { size: 0 })).status, 13);
	assert.equal((await client.create(client.rootHandle, "file", { size: 0 })).status, 13);
	client.credential = owner;
	assert.equal((await client.setattr(handle, { size: 2 ** 60 })).status, 27);
});

test("new files belong to their maker, and in a setgid directory to its group", async () => {
	const { client, directory } = withFile(0o644, other);
	const plain = await client.create(directory, "plain", { mode: 0o600, uid: 0, gid: 0 });
	assert.deepEqual([plain.attributes?.uid, plain.attributes?.gid], [1002, 1002]);
	client.tree.setattr(2, { mode: 0o2777, gid: 44 });
	const file = await client.create(directory, "file2", { mode: 0o2750 });
	assert.deepEqual([file.attributes?.gid, file.attributes?.mode], [44, 0o750]);
	const made = await client.mkdir(directory, "dir", { mode: 0o755 });
	assert.deepEqual([made.attributes?.gid, made.attributes?.mode], [44, 0o2755]);
	client.credential = member;
	assert.equal((await client.create(directory, "file3", { mode: 0o2750 })).attributes?.mode, 0o2750);
});

test("only root makes device nodes", async () => {
	const { client, directory } = withFile(0o644, other);
	assert.equal((await client.mknod(directory, "sda", 3, [8, 0])).status, 1);
	assert.equal((await client.mknod(directory, "fifo", 7)).status, OK);
});
