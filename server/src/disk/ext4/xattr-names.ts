/** What Linux shows of an extended attribute: its full name, and access control lists in the form that users get. */
import { malformed } from "./errors.ts";
import type { XattrEntry } from "./xattr.ts";

const PREFIXES: readonly (string | undefined)[] = [
	"",
	"user.",
	"system.posix_acl_access",
	"system.posix_acl_default",
	"trusted.",
	undefined,
	"security.",
	"system.",
	"system.richacl",
];
const ACL_INDEXES = [2, 3];

const INDEX_SYSTEM = 7;

/** `system.data` is the end of the file's own bytes, not an attribute of it. */
export function isShown(entry: XattrEntry): boolean {
	return entry.index !== INDEX_SYSTEM || entry.name !== "data";
}

/** The name as `getfattr` prints it. */
export function xattrName(entry: XattrEntry, place: string): string {
	const prefix = PREFIXES[entry.index];
	if (prefix === undefined) throw malformed(place, `e_name_index is ${entry.index}, which has no meaning`);
	return prefix + entry.name;
}

/** The value as `getfattr` prints it. */
export function xattrValue(entry: XattrEntry, stored: Buffer, place: string): Buffer {
	return ACL_INDEXES.includes(entry.index) ? userAcl(stored, place) : stored;
}

const EXT4_ACL_VERSION = 1;
const POSIX_ACL_XATTR_VERSION = 2;
const NO_ID = 0xffffffff;
/** ACL_USER and ACL_GROUP: the entries that name somebody. */
const TAGS_WITH_ID = [0x02, 0x08];

/** On the disk an entry without an id has 4 bytes, with one 8; users always get 8. */
function userAcl(stored: Buffer, place: string): Buffer {
	const version = stored.length >= 4 ? stored.readUInt32LE(0) : undefined;
	if (version !== EXT4_ACL_VERSION) throw malformed(place, `an access control list has version ${version}, expected 1`);
	const head = Buffer.alloc(4);
	head.writeUInt32LE(POSIX_ACL_XATTR_VERSION);
	const parts = [head];
	for (let at = 4; at < stored.length; ) {
		const size = at + 4 <= stored.length && TAGS_WITH_ID.includes(stored.readUInt16LE(at)) ? 8 : 4;
		if (at + size > stored.length) throw malformed(place, `an access control list is cut off at offset ${at}`);
		const entry = Buffer.alloc(8);
		entry.writeUInt32LE(NO_ID, 4);
		stored.copy(entry, 0, at, at + size);
		parts.push(entry);
		at += size;
	}
	return Buffer.concat(parts);
}
