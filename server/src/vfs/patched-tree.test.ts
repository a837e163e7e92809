import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { BugError, FileError, ManualClock, nameFromUtf8 } from "../base/index.ts";
import { MemoryTree } from "./memory-tree.ts";
import type { Patch, PatchFile } from "./patch.ts";
import { PATCHED_FIRST, PATCHED_LAST, PatchedTree } from "./patched-tree.ts";
import { listDirectory, readFileAt, resolvePath } from "./path.ts";
import type { FileTree } from "./tree.ts";

const OWNER = { mode: 0o644, uid: 0, gid: 0 };

interface Base {
	readonly tree: MemoryTree;
	/** Inode numbers by path. */
	readonly at: (path: string) => number;
}

/** /etc/{fstab,hosts,hosts-too (a hard link)}, /etc/systemd, /usr/lib/os-release, /lib -> usr/lib, /etc/resolv.conf -> /run/x */
function makeBase(): Base {
	const tree = new MemoryTree({ clock: new ManualClock() });
	const etc = tree.mkdir(tree.root, "etc", { ...OWNER, mode: 0o755 });
	tree.write(tree.create(etc, "fstab", OWNER), 0, Buffer.from("PARTUUID=1-02 / ext4\n"));
	const hosts = tree.create(etc, "hosts", { mode: 0o640, uid: 7, gid: 8 });
	tree.write(hosts, 0, Buffer.from("127.0.0.1 localhost\n"));
	tree.link(hosts, etc, "hosts-too");
	tree.mkdir(etc, "systemd", { ...OWNER, mode: 0o755 });
	const usr = tree.mkdir(tree.root, "usr", { ...OWNER, mode: 0o755 });
	const lib = tree.mkdir(usr, "lib", { ...OWNER, mode: 0o755 });
	tree.write(tree.create(lib, "os-release", OWNER), 0, Buffer.from("ID=debian\n"));
	tree.symlink(tree.root, "lib", Buffer.from("usr/lib"), OWNER);
	tree.symlink(etc, "resolv.conf", Buffer.from("/run/x"), OWNER);
	tree.mknod(etc, "pipe", "fifo", 0, 0, OWNER);
	const at = (path: string) => {
		const ino = resolvePath(tree, path, { followLast: false });
		assert.ok(ino !== undefined, path);
		return ino;
	};
	return { tree, at };
}

function put(path: string, file: PatchFile | "remove"): Patch {
	return { path, why: `${path} is changed`, change: () => file };
}

function text(content: string, owner = OWNER): PatchFile {
	return { type: "file", content: Buffer.from(content), ...owner };
}

function textAt(tree: FileTree, path: string): string | undefined {
	return readFileAt(tree, path, 1000)?.toString();
}

function namesAt(tree: FileTree, path: string): string[] {
	return listDirectory(tree, resolvePath(tree, path) ?? 0).map(({ name }) => name);
}

function throwsCode(code: string, action: () => unknown): void {
	assert.throws(action, (error) => error instanceof FileError && error.code === code);
}

test("a changed file keeps its inode and gets the new content, size, mode and a new time", () => {
	const { tree, at } = makeBase();
	const patched = new PatchedTree(tree, [put("/etc/fstab", text("proc\n", { mode: 0o600, uid: 3, gid: 4 }))]);
	const before = tree.getattr(at("/etc/fstab"));
	const after = patched.getattr(patched.lookup(at("/etc"), "fstab"));
	assert.equal(after.ino, before.ino);
	assert.deepEqual([after.size, after.mode, after.uid, after.gid, after.nlink], [5, 0o600, 3, 4, 1]);
	assert.notDeepEqual(after.ctime, before.ctime);
	assert.ok(after.mtime.sec > before.mtime.sec);
	assert.equal(textAt(patched, "/etc/fstab"), "proc\n");
	assert.equal(patched.isPatched(after.ino), true);
	assert.equal(patched.isPatched(at("/etc/hosts")), false);
	assert.deepEqual(patched.applied, [{ path: "/etc/fstab", why: "/etc/fstab is changed" }]);
	assert.equal(textAt(tree, "/etc/fstab"), "PARTUUID=1-02 / ext4\n");
});

test("reads of a changed file stop at its end and start anywhere", () => {
	const { tree, at } = makeBase();
	const patched = new PatchedTree(tree, [put("/etc/fstab", text("0123456789"))]);
	const target = Buffer.alloc(6);
	assert.equal(patched.read(at("/etc/fstab"), 7, target), 3);
	assert.equal(target.toString("latin1", 0, 3), "789");
	assert.equal(patched.read(at("/etc/fstab"), 10, target), 0);
	assert.equal(patched.read(at("/etc/fstab"), 2 ** 40, target), 0);
});

