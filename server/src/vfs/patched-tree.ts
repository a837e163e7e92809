/**
 * A tree with patches over it: a few files of the image read differently, some are gone, some are new. It stands between
 * the image and a device's layer.
 *
 * A changed file keeps its inode number. Files that are not in the image get numbers from their paths, in a range that no
 * image reaches, so they are the same after a restart.
 */
import { createHash } from "node:crypto";
import {
	type Attributes,
	BugError,
	type DirectoryEntry,
	errorText,
	FileError,
	type FileSystemStatistics,
	MalformedError,
	nameToUtf8,
} from "../base/index.ts";
import { checkNameLength } from "./names.ts";
import type { Patch, PatchFile } from "./patch.ts";
import { directoryWith, nodeOf, type PatchedNode, timeOf } from "./patched-node.ts";
import { findPlace, lookupOrNothing, type Place } from "./patched-place.ts";
import { readFile } from "./path.ts";
import type { FileTree } from "./tree.ts";

/** Inode numbers and cookies of what patches add: above all that an image uses, below the layer's own. */
export const PATCHED_FIRST = 0x4000_0000;
export const PATCHED_LAST = 0x4fff_ffff;

/** A patch that looks at more than this is not about a configuration file. */
const MOST_CONTENT = 64 * 1024 * 1024;

export interface AppliedPatch {
	readonly path: string;
	readonly why: string;
}

export interface SkippedPatch extends AppliedPatch {
	readonly reason: string;
}

/** How the entries of a directory differ from the image's. */
interface PatchedDirectory {
	/** The parent of a directory that the image does not have. */
	readonly parent: number | undefined;
	readonly hidden: Set<string>;
	readonly entries: Map<string, DirectoryEntry>;
}

/** See the head of this file. Names of directories on `base` must be told apart by their bytes (no vfat). */
export class PatchedTree implements FileTree {
	readonly root: number;
	/** What was changed, in the order of the paths. */
	readonly applied: readonly AppliedPatch[];
	/** What could not be, and why: a file stands where a directory should be, the place is unreadable. */
	readonly skipped: readonly SkippedPatch[];
	readonly #base: FileTree;
	/** `undefined` as a value: the inode is gone. */
	readonly #nodes = new Map<number, PatchedNode | undefined>();
	readonly #directories = new Map<number, PatchedDirectory>();

