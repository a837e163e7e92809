/**
 * A directory of the host as a tree: a root file system that somebody prepared there. Owners, modes, times and devices are
 * what they are on the host. Names and attributes are in memory, as one look over everything found them, so that the tree
 * is the same for as long as it is open; the bytes of a file are read when they are asked for, and given only while the file
 * is still the one that was found.
 *
 * Numbers are counted in the order of the names: the same directory has the same ones after a restart, however large the
 * host's own are. What is mounted in it is not part of it.
 */
import { type Clock, nameToUtf8 } from "../../base/index.ts";
import { type IndexedNode, IndexedTree } from "../indexed-tree.ts";
import { hostTime } from "./host-attributes.ts";
import type { HostFolder } from "./host-folder.ts";
import { type DirectoryState, OpenFiles } from "./open-files.ts";
import type { ScannedFile, ScanResult } from "./scan.ts";

interface HostFile {
	/** Where it was found first: the directory, and its name there. */
	readonly place: number;
	readonly placeName: string;
	/** What it has to be still, to be read. */
	readonly stamp: {
		readonly size: number;
		readonly mtimeNs: bigint;
		readonly ctimeNs: bigint;
		readonly hostIno: bigint;
	};
}

type HostNode = IndexedNode & HostFile;

/** Looks a directory over, see `scan`. */
export type Scanner = (base: string, visit: (file: ScannedFile) => void) => ScanResult | Promise<ScanResult>;

export interface HostTreeOptions {
	readonly fsid?: number;
	readonly clock?: Clock;
}

/** See the head of this file. */
export class HostTree extends IndexedTree<HostFile> {
	/** Names the directory as it was when it was looked over. */
	identity = "";
	/** Stays the same, whatever changes in it. */
	readonly folderIdentity: string;
	/** Sentences about what of it a Pi does not get. */
	readonly findings: string[] = [];
	readonly #base: string;
	readonly #files: OpenFiles;

	/** Empty until it is filled. @param folder stays the caller's to close. */
	constructor(folder: HostFolder, state: DirectoryState, { fsid = 1, clock }: HostTreeOptions = {}) {
		super(fsid);
		this.#base = folder.base;
		this.#files = new OpenFiles(folder.base, state, clock);
		this.folderIdentity = folder.identity;
	}

	/** To be called once. @throws what the scanner throws; the tree is of no use then. */
	async fill(scanner: Scanner): Promise<ScanResult> {
		const result = await scanner(this.#base, (file) => this.#take(file));
		this.identity = result.identity;
		this.findings.push(...findingsOf(result));
		return result;
	}

	/** Resolves when none of its files is open. */
	close(): Promise<void> {
		return this.#files.close();
	}

	protected override readBytes(node: HostNode, offset: number, target: Uint8Array): void {
		this.#files.read(node.ino, () => this.#namesOf(node), node.stamp, offset, target);
	}

	#take(file: ScannedFile): void {
		const isRoot = this.count === 0;
		const node = file.ino < this.root + this.count ? this.node(file.ino) : this.#make(file);
		if (isRoot) return;
		this.name(file.parent, file.name, node);
		if (node.type !== "directory") node.nlink = this.#isNew(node, file) ? 1 : node.nlink + 1;
	}

	/** Whether this is the name under which it was found first. */
	#isNew({ place, placeName }: HostNode, { parent, name }: ScannedFile): boolean {
		return place === parent && placeName === name;
	}

	#make(file: ScannedFile): HostNode {
		const { type, mode, uid, gid, size, used, major, minor, mtimeNs, ctimeNs, hostIno, target } = file;
		const mtime = hostTime(mtimeNs);
		const times = { mtime, atime: mtime, ctime: hostTime(ctimeNs) };
		if (type === "file") this.bytes += size;
		return this.add(type, file.parent, {
			...{ mode, uid, gid, major, minor, target, ...times },
			...(type === "directory" ? {} : { size, used }),
			...{ place: file.parent, placeName: file.name, stamp: { size, mtimeNs, ctimeNs, hostIno } },
		});
	}

	#namesOf(node: HostNode): string[] {
		const names: string[] = [];
		for (let at = node; at.ino !== this.root; at = this.node(at.place)) names.unshift(at.placeName);
		return names;
	}
}

function findingsOf({ unreadable, unreadableNames, mounts, hasRootOwner }: ScanResult): string[] {
	const findings: string[] = [];
	if (unreadable > 0) {
		const others = unreadable > unreadableNames.length ? ", ..." : "";
		const named = unreadableNames.map(nameToUtf8).join(", ") + others;
		findings.push(
			`the server may not read ${unreadable} of its files (${named}), so no Pi can either: run the server as root, or pack it by root into a tar`,
		);
	}
	if (!hasRootOwner) {
		findings.push(
			"nothing in it belongs to root: it was unpacked without root's rights, which loses owners and device files, and programs like sudo fail. Unpack it again as root, or put the archive itself into the images folder",
		);
	}
	for (const mount of mounts.slice(0, 3)) {
		findings.push(`something is mounted at /${nameToUtf8(mount)}, which is an empty directory for the Pi`);
	}
	return findings;
}