test("a new file has a number and a cookie of the patches' range, the same in every run", () => {
	const { tree, at } = makeBase();
	const patches = [put("/etc/b", text("b")), put("/etc/a", text("a")), put("/etc/new/deep/c", text("c"))];
	const one = new PatchedTree(tree, patches);
	const two = new PatchedTree(tree, patches.toReversed());
	for (const path of ["/etc/a", "/etc/b", "/etc/new", "/etc/new/deep/c"]) {
		const ino = resolvePath(one, path);
		assert.ok(ino !== undefined && ino >= PATCHED_FIRST && ino <= PATCHED_LAST);
		assert.equal(resolvePath(two, path), ino);
		assert.deepEqual(one.getattr(ino), two.getattr(ino));
		assert.equal(one.isPatched(ino), true);
	}
	const cookies = listDirectory(one, at("/etc")).map(({ cookie }) => cookie);
	assert.deepEqual(
		cookies,
		[...new Set(cookies)].sort((a, b) => a - b),
	);
	assert.equal(cookies.filter((cookie) => cookie >= PATCHED_FIRST && cookie <= PATCHED_LAST).length, 3);
});

test("missing directories are made, and link counts are right", () => {
	const { tree, at } = makeBase();
	const patched = new PatchedTree(tree, [put("/etc/ssh/keys/id", text("x")), put("/etc/systemd", "remove")]);
	const ssh = patched.lookup(at("/etc"), "ssh");
	assert.deepEqual({ ...patched.getattr(ssh), mode: 0o755, uid: 0, gid: 0, nlink: 3 }, patched.getattr(ssh));
	assert.equal(patched.parent(ssh), at("/etc"));
	assert.equal(patched.parent(patched.lookup(ssh, "keys")), ssh);
	assert.equal(patched.getattr(at("/etc")).nlink, tree.getattr(at("/etc")).nlink);
	assert.deepEqual(namesAt(patched, "/etc/ssh/keys"), ["id"]);
	throwsCode("ESTALE", () => patched.getattr(at("/etc/systemd")));
	throwsCode("ENOENT", () => patched.lookup(at("/etc"), "systemd"));
});

test("a removed file is in no list and no lookup, and its inode is gone", () => {
	const { tree, at } = makeBase();
	const patched = new PatchedTree(tree, [put("/etc/fstab", "remove"), put("/etc/never-was", "remove")]);
	assert.ok(!namesAt(patched, "/etc").includes("fstab"));
	throwsCode("ENOENT", () => patched.lookup(at("/etc"), "fstab"));
	throwsCode("ESTALE", () => patched.getattr(at("/etc/fstab")));
	throwsCode("ESTALE", () => patched.read(at("/etc/fstab"), 0, Buffer.alloc(1)));
	assert.deepEqual(patched.applied, [{ path: "/etc/fstab", why: "/etc/fstab is changed" }]);
});

test("a file becomes a link: a masked unit", () => {
	const { tree, at } = makeBase();
	const patched = new PatchedTree(tree, [put("/etc/fstab", { type: "symlink", target: "/dev/null" })]);
	const ino = patched.lookup(at("/etc"), "fstab");
	assert.deepEqual(
		[patched.getattr(ino).type, patched.getattr(ino).mode, patched.getattr(ino).size],
		["symlink", 0o777, 9],
	);
	assert.equal(patched.readlink(ino).toString(), "/dev/null");
	throwsCode("EINVAL", () => patched.read(ino, 0, Buffer.alloc(1)));
	throwsCode("ENOTDIR", () => patched.lookup(ino, "x"));
	throwsCode("EINVAL", () => patched.readlink(at("/etc/hosts")));
});

test("the other names of a hard link keep the image's file", () => {
	const { tree, at } = makeBase();
	const patched = new PatchedTree(tree, [put("/etc/hosts", text("new\n"))]);
	assert.equal(textAt(patched, "/etc/hosts"), "new\n");
	assert.equal(textAt(patched, "/etc/hosts-too"), "127.0.0.1 localhost\n");
	assert.equal(patched.lookup(at("/etc"), "hosts-too"), at("/etc/hosts"));
	assert.equal(patched.getattr(at("/etc/hosts")).nlink, 1);
	assert.equal(namesAt(patched, "/etc").filter((name) => name === "hosts").length, 1);
	const gone = new PatchedTree(tree, [put("/etc/hosts", "remove"), put("/etc/hosts-too", "remove")]);
	throwsCode("ESTALE", () => gone.getattr(at("/etc/hosts")));
});

