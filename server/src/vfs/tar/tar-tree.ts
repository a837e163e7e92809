/**
 * The root file system in a tar, read where it lies: the members' names and attributes are indexed in memory, and their bytes,
 * which an archive has in one piece, are read from it.
 */
import { type FileType, MalformedError, nameToUtf8, UnsupportedError } from "../../base/index.ts";
import type { BlockSource } from "../../disk/index.ts";
import { type IndexedNode, IndexedTree } from "../indexed-tree.ts";
import { NAME_MAX } from "../names.ts";
import { BLOCK, hasChecksum } from "./header.ts";
import { type TarMember, TarReader } from "./members.ts";
import type { SparseFile } from "./sparse.ts";

/** Bytes of memory are about 400 per member. */
const MOST_MEMBERS = 1_000_000;

interface TarBytes {
	/** Where in the archive its bytes begin. */
	readonly position: number;
	readonly sparse: SparseFile | undefined;
}

type TarNode = IndexedNode & TarBytes;

/** Of what has no bytes. */
const NO_BYTES: TarBytes = { position: 0, sparse: undefined };

const TYPES: Readonly<Record<string, FileType>> = {
	"2": "symlink",
	"3": "character",
	"4": "block",
	"5": "directory",
	"6": "fifo",
	D: "directory",
};

export interface TarOptions {
	readonly fsid?: number;
}

/** Whether a source begins as a tar does. @throws BlockFault. */
export function isTar(source: BlockSource): boolean {
	if (source.size < BLOCK) return false;
	const block = Buffer.allocUnsafe(BLOCK);
	source.read(0, block);
	return block[0] !== 0 && hasChecksum(block);
}

/** See the head of this file. Filled by `TarIndexer`. */
export class TarTree extends IndexedTree<TarBytes> {
	/** Tells archives apart. */
	identity = "";
	/** Sentences about what is unusual here. */
	readonly findings: string[] = [];
	readonly #source: BlockSource;

	constructor(source: BlockSource, { fsid = 1 }: TarOptions = {}) {
		super(fsid);
		this.#source = source;
		this.add("directory", this.root, NO_BYTES);
	}

	protected override readBytes({ position, sparse }: TarNode, offset: number, target: Uint8Array): void {
		if (sparse === undefined) this.#source.read(position + offset, target);
		else this.#readSparse(sparse, offset, target);
	}

	/**
	 * Puts a member where its name says. A later one of the same name counts, as when the archive is unpacked.
	 *
	 * @throws MalformedError (`tar`) for a name or a link that leads out of the tree, or makes no tree.
	 */
	addMember(member: TarMember): void {
		const { header } = member;
		const names = namesOf(header.name);
		const last = names.pop();
		if (last === undefined) {
			this.#describe(this.node(this.root), member);
			return;
		}
		const parent = names.reduce((at, name) => this.#makeDirectory(at, name, header.name), this.root);
		if (header.type === "1") this.#link(parent, last, member);
		else this.#place(parent, last, member);
	}

	#place(parent: number, name: string, member: TarMember): void {
		const { header, position, sparse } = member;
		const type = typeOf(member);
		const before = this.directory(parent).entries.get(name);
		if (type === "directory" && before !== undefined && this.node(before.ino).type === "directory") {
			this.#describe(this.node(before.ino), member);
			return;
		}
		const isFile = type === "file";
		const size = isFile ? (sparse?.size ?? header.size) : type === "symlink" ? header.linkName.length : 0;
		const target = type === "symlink" ? header.linkName : "";
		const isDevice = type === "block" || type === "character";
		const device = isDevice ? { major: header.major, minor: header.minor } : {};
		const bytes = { position, sparse: isFile ? sparse : undefined };
		const node = this.#make(type, parent, { size, target, ...bytes, ...device });
		this.#describe(node, member);
		this.bytes += size;
		this.#enter(parent, name, node, header.name);
	}

	/** A hard link names a member that came before it, by its name in the archive. */
	#link(parent: number, name: string, { header }: TarMember): void {
		const node = this.node(this.#find(namesOf(header.linkName), header));
		if (node.type === "directory") throw malformed(header.name, "is a hard link to a directory");
		if (this.directory(parent).entries.get(name)?.ino === node.ino) return;
		node.nlink += 1;
		this.#enter(parent, name, node, header.name);
	}

