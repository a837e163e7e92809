import assert from "node:assert/strict";
import { test } from "node:test";
import { BlockFault, FileError, MalformedError } from "../../base/index.ts";
import { readPostOpAttr } from "./testing/client.ts";
import { NfsTestClient, OK } from "./testing/nfs-client.ts";

function withFile(content = "hello, pi", mode = 0o644) {
	const client = new NfsTestClient();
	const ino = client.tree.create(client.tree.root, "file", { mode, uid: 1000, gid: 1000 });
	client.tree.write(ino, 0, Buffer.from(content));
	return { client, ino, handle: client.handle(ino) };
}

test("GETATTR tells everything that stat does", async () => {
	const { client, ino, handle } = withFile();
	const { attributes } = await client.getattr(handle);
	const { mtime, ctime, ...rest } = attributes ?? {};
	assert.match(`${mtime} ${ctime}`, /^1700000000\.0\d+ 1700000000\.0\d+$/);
	assert.deepEqual(rest, {
		...{ type: 1, mode: 0o644, nlink: 1, uid: 1000, gid: 1000, size: 9, used: 9, rdev: [0, 0] },
		...{ fsid: 1, fileid: ino, atime: "1700000000.003000000" },
	});
});

test("GETATTR tells device numbers, and times before 1970 as 1970", async () => {
	const client = new NfsTestClient();
	const ino = client.tree.mknod(2, "tty1", "character", 4, 1, { mode: 0o620, uid: 0, gid: 5 });
	client.tree.setattr(ino, { mtime: { sec: -5, nsec: 1 } });
	const { attributes } = await client.getattr(client.handle(ino));
	assert.equal(attributes?.type, 4);
	assert.deepEqual(attributes?.rdev, [4, 1]);
	assert.equal(attributes?.mtime, "0.000000001");
});

test("handles that lead nowhere are told apart", async () => {
	const { client } = withFile();
	assert.equal((await client.getattr(client.handle(9999))).status, 70);
	assert.equal((await client.getattr(Buffer.from("not ours"))).status, 10001);
	assert.equal((await client.getattr(Buffer.alloc(16, 0))).status, 70);
	const theirs = Buffer.alloc(16);
	theirs.writeUInt32BE(9);
	assert.equal((await client.getattr(theirs)).status, 13);
});

test("LOOKUP gives handle and attributes, and those of the directory also when it fails", async () => {
	const { client, ino } = withFile();
	const found = await client.lookup(client.rootHandle, "file");
	assert.deepEqual(found.handle, client.handle(ino));
	assert.equal(found.attributes?.fileid, ino);
	assert.equal(found.directory?.fileid, 2);
	const missing = await client.lookup(client.rootHandle, "other");
	assert.equal(missing.status, 2);
	assert.equal(missing.directory?.fileid, 2);
	assert.equal((await client.lookup(client.handle(ino), "x")).status, 20);
});

test("LOOKUP goes into a mounted volume and out of it by ..", async () => {
	const client = new NfsTestClient();
	const { exported } = client.port;
	const boot = client.tree.mkdir(2, "boot", { mode: 0o755, uid: 0, gid: 0 });
	exported.mountPoint = client.tree.mkdir(boot, "firmware", { mode: 0o755, uid: 0, gid: 0 });
	const inside = await client.lookup(client.handle(boot), "firmware");
	assert.equal(inside.attributes?.fsid, 2);
	assert.equal((await client.lookup(inside.handle, ".")).attributes?.fsid, 2);
	assert.deepEqual((await client.lookup(inside.handle, "..")).handle, client.handle(boot));
	assert.deepEqual((await client.lookup(client.handle(boot), "..")).handle, client.rootHandle);
	assert.deepEqual((await client.lookup(client.rootHandle, "..")).handle, client.rootHandle);
});

test("names that no directory can hold are refused", async () => {
	const client = new NfsTestClient();
	const status = async (name: string) => (await client.lookup(client.rootHandle, name)).status;
	assert.equal(await status("a/b"), 13);
	assert.equal(await status("a\0b"), 13);
	assert.equal(await status(""), 22);
	assert.equal(await status("x".repeat(256)), 63);
	assert.equal(await status("x".repeat(255)), 2);
});

test("names are bytes", async () => {
	const client = new NfsTestClient();
	const name = Buffer.from("Büro\xff", "latin1").toString("latin1");
	await client.create(client.rootHandle, name);
	assert.deepEqual(client.tree.names(2), [name]);
	const { entries } = await client.readdir(client.rootHandle, 0, 4096);
	assert.equal(entries[2]?.name, name);
});