test("links on the way are followed inside of the tree, the last name is not", () => {
	const { tree, at } = makeBase();
	const seen: (PatchFile | undefined)[] = [];
	const patched = new PatchedTree(tree, [
		put("/lib/os-release", text("ID=other\n")),
		{
			path: "/etc/resolv.conf",
			why: "",
			change: (below) => {
				seen.push(below);
				return text("nameserver 1\n");
			},
		},
	]);
	assert.equal(textAt(patched, "/usr/lib/os-release"), "ID=other\n");
	assert.deepEqual(seen, [{ type: "symlink", target: "/run/x" }]);
	assert.equal(patched.getattr(at("/etc/resolv.conf")).type, "file");
	assert.equal(patched.lookup(at("/etc"), "resolv.conf"), at("/etc/resolv.conf"));
});

test("links that lead out, in circles or nowhere are no way out", () => {
	const { tree } = makeBase();
	tree.symlink(tree.root, "up", Buffer.from("../../.."), OWNER);
	tree.symlink(tree.root, "circle", Buffer.from("circle"), OWNER);
	tree.symlink(tree.root, "dangling", Buffer.from("/made/here"), OWNER);
	tree.symlink(tree.root, "broken", Buffer.from("no/../thing"), OWNER);
	const patched = new PatchedTree(tree, [
		put("/up/etc/fstab", text("up")),
		put("/circle/x", text("x")),
		put("/dangling/x", text("y")),
		put("/broken/x", text("z")),
		put("/etc/fstab/x", text("below a file")),
	]);
	assert.equal(textAt(patched, "/etc/fstab"), "up");
	assert.equal(textAt(patched, "/made/here/x"), "y");
	assert.deepEqual(
		patched.skipped.map(({ path }) => path),
		["/broken/x", "/circle/x", "/etc/fstab/x"],
	);
});

test("several patches on one path see each other's work, in order", () => {
	const { tree } = makeBase();
	const append = (more: string): Patch => ({
		path: "/etc/fstab",
		why: more,
		change: (below) => (below?.type === "file" ? text(below.content.toString() + more) : undefined),
	});
	const patched = new PatchedTree(tree, [append("b"), append("a"), put("/etc/early", text("e")), append("c")]);
	assert.equal(textAt(patched, "/etc/fstab"), "PARTUUID=1-02 / ext4\nbac");
	assert.deepEqual(
		patched.applied.map(({ why }) => why),
		["/etc/early is changed", "b", "a", "c"],
	);
});

test("a patch that wants what is there, or nothing, changes nothing", () => {
	const { tree, at } = makeBase();
	const patched = new PatchedTree(tree, [
		put("/etc/hosts", text("127.0.0.1 localhost\n", { mode: 0o640, uid: 7, gid: 8 })),
		put("/lib", { type: "symlink", target: "usr/lib" }),
		{ path: "/etc/fstab", why: "", change: () => undefined },
		{ path: "/not/there", why: "", change: () => undefined },
	]);
	assert.deepEqual(patched.applied, []);
	assert.deepEqual(patched.getattr(at("/etc")), tree.getattr(at("/etc")));
	throwsCode("ENOENT", () => patched.lookup(patched.root, "not"));
});

test("a directory replaces a file and a file a directory, each as a new inode", () => {
	const { tree, at } = makeBase();
	const patched = new PatchedTree(tree, [
		put("/etc/fstab", { type: "directory", mode: 0o700, uid: 1, gid: 2 }),
		put("/etc/systemd", text("flat")),
		put("/usr", { type: "directory", mode: 0o711, uid: 5, gid: 6 }),
	]);
	const made = patched.lookup(at("/etc"), "fstab");
	assert.ok(made >= PATCHED_FIRST);
	assert.deepEqual(namesAt(patched, "/etc/fstab"), []);
	assert.equal(textAt(patched, "/etc/systemd"), "flat");
	assert.equal(patched.getattr(at("/etc")).nlink, tree.getattr(at("/etc")).nlink);
	const usr = patched.getattr(at("/usr"));
	assert.deepEqual([usr.mode, usr.uid, usr.gid], [0o711, 5, 6]);
	assert.deepEqual(namesAt(patched, "/usr"), ["lib"]);
	throwsCode("ENOENT", () => patched.lookup(made, "x"));
	throwsCode("ENAMETOOLONG", () => patched.lookup(made, "x".repeat(256)));
	throwsCode("EISDIR", () => patched.read(made, 0, Buffer.alloc(1)));
	throwsCode("ENOTDIR", () => patched.readdir(patched.lookup(at("/etc"), "systemd"), 0, () => true));
});