	#find(names: readonly string[], { name, linkName }: TarMember["header"]): number {
		let at = this.root;
		for (const each of names) {
			const next = this.node(at).entries?.get(each);
			if (next === undefined)
				throw malformed(name, `is a hard link to ${shown(linkName)}, which is not in the archive`);
			at = next.ino;
		}
		return at;
	}

	/** The directory of this name; made where the archive has none. */
	#makeDirectory(parent: number, name: string, path: string): number {
		const entry = this.directory(parent).entries.get(name);
		if (entry === undefined) {
			const node = this.#make("directory", parent, NO_BYTES);
			this.#enter(parent, name, node, path);
			return node.ino;
		}
		const { type } = this.node(entry.ino);
		if (type !== "directory") throw malformed(path, `lies below ${shown(name)}, which is a ${type}`);
		return entry.ino;
	}

	#enter(parent: number, name: string, node: TarNode, path: string): void {
		if (name.length > NAME_MAX) throw malformed(path, `has a name of ${name.length} bytes, at most ${NAME_MAX}`);
		const { node: directory, entries } = this.directory(parent);
		const before = entries.get(name);
		if (before !== undefined) this.#remove(directory, this.node(before.ino), path);
		this.name(parent, name, node);
	}

	/** Its number stays unused: nothing leads to it any more. */
	#remove(directory: TarNode, node: TarNode, path: string): void {
		if (node.entries !== undefined && node.entries.size > 0)
			throw malformed(path, "takes the place of a directory that is not empty");
		node.nlink -= 1;
		if (node.type === "directory") directory.nlink -= 1;
	}

	#describe(node: TarNode, { header, mtime, atime, ctime }: TarMember): void {
		const { mode, uid, gid } = header;
		Object.assign(node, { mode, uid, gid, mtime, atime, ctime });
	}

	#make(type: FileType, parent: number, more: Partial<IndexedNode> & TarBytes): TarNode {
		if (this.count < MOST_MEMBERS) return this.add(type, parent, more);
		throw new UnsupportedError("tar", `tar: more than ${MOST_MEMBERS} files in an archive`);
	}

	#readSparse({ runs }: SparseFile, offset: number, target: Uint8Array): void {
		target.fill(0);
		const end = offset + target.length;
		for (let index = firstBehind(runs, offset); index < runs.length; index++) {
			const run = runs[index];
			if (run === undefined || run.offset >= end) return;
			const from = Math.max(run.offset, offset);
			const to = Math.min(run.offset + run.length, end);
			this.#source.read(run.position + from - run.offset, target.subarray(from - offset, to - offset));
		}
	}
}

/** Index of the first run that ends behind a byte. */
function firstBehind(runs: SparseFile["runs"], offset: number): number {
	let low = 0;
	let high = runs.length;
	while (low < high) {
		const middle = (low + high) >> 1;
		const run = runs[middle];
		if (run !== undefined && run.offset + run.length <= offset) low = middle + 1;
		else high = middle;
	}
	return low;
}

/** A type that nobody knows is a file, as POSIX demands; so is a name that ends in a slash a directory, in the oldest format. */
function typeOf({ header }: TarMember): FileType {
	if (header.type === "0" && header.name.endsWith("/")) return "directory";
	return TYPES[header.type] ?? "file";
}

/** The names in a path, from the root of the tree on. @throws MalformedError (`tar`) for one that leads elsewhere. */
function namesOf(path: string): string[] {
	if (path.startsWith("/"))
		throw malformed(path, "is an absolute name: pack a root file system with `tar -C ROOT -cf FILE .`");
	const names = path.split("/").filter((name) => name !== "" && name !== ".");
	if (names.includes("..")) throw malformed(path, "leads out of the tree");
	return names;
}

function malformed(path: string, what: string): MalformedError {
	return new MalformedError("tar", `tar: ${shown(path)} ${what}`);
}

function shown(path: string): string {
	return nameToUtf8(path.slice(0, 200));
}

/** Reads an archive's members into a tree; goes on where a `BlockFault` stopped it. */
export class TarIndexer {
	readonly #reader: TarReader;
	readonly #tree: TarTree;

	constructor(source: BlockSource, options?: TarOptions) {
		this.#reader = new TarReader(source);
		this.#tree = new TarTree(source, options);
	}

	/** @throws BlockFault: call again. @throws MalformedError, UnsupportedError (`tar`). */
	run(): TarTree {
		for (let member = this.#reader.next(); member !== undefined; member = this.#reader.next())
			this.#tree.addMember(member);
		this.#tree.identity = this.#reader.identity();
		if (!this.#reader.hasEnd) this.#tree.findings.push("the archive has no end: it may have been cut off");
		return this.#tree;
	}
}