	/**
	 * Applies the patches, sorted by their paths; those of one path in their given order, each on the result of the one
	 * before.
	 *
	 * @throws BlockFault: try again when it is ready.
	 */
	constructor(base: FileTree, patches: readonly Patch[]) {
		this.#base = base;
		this.root = base.root;
		const applied: AppliedPatch[] = [];
		const skipped: SkippedPatch[] = [];
		for (const patch of patches.toSorted((a, b) => compare(a.path, b.path))) {
			const { path, why } = patch;
			const outcome = this.#tryToApply(patch);
			if (outcome === "applied") applied.push({ path, why });
			else if (outcome !== "left alone") skipped.push({ path, why, ...outcome });
		}
		for (const [ino, directory] of this.#directories) this.#touchDirectory(ino, directory);
		this.applied = applied;
		this.skipped = skipped;
	}

	/** Whether this file is not, or not as it is, in the image; its content may differ after a restart. */
	isPatched(ino: number): boolean {
		return isAdded(ino) ? this.#nodes.get(ino) !== undefined : this.#nodes.get(ino)?.content !== undefined;
	}

	getattr(ino: number): Attributes {
		return this.#node(ino)?.attributes ?? this.#base.getattr(ino);
	}

	generation(ino: number): number {
		this.#node(ino);
		return isAdded(ino) ? 0 : this.#base.generation(ino);
	}

	lookup(directory: number, name: string): number {
		const changes = this.#changes(directory);
		if (changes === undefined) return this.#base.lookup(directory, name);
		checkNameLength(name);
		const entry = changes.entries.get(name);
		if (entry !== undefined) return entry.ino;
		if (changes.parent !== undefined || changes.hidden.has(name)) throw new FileError("ENOENT");
		return this.#base.lookup(directory, name);
	}

	parent(directory: number): number {
		return this.#changes(directory)?.parent ?? this.#base.parent(directory);
	}

	readlink(ino: number): Buffer {
		const node = this.#node(ino);
		if (node?.content === undefined && !isAdded(ino)) return this.#base.readlink(ino);
		if (node?.attributes.type !== "symlink" || node.content === undefined) {
			throw new FileError("EINVAL", `inode ${ino} is not a symbolic link`);
		}
		return node.content;
	}

	read(ino: number, offset: number, target: Uint8Array): number {
		const node = this.#node(ino);
		if (node?.content === undefined && !isAdded(ino)) return this.#base.read(ino, offset, target);
		if (node?.attributes.type === "directory") throw new FileError("EISDIR");
		if (node?.attributes.type !== "file" || node.content === undefined) {
			throw new FileError("EINVAL", `inode ${ino} is not a file`);
		}
		const piece = node.content.subarray(offset, offset + target.length);
		target.set(piece);
		return piece.length;
	}

	readdir(directory: number, cookie: number, visit: (entry: DirectoryEntry) => boolean): boolean {
		const changes = this.#changes(directory);
		if (changes === undefined) return this.#base.readdir(directory, cookie, visit);
		if (changes.parent === undefined && cookie < PATCHED_FIRST) {
			const done = this.#base.readdir(directory, cookie, (entry) => changes.hidden.has(entry.name) || visit(entry));
			if (!done) return false;
		}
		const added = [...changes.entries.values()].filter((entry) => entry.cookie > cookie);
		return added.sort((a, b) => a.cookie - b.cookie).every(visit);
	}

	statfs(): FileSystemStatistics {
		return this.#base.statfs();
	}

	/** What patches made of an inode. @throws FileError ESTALE when they took it away. */
	#node(ino: number): PatchedNode | undefined {
		const node = this.#nodes.get(ino);
		if (node === undefined && (isAdded(ino) || this.#nodes.has(ino))) throw new FileError("ESTALE", `no inode ${ino}`);
		return node;
	}

	/** How a directory was changed. @throws FileError ESTALE, ENOTDIR for what only patches know not to be one. */
	#changes(directory: number): PatchedDirectory | undefined {
		const node = this.#node(directory);
		if (node !== undefined && node.attributes.type !== "directory") throw new FileError("ENOTDIR");
		return this.#directories.get(directory);
	}

	#tryToApply(patch: Patch): "applied" | "left alone" | { reason: string } {
		try {
			return this.#apply(patch) ? "applied" : "left alone";
		} catch (error) {
			const placeIsBad = error instanceof MalformedError || (error instanceof FileError && error.code !== "EAGAIN");
			if (!placeIsBad) throw error;
			return { reason: errorText(error) };
		}
	}