test("times follow the content: another content gives another time, the same the same", () => {
	const { tree } = makeBase();
	const timeWith = (content: string) => {
		const patched = new PatchedTree(tree, [put("/etc/fstab", text(content)), put("/etc/new", text(content))]);
		return ["/etc/fstab", "/etc/new"].map((path) => patched.getattr(resolvePath(patched, path) ?? 0).ctime);
	};
	assert.deepEqual(timeWith("a"), timeWith("a"));
	assert.notDeepEqual(timeWith("a")[0], timeWith("b")[0]);
	assert.notDeepEqual(timeWith("a")[1], timeWith("b")[1]);
});

test("the time of a directory follows its entries", () => {
	const { tree, at } = makeBase();
	const one = new PatchedTree(tree, [put("/etc/new", text("x"))]).getattr(at("/etc"));
	const two = new PatchedTree(tree, [put("/etc/newer", text("x"))]).getattr(at("/etc"));
	assert.notDeepEqual(one.mtime, tree.getattr(at("/etc")).mtime);
	assert.notDeepEqual(one.mtime, two.mtime);
});

test("what is no file, link or directory can be replaced and removed", () => {
	const { tree } = makeBase();
	const seen: unknown[] = [];
	const change = (below: PatchFile | undefined) => {
		seen.push(below);
		return text("now a file");
	};
	const patched = new PatchedTree(tree, [{ path: "/etc/pipe", why: "", change }]);
	assert.deepEqual(seen, [undefined]);
	assert.equal(textAt(patched, "/etc/pipe"), "now a file");
	assert.ok(!namesAt(new PatchedTree(tree, [put("/etc/pipe", "remove")]), "/etc").includes("pipe"));
});

test("a swap file of any size is removed without being read", () => {
	const { tree, at } = makeBase();
	const swap = tree.create(at("/etc"), "swap", OWNER);
	tree.setattr(swap, { size: 2 ** 40 });
	const patched = new PatchedTree(tree, [put("/etc/swap", "remove")]);
	assert.deepEqual(patched.skipped, []);
	const read = (below: PatchFile | undefined) => (below?.type === "file" ? text(below.content.toString()) : undefined);
	const skipped = new PatchedTree(tree, [{ path: "/etc/swap", why: "w", change: read }]).skipped;
	assert.match(skipped[0]?.reason ?? "", /expected at most/);
});

test("a path that is none is a bug of ours; one that no directory can hold is skipped", () => {
	const { tree } = makeBase();
	for (const path of ["etc/fstab", "/", "", "/etc/../fstab", "/etc/.."]) {
		assert.throws(() => new PatchedTree(tree, [put(path, text(""))]), BugError);
	}
	assert.equal(new PatchedTree(tree, [put(`/${"n".repeat(256)}`, text(""))]).skipped.length, 1);
});

test("names are bytes: a patch's path in UTF-8 finds them", () => {
	const { tree, at } = makeBase();
	const patched = new PatchedTree(tree, [put("/etc/grüße", text("hi"))]);
	assert.equal(patched.getattr(patched.lookup(at("/etc"), nameFromUtf8("grüße"))).size, 2);
});

test("listing from any cookie goes on behind it, whatever the patches", () => {
	const names = fc.constantFrom("fstab", "hosts", "systemd", "x1", "x2", "x3", "x4");
	const file = fc.oneof(
		fc.constant("remove" as const),
		fc.constantFrom("a", "bb").map((content) => text(content)),
	);
	fc.assert(
		fc.property(fc.array(fc.tuple(names, file), { maxLength: 12 }), (choices) => {
			const { tree, at } = makeBase();
			const patched = new PatchedTree(
				tree,
				choices.map(([name, wanted]) => put(`/etc/${name}`, wanted)),
			);
			const all = listDirectory(patched, at("/etc"));
			const stepwise: string[] = [];
			let cookie = 0;
			const one = (entry: { name: string; cookie: number }) => {
				stepwise.push(entry.name);
				cookie = entry.cookie;
				return false;
			};
			while (!patched.readdir(at("/etc"), cookie, one));
			assert.deepEqual(
				stepwise,
				all.map(({ name }) => name),
			);
			const last = new Map(choices);
			for (const [name, wanted] of last) assert.equal(stepwise.includes(name), wanted !== "remove");
			for (const { name, ino } of all) {
				assert.equal(patched.lookup(at("/etc"), name), ino);
				assert.equal(patched.getattr(ino).ino, ino);
			}
		}),
		{ numRuns: 200 },
	);
});
