import { type Attributes, BlockFault } from "../../../base/index.ts";
import { findAttributes, postOpAttrBytes, writeAttributes } from "../attributes.ts";
import { failWithAttributes, type Nfs3Call, type Nfs3Procedure } from "../call.ts";
import { parentOf } from "../entries.ts";
import { cookieVerifier, entryBytes, listDirectory, listingBytes, maxListing, readPosition } from "../listing.ts";
import { MAY_READ, requireDirectory } from "../permissions.ts";
import type { NfsNode } from "../port.ts";
import { NFS3ERR_TOOSMALL, Nfs3Failure } from "../status.ts";

interface Entry {
	readonly name: string;
	readonly ino: number;
	readonly cookie: number;
}

interface Details {
	readonly attributes: Attributes;
	readonly handle: Buffer;
}

/** The shortest post_op_fh3 that we expect, to guess how many entries will fit. */
const shortHandleBytes = 4 + 4 + 8;

/**
 * How often one call waits for inodes that are not in memory. Each wait brings many of them, as they lie together; what is
 * still missing then is left out, and the client asks for it when it needs it.
 */
const maxWaits = 8;

/**
 *     struct READDIRPLUS3args  { nfs_fh3 dir; cookie3 cookie; cookieverf3 cookieverf; count3 dircount; count3 maxcount; };
 *     struct entryplus3        { fileid3 fileid; filename3 name; cookie3 cookie;
 *                                post_op_attr name_attributes; post_op_fh3 name_handle; entryplus3 *nextentry; };
 *     struct READDIRPLUS3resok { post_op_attr dir_attributes; cookieverf3 cookieverf; entryplus3 *entries; bool eof; };
 *
 * dircount bounds the entries without attributes and handles, maxcount the whole of READDIRPLUS3resok.
 */
export const readdirplus: Nfs3Procedure = {
	name: "READDIRPLUS",
	number: 17,
	kind: "query",
	run(call) {
		const { args, out } = call;
		const position = readPosition(args);
		const dircount = args.u32("dircount");
		const maxcount = Math.min(args.u32("maxcount"), maxListing);
		const directory = call.tree.getattr(call.ino);
		requireDirectory(call.rpc, directory, MAY_READ);
		const { entries, end } = collect(call, position, dircount, maxcount);
		writeAttributes(call.ok(), directory);
		out.fixed(cookieVerifier);
		const written = writeEntries(call, entries, maxcount);
		const eof = end && written === entries.length;
		if (written === 0 && !(eof && listingBytes <= maxcount)) {
			throw new Nfs3Failure(NFS3ERR_TOOSMALL, `maxcount ${maxcount} holds no entry`);
		}
		out.bool(false).bool(eof);
		return undefined;
	},
	fail: failWithAttributes,
};

/** The entries that may fit; the first is taken even when dircount is too small for it, so that clients get on. */
function collect(call: Nfs3Call, position: number, dircount: number, maxcount: number) {
	const entries: Entry[] = [];
	let names = 0;
	let total = listingBytes;
	const end = listDirectory(call.exported, call.node, position, (name, ino, cookie) => {
		names += entryBytes(name);
		total += entryBytes(name) + postOpAttrBytes + shortHandleBytes;
		if (entries.length > 0 && (names > dircount || total > maxcount)) return false;
		entries.push({ name, ino, cookie });
		return true;
	});
	return { entries, end };
}

/** Writes entries until maxcount is full; gives how many. */
function writeEntries(call: Nfs3Call, entries: readonly Entry[], maxcount: number): number {
	const { out } = call;
	let used = listingBytes;
	for (const [index, entry] of entries.entries()) {
		const details = findDetails(call, entry);
		used += entryBytes(entry.name) + detailBytes(details);
		if (used > maxcount) return index;
		out.u32(1).u64(entry.ino).string(entry.name).u64(entry.cookie);
		if (details === undefined) out.u32(0).u32(0);
		else {
			writeAttributes(out, details.attributes);
			out.u32(1).opaque(details.handle);
		}
	}
	return entries.length;
}

function detailBytes(details: Details | undefined): number {
	if (details === undefined) return 8;
	return postOpAttrBytes + 8 + details.handle.length + (-details.handle.length & 3);
}

function nodeOf(call: Nfs3Call, { name, ino }: Entry): NfsNode {
	if (name === ".") return call.node;
	if (name === "..") return parentOf(call.exported, call.node);
	return call.exported.cross({ tree: call.tree, ino });
}

/** Undefined for what is not at hand and for a broken inode: one of them shall not hide the rest of its directory. */
function findDetails(call: Nfs3Call, entry: Entry): Details | undefined {
	try {
		const node = nodeOf(call, entry);
		const attributes = findAttributes(node);
		return attributes === undefined ? undefined : { attributes, handle: call.exported.handleOf(node) };
	} catch (error) {
		if (!(error instanceof BlockFault)) call.reporter.status(error);
		else if (call.rpc.attempt < maxWaits) throw error;
		return undefined;
	}
}