	#apply(patch: Patch): boolean {
		const place = findPlace(this, patch.path);
		const ino = place.missing.length > 0 ? undefined : lookupOrNothing(this, place.directory, place.name);
		const below = ino === undefined ? undefined : this.#describe(ino);
		const wanted = patch.change(below);
		if (wanted === undefined || (wanted === "remove" && ino === undefined)) return false;
		if (wanted === "remove") this.#detach(place.directory, place.name);
		else if (below !== undefined && isSame(below, wanted)) return false;
		else this.#put(place, ino, wanted);
		return true;
	}

	/** What a patch gets to see; undefined for a device, FIFO or socket, which patches have no words for. */
	#describe(ino: number): PatchFile | undefined {
		const { type, mode, uid, gid } = this.getattr(ino);
		if (type === "symlink") return { type, target: this.readlink(ino).toString("utf8") };
		if (type === "directory") return { type, mode, uid, gid };
		if (type !== "file") return undefined;
		const read = () => readFile(this, ino, MOST_CONTENT);
		let content: Buffer | undefined;
		return {
			type,
			mode,
			uid,
			gid,
			/** Read when asked for: a swap file is removed unseen. */
			get content() {
				content ??= read();
				return content;
			},
		};
	}

	#put(place: Place, ino: number | undefined, file: PatchFile): void {
		if (ino === undefined) {
			this.#add(this.#makeParents(place), [...place.trail, ...place.missing], place.name, file);
			return;
		}
		const before = this.getattr(ino);
		if (before.type === "directory" && file.type === "directory") {
			this.#nodes.set(ino, directoryWith(file, before));
		} else if (before.type !== "directory" && file.type !== "directory" && before.nlink === 1) {
			this.#nodes.set(ino, nodeOf(file, ino, before));
		} else {
			// Its other names keep the image's file, as when a program writes a new file and renames it over this name.
			this.#detach(place.directory, place.name);
			this.#add(place.directory, place.trail, place.name, file);
		}
	}

	#makeParents({ directory, trail, missing }: Place): number {
		const path = [...trail];
		let at = directory;
		for (const name of missing) {
			at = this.#add(at, path, name, { type: "directory", mode: 0o755, uid: 0, gid: 0 });
			path.push(name);
		}
		return at;
	}

	/** @param trail the names from the root to `directory`. */
	#add(directory: number, trail: readonly string[], name: string, file: PatchFile): number {
		const ino = this.#freeIno(`/${[...trail, name].join("/")}`);
		this.#nodes.set(ino, nodeOf(file, ino, this.getattr(directory)));
		this.#directory(directory).entries.set(name, { name, ino, cookie: ino });
		if (file.type === "directory") {
			this.#directories.set(ino, { parent: directory, hidden: new Set(), entries: new Map() });
			this.#addLinks(directory, 1);
		}
		return ino;
	}

	#detach(directory: number, name: string): void {
		const ino = this.lookup(directory, name);
		const changes = this.#directory(directory);
		if (!changes.entries.delete(name)) changes.hidden.add(name);
		const attributes = this.getattr(ino);
		if (attributes.type === "directory") {
			this.#nodes.set(ino, undefined);
			this.#directories.delete(ino);
			this.#addLinks(directory, -1);
		} else if (attributes.nlink > 1) {
			const nlink = attributes.nlink - 1;
			const ctime = timeOf(attributes, [nlink]);
			this.#nodes.set(ino, { attributes: { ...attributes, nlink, ctime }, content: this.#nodes.get(ino)?.content });
		} else {
			this.#nodes.set(ino, undefined);
		}
	}

	#directory(ino: number): PatchedDirectory {
		const known = this.#directories.get(ino);
		if (known !== undefined) return known;
		const fresh = { parent: undefined, hidden: new Set<string>(), entries: new Map<string, DirectoryEntry>() };
		this.#directories.set(ino, fresh);
		return fresh;
	}

	/** A subdirectory came or went. A directory with a link count of 1 has more than ext4 can count, and keeps it. */
	#addLinks(directory: number, count: number): void {
		const attributes = this.getattr(directory);
		if (attributes.nlink === 1) return;
		this.#nodes.set(directory, { attributes: { ...attributes, nlink: attributes.nlink + count }, content: undefined });
	}

	#touchDirectory(ino: number, { entries, hidden }: PatchedDirectory): void {
		const attributes = this.getattr(ino);
		const time = timeOf(attributes, [...[...entries.keys()].sort(), "/", ...[...hidden].sort()]);
		this.#nodes.set(ino, { attributes: { ...attributes, mtime: time, ctime: time }, content: undefined });
	}

	/** A number from the path; the next free one where two paths want the same. */
	#freeIno(path: string): number {
		const range = PATCHED_LAST - PATCHED_FIRST + 1;
		const start = createHash("sha256").update(path, "latin1").digest().readUInt32BE(0) % range;
		for (let step = 0; step < range; step++) {
			const ino = PATCHED_FIRST + ((start + step) % range);
			if (!this.#nodes.has(ino)) return ino;
		}
		throw new BugError(`no inode number is free for ${nameToUtf8(path)}`);
	}
}

function isAdded(ino: number): boolean {
	return ino >= PATCHED_FIRST;
}

function isSame(a: PatchFile, b: PatchFile): boolean {
	if (a.type === "symlink") return b.type === "symlink" && a.target === b.target;
	if (b.type === "symlink" || a.type !== b.type || a.mode !== b.mode || a.uid !== b.uid || a.gid !== b.gid)
		return false;
	return a.type === "directory" || (b.type === "file" && a.content.equals(b.content));
}

function compare(a: string, b: string): number {
	if (a === b) return 0;
	return a < b ? -1 : 1;
}
