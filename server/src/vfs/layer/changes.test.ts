/** What a layer says it changed, against what was done. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { makeTree } from "../../images/testing/tree.ts";
import { listDirectory, resolvePath } from "../path.ts";
import type { FileTree } from "../tree.ts";
import type { LayerChange, Place } from "./changes.ts";
import { randomNumbers } from "./random-operations.ts";
import { openLayer, type TestLayer } from "./testing.ts";

const FILE = { mode: 0o644, uid: 0, gid: 0 };
const BASE = {
	"/etc/fstab": "a",
	"/etc/hosts": "bb",
	"/etc/deep/er/file": "ccc",
	"/usr/lib/one/x": "1",
	"/usr/lib/two/y": "2",
	"/var/log/syslog": "log",
};

function at(tree: FileTree, path: string): number {
	return resolvePath(tree, path) ?? assert.fail(path);
}

async function changesOf({ layer }: TestLayer, places = new Map<number, Place>(), limit = 1000): Promise<string[]> {
	return (await layer.changes(1, places, limit)).map(line);
}

function line({ kind, path, bytes }: LayerChange): string {
	return `${kind} ${path} ${bytes}`;
}

describe("the changes of a layer", () => {
	it("are none at first", async () => {
		const subject = openLayer(makeTree(BASE));
		assert.deepEqual(await changesOf(subject), []);
		subject.close();
	});

	it("are what was made, written to, replaced, moved and removed, by its path", async () => {
		const subject = openLayer(makeTree(BASE));
		const tree = subject.layer.tree(1);
		tree.write(at(tree, "/etc/deep/er/file"), 0, Buffer.from("other and longer"));
		tree.write(tree.create(at(tree, "/etc"), "new", FILE), 0, Buffer.alloc(5000));
		tree.remove(at(tree, "/etc"), "hosts");
		const swap = tree.create(at(tree, "/etc"), "fstab.tmp", FILE);
		tree.rename(at(tree, "/etc"), "fstab.tmp", at(tree, "/etc"), "fstab");
		assert.ok(swap > 0);
		tree.rename(at(tree, "/usr/lib"), "one", at(tree, "/usr"), "moved");
		tree.write(at(tree, "/usr/moved/x"), 0, Buffer.from("1+1"));
		tree.setattr(at(tree, "/usr/lib/two"), { mode: 0o700 });
		const made = tree.mkdir(at(tree, "/var"), "sp\xc3\xa4t", { ...FILE, mode: 0o755 });
		tree.symlink(made, "link", Buffer.from("target"), FILE);
		const expected = [
			"added /etc/new 5000",
			"added /usr/moved 4096",
			"added /var/spät 4096",
			"added /var/spät/link 6",
			"changed /etc/deep/er/file 16",
			"changed /etc/fstab 0",
			"changed /usr/lib/two 0",
			"changed /usr/moved/x 3",
			"removed /etc/hosts 2",
			"removed /usr/lib/one 4096",
		];
		assert.deepEqual((await changesOf(subject)).sort(), expected);
		subject.reopen();
		assert.deepEqual((await changesOf(subject)).sort(), expected);
		assert.equal((await changesOf(subject, new Map(), 3)).length, 3);
		subject.close();
	});

	it("are not what was put back, read, or linked to only", async () => {
		const subject = openLayer(makeTree(BASE));
		const tree = subject.layer.tree(1);
		tree.rename(at(tree, "/etc"), "hosts", at(tree, "/var"), "hosts");
		tree.rename(at(tree, "/var"), "hosts", at(tree, "/etc"), "hosts");
		tree.remove(at(tree, "/etc"), tree.create(at(tree, "/etc"), "short", FILE) > 0 ? "short" : "");
		tree.link(at(tree, "/var/log/syslog"), at(tree, "/var"), "second");
		assert.deepEqual(await changesOf(subject), ["added /var/second 3"]);
		subject.close();
	});

	it("are named without what is above them where a Pi has made directories without end", async () => {
		const subject = openLayer(makeTree(BASE));
		const tree = subject.layer.tree(1);
		const owner = { mode: 0o755, uid: 0, gid: 0 };
		// The deepest has the lowest number, so it is come to first.
		tree.create(tree.mkdir(tree.root, "d", owner), "file", FILE);
		for (let depth = 0; depth < 15_000; depth++) {
			const above = tree.mkdir(tree.root, "above", owner);
			tree.rename(tree.root, "d", above, "d");
			tree.rename(tree.root, "above", tree.root, "d");
		}
		const changes = await changesOf(subject, new Map(), 30_000);
		assert.equal(changes.length, 15_002);
		assert.ok(changes.every((change) => change.length < 20_000));
		assert.ok(changes.some((change) => /^added \/.*\/file 0$/.test(change)));
		subject.close();
	});

	it("are found without going through the image again where a place is known", async () => {
		const base = makeTree(BASE);
		const subject = openLayer(base);
		const tree = subject.layer.tree(1);
		tree.write(at(tree, "/etc/deep/er/file"), 0, Buffer.from("x"));
		const places = new Map<number, Place>();
		await changesOf(subject, places);
		assert.deepEqual(
			[...places.values()].map(({ name }) => name),
			["file"],
		);
		const listed: number[] = [];
		const readdir = base.readdir.bind(base);
		base.readdir = (directory, ...more) => {
			listed.push(directory);
			return readdir(directory, ...more);
		};
		assert.deepEqual(await changesOf(subject, places), ["changed /etc/deep/er/file 3"]);
		assert.equal(listed.includes(at(base, "/usr/lib")), false);
		subject.close();
	});

	for (const seed of [1, 2, 3, 4, 5]) {
		it(`agree with a comparison of the whole trees, after random changes (${seed})`, async () => {
			const base = makeTree(BASE);
			const subject = openLayer(base);
			const tree = subject.layer.tree(1);
			const numbers = randomNumbers(seed);
			const random = (below: number) => Math.floor(numbers() * below);
			for (let step = 0; step < 200; step++) tryAnything(tree, random);
			const said = (await subject.layer.changes(1, new Map(), 10_000)).filter(({ kind }) => kind !== "removed");
			const whole = pathsOf(tree);
			const old = pathsOf(base);
			assert.ok(said.length > 3, "something was changed");
			const added = [...whole.keys()].filter((path) => !old.has(path));
			// What lies in a directory that was moved is not named, so it stands for all below it.
			const covers = (path: string) => said.some((one) => path === one.path || path.startsWith(`${one.path}/`));
			assert.deepEqual(
				added.filter((path) => !covers(path)),
				[],
			);
			for (const [path, text] of whole) {
				if (old.has(path) && old.get(path) !== text) assert.ok(covers(path), `${path} was changed`);
			}
			for (const { path } of said) assert.ok(whole.has(path), `${path} is there`);
			subject.close();
		});
	}
});

type Random = (below: number) => number;

function tryAnything(tree: ReturnType<TestLayer["layer"]["tree"]>, random: Random): void {
	const inodes = [...pathsOf(tree).keys()].map((path) => at(tree, path));
	const any = () => inodes[random(inodes.length)] ?? tree.root;
	const name = `n${random(6)}`;
	const names = (directory: number) => listDirectory(tree, directory).map((entry) => entry.name);
	const directories = inodes.filter((ino) => tree.getattr(ino).type === "directory");
	const directory = directories[random(directories.length)] ?? tree.root;
	const old = names(directory)[0] ?? name;
	const actions = [
		() => tree.create(directory, name, FILE),
		() => tree.mkdir(directory, name, { ...FILE, mode: 0o755 }),
		() => tree.write(any(), 0, Buffer.from(`written ${random(1000)}`)),
		() => tree.remove(directory, old),
		() => tree.rmdir(directory, old),
		() => tree.rename(directory, old, directories[random(directories.length)] ?? tree.root, name),
	];
	try {
		actions[random(actions.length)]?.();
	} catch {
		// Most of what is tried cannot be done.
	}
}

/** By path: the type, and the text of a file. */
function pathsOf(tree: FileTree, ino = tree.root, path = ""): Map<string, string> {
	const found = new Map<string, string>();
	for (const { name, ino: child } of listDirectory(tree, ino)) {
		const { type, size } = tree.getattr(child);
		const text = Buffer.alloc(size);
		if (type === "file") tree.read(child, 0, text);
		found.set(`${path}/${name}`, type === "file" ? `file ${text}` : type);
		if (type === "directory") for (const [key, value] of pathsOf(tree, child, `${path}/${name}`)) found.set(key, value);
	}
	return found;
}
