/** What READDIR and READDIRPLUS share: cookies, sizes, and the order of entries. */
import type { XdrReader } from "../rpc/index.ts";
import { postOpAttrBytes } from "./attributes.ts";
import { parentOf } from "./entries.ts";
import type { NfsExport, NfsNode } from "./port.ts";
import { NFS3ERR_BAD_COOKIE, Nfs3Failure } from "./status.ts";

/** The most that one call gives, whatever the client asks for: dtpref of FSINFO. */
export const maxListing = 64 << 10;

/** Cookies are good for the life of the directory, so there is nothing for a verifier to tell. */
export const cookieVerifier = Buffer.alloc(8);
const verifierBytes = 8;

/** dir_attributes, cookieverf, the end of the list and eof. */
export const listingBytes = postOpAttrBytes + verifierBytes + 8;

/** Cookies on the wire: 0 begins, 1 is behind `.`, 2 behind `..`; a tree's own cookies, which begin at 1, follow. */
const behindDot = 1;
const behindDotDot = 2;
const maxCookie = 2 ** 31 + behindDotDot;

/** An entry without attributes and handle: value_follows, fileid, name, cookie. */
export function entryBytes(name: string): number {
	return 4 + 8 + 4 + name.length + (-name.length & 3) + 8;
}

/** Reads cookie and cookieverf. */
export function readPosition(args: XdrReader): number {
	const cookie = args.u64("cookie");
	args.fixed(verifierBytes, "cookieverf");
	if (cookie > maxCookie) throw new Nfs3Failure(NFS3ERR_BAD_COOKIE, `no entry has the cookie ${cookie}`);
	return cookie;
}

/**
 * Gives the entries behind a cookie of the wire, `.` and `..` first, until `visit` says false.
 *
 * @returns true when the end was reached.
 */
export function listDirectory(
	exported: NfsExport,
	node: NfsNode,
	position: number,
	visit: (name: string, ino: number, cookie: number) => boolean,
): boolean {
	const { tree, ino } = node;
	if (position < behindDot && !visit(".", ino, behindDot)) return false;
	if (position < behindDotDot && !visit("..", parentOf(exported, node).ino, behindDotDot)) return false;
	const cookie = Math.max(position - behindDotDot, 0);
	return tree.readdir(ino, cookie, (entry) => visit(entry.name, entry.ino, entry.cookie + behindDotDot));
}
