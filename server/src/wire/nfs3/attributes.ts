/** Attributes on the wire: `fattr3`, `post_op_attr`, `wcc_data`, `sattr3` (RFC 1813 sections 2.5 and 2.6). */
import { type Attributes, FileError, type FileTime, type FileType } from "../../base/index.ts";
import { XdrError, type XdrReader, type XdrWriter } from "../rpc/index.ts";
import type { NfsAttributeChanges, NfsNode } from "./port.ts";

/** enum ftype3 */
const ftype3: Readonly<Record<FileType, number>> = {
	file: 1,
	directory: 2,
	block: 3,
	character: 4,
	symlink: 5,
	socket: 6,
	fifo: 7,
};

const fattr3Bytes = 84;
export const postOpAttrBytes = 4 + fattr3Bytes;

/** nfstime3 counts unsigned seconds: what was before 1970 is told as 1970. */
function writeTime(out: XdrWriter, time: FileTime): void {
	out.u32(Math.min(Math.max(time.sec, 0), 0xffff_ffff)).u32(time.nsec);
}

/**
 *     struct fattr3 {
 *        ftype3 type;  mode3 mode;  uint32 nlink;  uid3 uid;  gid3 gid;
 *        size3 size;  size3 used;  specdata3 rdev;  uint64 fsid;  fileid3 fileid;
 *        nfstime3 atime;  nfstime3 mtime;  nfstime3 ctime;
 *     };
 */
export function writeFattr3(out: XdrWriter, attributes: Attributes): void {
	out.reserve(fattr3Bytes);
	out.u32(ftype3[attributes.type]).u32(attributes.mode).u32(attributes.nlink).u32(attributes.uid).u32(attributes.gid);
	out.u64(attributes.size).u64(attributes.used).u32(attributes.major).u32(attributes.minor);
	out.u64(attributes.fsid).u64(attributes.ino);
	writeTime(out, attributes.atime);
	writeTime(out, attributes.mtime);
	writeTime(out, attributes.ctime);
}

/** `post_op_attr` of attributes that are at hand. */
export function writeAttributes(out: XdrWriter, attributes: Attributes): void {
	out.u32(1);
	writeFattr3(out, attributes);
}

/** The attributes of a file, or undefined when it is gone. */
export function findAttributes(node: NfsNode): Attributes | undefined {
	try {
		return node.tree.getattr(node.ino);
	} catch (error) {
		if (error instanceof FileError) return undefined;
		throw error;
	}
}

/** `post_op_attr` of a file as it is now. */
export function writePostOpAttr(out: XdrWriter, node: NfsNode | undefined): void {
	const attributes = node === undefined ? undefined : findAttributes(node);
	if (attributes === undefined) out.u32(0);
	else writeAttributes(out, attributes);
}

/** `wcc_attr`: what a client compares to see whether somebody else changed the file too. */
export interface WccAttributes {
	readonly size: number;
	readonly mtime: FileTime;
	readonly ctime: FileTime;
}

/** Copies what a change is about to change. */
export function wccOf({ size, mtime, ctime }: Attributes): WccAttributes {
	return { size, mtime: { ...mtime }, ctime: { ...ctime } };
}

/**
 *     struct wcc_data {
 *        pre_op_attr   before;   // union switch (bool) { case TRUE: wcc_attr; }
 *        post_op_attr  after;
 *     };
 */
export function writeWcc(out: XdrWriter, before: WccAttributes | undefined, after: NfsNode | undefined): void {
	out.bool(before !== undefined);
	if (before !== undefined) {
		out.u64(before.size);
		writeTime(out, before.mtime);
		writeTime(out, before.ctime);
	}
	writePostOpAttr(out, after);
}

/** enum time_how */
const SET_TO_SERVER_TIME = 1;
const SET_TO_CLIENT_TIME = 2;

export function readTime(args: XdrReader): FileTime {
	const sec = args.u32("seconds");
	const nsec = args.u32("nseconds");
	if (nsec > 999_999_999) throw new XdrError(`nseconds must be below 10^9, got ${nsec}`);
	return { sec, nsec };
}

function readSetTime(args: XdrReader): FileTime | "now" | undefined {
	const how = args.u32("time_how");
	if (how === SET_TO_CLIENT_TIME) return readTime(args);
	if (how > SET_TO_CLIENT_TIME) throw new XdrError(`time_how must be 0 to 2, got ${how}`);
	return how === SET_TO_SERVER_TIME ? "now" : undefined;
}

/**
 *     struct sattr3 {
 *        set_mode3 mode;  set_uid3 uid;  set_gid3 gid;  set_size3 size;   // each: bool, then the value
 *        set_atime atime;  set_mtime mtime;                              // each: time_how, then the time
 *     };
 */
export function readSattr3(args: XdrReader): NfsAttributeChanges {
	const mode = args.bool("set_mode3") ? args.u32("mode") & 0o7777 : undefined;
	const uid = args.bool("set_uid3") ? args.u32("uid") : undefined;
	const gid = args.bool("set_gid3") ? args.u32("gid") : undefined;
	const size = args.bool("set_size3") ? args.u64("size") : undefined;
	const atime = readSetTime(args);
	const mtime = readSetTime(args);
	return {
		...(mode !== undefined && { mode }),
		...(uid !== undefined && { uid }),
		...(gid !== undefined && { gid }),
		...(size !== undefined && { size }),
		...(atime !== undefined && { atime }),
		...(mtime !== undefined && { mtime }),
	};
}