test("READ gives the bytes, and eof at the end of the file", async () => {
	const { client, handle } = withFile("0123456789");
	const read = async (offset: number, count: number) => {
		const { status, data, eof, count: got, attributes } = await client.read(handle, offset, count);
		assert.equal(status, OK);
		assert.equal(got, data.length);
		assert.equal(attributes?.size, 10);
		return `${data}${eof ? "|" : ""}`;
	};
	assert.equal(await read(0, 4), "0123");
	assert.equal(await read(4, 6), "456789|");
	assert.equal(await read(7, 100), "789|");
	assert.equal(await read(10, 1), "|");
	assert.equal(await read(3, 0), "");
	assert.equal(await read(2 ** 63, 10), "|");
	assert.equal(client.port.meter.bytesRead, 4 + 6 + 3, "what was read is counted");
});

test("one READ gives 1 MiB, whatever is asked for", async () => {
	const { client, ino, handle } = withFile();
	client.tree.write(ino, (1 << 20) + 10, Buffer.from([1]));
	const { count, eof } = await client.read(handle, 0, 0xffff_ffff);
	assert.equal(count, 1 << 20);
	assert.equal(eof, false);
});

test("READ of a tree that has less than it said tells what it got", async () => {
	const { client, handle } = withFile("0123456789");
	client.tree.read = (_ino, _offset, target) => {
		target.set(Buffer.from("abc"));
		return 3;
	};
	const { data, count, eof } = await client.read(handle, 0, 10);
	assert.deepEqual([data.toString(), count, eof], ["abc", 3, true]);
});

test("READ and READLINK of what is no file or link", async () => {
	const { client, handle } = withFile();
	assert.equal((await client.read(client.rootHandle, 0, 10)).status, 21);
	assert.equal((await client.readlink(handle)).status, 22);
	const link = await client.symlink(client.rootHandle, "link", "/etc/fstab");
	assert.equal((await client.read(link.handle, 0, 10)).status, 22);
	assert.deepEqual(await client.readlink(link.handle), { status: OK, target: "/etc/fstab" });
});

test("FSINFO, FSSTAT and PATHCONF", async () => {
	const client = new NfsTestClient();
	const ask = async (procedure: number) => {
		const results = await client.nfs(procedure, (out) => out.opaque(client.rootHandle));
		assert.equal(results.u32(), OK);
		assert.equal(readPostOpAttr(results)?.fileid, 2);
		return results;
	};
	const info = await ask(19);
	const words = Array.from({ length: 7 }, () => info.u32());
	assert.deepEqual(words, [1 << 20, 256 << 10, 4096, 1 << 20, 256 << 10, 4096, 64 << 10]);
	assert.equal(info.u64(), Number.MAX_SAFE_INTEGER);
	assert.deepEqual([info.u32(), info.u32(), info.u32(), info.remaining], [0, 1, 0x1b, 0]);
	const statistics = await ask(18);
	const numbers = Array.from({ length: 6 }, () => statistics.u64());
	assert.deepEqual(numbers, [1e12, 5e11, 4e11, 1e6, 9e5, 9e5]);
	assert.deepEqual([statistics.u32(), statistics.remaining], [0, 0]);
	const conf = await ask(20);
	assert.deepEqual(
		Array.from({ length: 6 }, () => conf.u32()),
		[65000, 255, 1, 1, 0, 1],
	);
	assert.equal(conf.remaining, 0);
});

test("what a tree throws becomes its nfsstat3", async () => {
	const { client, handle } = withFile();
	const statusOf = async (failure: Error) => {
		client.tree.failure = failure;
		return (await client.getattr(handle)).status;
	};
	assert.equal(await statusOf(new FileError("EAGAIN")), 10008);
	assert.equal(await statusOf(new FileError("ESTALE")), 70);
	assert.equal(await statusOf(new MalformedError("ext4", "inode 12 is broken")), 5);
	assert.equal(await statusOf(new TypeError("a bug")), 10006);
});

test("a call that can never be read to its end is told to come again", async () => {
	const { client, handle } = withFile();
	const results = await client.nfs(1, (out) => out.opaque(handle), { attempt: 1001 });
	assert.equal(results.u32(), 10008);
});

test("a fault leaves nothing behind", async () => {
	const { client, handle } = withFile();
	client.tree.faults = [new BlockFault(Promise.resolve())];
	await assert.rejects(client.getattr(handle), BlockFault);
	assert.equal((await client.getattr(handle)).status, OK);
});
