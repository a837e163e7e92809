import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { NfsExport } from "../wire/nfs3/port.ts";
import { fillTree, find } from "./compliance-source.ts";
import { assertFails } from "./compliance-tools.ts";
import { HandleCodec } from "./handles.ts";
import { openLayer, type TestLayer } from "./layer/testing.ts";
import { MemoryTree } from "./memory-tree.ts";
import { ReadOnlyTree } from "./read-only-tree.ts";
import { Root } from "./root.ts";

const handles = new HandleCodec(Buffer.alloc(32, 7));
const FILE = { mode: 0o644, uid: 0, gid: 0 };
const KEY = { client: "192.0.2.1", xid: 1, procedure: 9, checksum: 2 };

function bases() {
	const [rootBase, bootBase] = [new MemoryTree(), new MemoryTree({ fsid: 2 })];
	fillTree(rootBase);
	bootBase.create(bootBase.root, "config.txt", FILE);
	const volumes = [
		{ fsid: 1, base: rootBase, semantics: "posix", maxBaseIno: 0x4fff_ffff },
		{ fsid: 2, base: bootBase, semantics: "vfat", maxBaseIno: 0x4fff_ffff },
	] as const;
	return { rootBase, volumes };
}

function rootOf({ layer }: TestLayer): Root {
	const [rootTree, bootTree] = [layer.tree(1), layer.tree(2)];
	return new Root({
		id: layer.id,
		handles,
		volumes: [
			{ fsid: 1, tree: rootTree },
			{ fsid: 2, tree: bootTree },
		],
		mounts: [{ fsid: 2, on: { fsid: 1, ino: find(rootTree, "directory/inner") } }],
		layer,
	});
}

function using(run: (root: Root, subject: TestLayer) => void): void {
	const { rootBase, volumes } = bases();
	const subject = openLayer(rootBase, {}, { volumes });
	try {
		run(rootOf(subject), subject);
	} finally {
		subject.close();
	}
}

describe("a root", () => {
	it("is what the NFS server exports", () =>
		using((root) => {
			const exported: NfsExport = root;
			assert.equal(exported.writeVerifier.length, 8);
		}));

	it("leads over the mount point and back", () =>
		using((root) => {
			const { tree } = root.root;
			const covered = { tree, ino: find(tree, "directory/inner") };
			const boot = root.cross(covered);
			assert.equal(boot.tree.getattr(boot.ino).fsid, 2);
			assert.ok(boot.tree.lookup(boot.ino, "config.txt") > 0);
			assert.deepEqual(root.parent(boot), { tree, ino: find(tree, "directory") });
			assert.deepEqual(root.parent(root.root), root.root);
			assert.deepEqual(root.cross(root.root), root.root);
			const elsewhere = { tree: boot.tree, ino: covered.ino };
			assert.equal(root.cross(elsewhere), elsewhere, "an inode of that number in another volume covers nothing");
		}));

	it("follows the directory that is covered when it is moved", () =>
		using((root) => {
			const { tree } = root.root;
			tree.rename(find(tree, "directory"), "inner", find(tree, "vacant"), "moved");
			const boot = root.cross({ tree, ino: find(tree, "vacant/moved") });
			assert.deepEqual(root.parent(boot), { tree, ino: find(tree, "vacant") });
		}));

	it("has handles that survive a restart and lead back", () =>
		using((root, subject) => {
			const { tree, ino } = root.root;
			const boot = root.cross({ tree, ino: find(tree, "directory/inner") });
			const made = { tree, ino: tree.create(ino, "made", FILE) };
			const before = [root.root, boot, made].map((node) => root.handleOf(node));
			assert.deepEqual(
				before,
				[root.root, boot, made].map((node) => root.handleOf(node)),
			);
			subject.reopen();
			const again = rootOf(subject);
			for (const [index, node] of [root.root, boot, made].entries()) {
				const handle = before[index];
				assert.ok(handle !== undefined);
				const found = again.nodeOf(handles.decode(handle));
				assert.equal(found.ino, node.ino);
				assert.equal(found.tree.getattr(found.ino).fsid, index === 1 ? 2 : 1);
				assert.deepEqual(again.handleOf(found), handle);
			}
		}));

	it("has no handles for what is gone, or is another's", () =>
		using((root) => {
			const { tree, ino } = root.root;
			const handle = handles.decode(root.handleOf({ tree, ino: find(tree, "small") }));
			assertFails("ESTALE", () => root.nodeOf({ ...handle, root: Buffer.alloc(8) }));
			assertFails("ESTALE", () => root.nodeOf({ ...handle, fsid: 3 }));
			assertFails("ESTALE", () => root.nodeOf({ ...handle, generation: 1 }));
			tree.remove(ino, "small");
			assertFails("ESTALE", () => root.nodeOf(handle));
		}));

	it("keeps replies with their changes", () =>
		using((root) => {
			const { tree, ino } = root.root;
			root.transaction(() => {
				tree.create(ino, "made", FILE);
				root.storeReply(KEY, Buffer.from("reply"));
			});
			assert.equal(root.storedReply(KEY)?.toString(), "reply");
		}));
});

describe("a read-only root", () => {
	const base = new MemoryTree();
	fillTree(base);
	const tree = new ReadOnlyTree(base);
	const root = new Root({ id: "0011223344556677", handles, volumes: [{ fsid: 1, tree }] });

	it("can be read and refuses every change", async () => {
		const node = root.nodeOf(handles.decode(root.handleOf({ tree, ino: find(tree, "small") })));
		assert.equal(node.tree.getattr(node.ino).size, 6);
		assert.equal(tree.writable, false);
		const { root: top } = tree;
		const changes = [
			() => tree.setattr(),
			() => tree.write(),
			() => tree.create(),
			() => tree.mkdir(),
			() => tree.symlink(),
			() => tree.mknod(),
			() => tree.link(),
			() => tree.remove(),
			() => tree.rmdir(),
			() => tree.rename(),
		];
		for (const change of changes) assertFails("EROFS", () => root.transaction(change));
		assert.equal(tree.statfs().availableBytes, 0);
		await tree.commit(top);
		root.storeReply(KEY, Buffer.from("reply"));
		assert.equal(root.storedReply(KEY), undefined);
		assert.equal(root.writeVerifier.toString("hex"), "0011223344556677");
		root.close();
	});
});
