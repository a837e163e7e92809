/**
 * File handles (`nfs_fh3`): they name a root, a volume and an inode, and are signed with the key of this installation, so
 * that nobody makes one up and a restart of the server changes none.
 *
 *     0   1   version
 *     1   8   root: the id of the layer, or of the image's build for a read-only root
 *     9   3   fsid
 *    12   4   inode
 *    16   4   generation
 *    20  16   HMAC-SHA256 of the bytes before, cut
 */
import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from "node:crypto";
import { BugError, FileError } from "../base/index.ts";

export const HANDLE_BYTES = 36;

const VERSION = 1;
const ROOT_AT = 1;
const FSID_AT = 9;
const INO_AT = 12;
const GENERATION_AT = 16;
const SIGNATURE_AT = 20;
const KEY_BYTES_MIN = 16;

/** What a handle says. */
export interface FileHandle {
	/** 8 bytes. */
	readonly root: Buffer;
	/** Below 2^24. */
	readonly fsid: number;
	/** Below 2^32. */
	readonly ino: number;
	/** 32 bits. */
	readonly generation: number;
}

export class HandleCodec {
	/** As an object, because a key of bytes is made into one for every signature, which takes longer than signing. */
	readonly #key: KeyObject;

	/** @param key the secret of this installation, at least 16 bytes. */
	constructor(key: Buffer) {
		if (key.length < KEY_BYTES_MIN)
			throw new BugError(`a handle key of ${key.length} bytes, at least ${KEY_BYTES_MIN}`);
		this.#key = createSecretKey(key);
	}

	encode({ root, fsid, ino, generation }: FileHandle): Buffer {
		if (root.length !== FSID_AT - ROOT_AT) throw new BugError(`a root id of ${root.length} bytes, expected 8`);
		const handle = Buffer.alloc(HANDLE_BYTES);
		handle[0] = VERSION;
		root.copy(handle, ROOT_AT);
		handle.writeUIntBE(fsid, FSID_AT, INO_AT - FSID_AT);
		handle.writeUInt32BE(ino, INO_AT);
		handle.writeUInt32BE(generation >>> 0, GENERATION_AT);
		this.#signature(handle).copy(handle, SIGNATURE_AT);
		return handle;
	}

	/** @throws FileError EINVAL when it is not a handle that this installation made. */
	decode(handle: Buffer): FileHandle {
		if (handle.length !== HANDLE_BYTES || handle[0] !== VERSION) throw notOurs();
		if (!timingSafeEqual(this.#signature(handle), handle.subarray(SIGNATURE_AT))) throw notOurs();
		return {
			root: Buffer.from(handle.subarray(ROOT_AT, FSID_AT)),
			fsid: handle.readUIntBE(FSID_AT, INO_AT - FSID_AT),
			ino: handle.readUInt32BE(INO_AT),
			generation: handle.readUInt32BE(GENERATION_AT),
		};
	}

	#signature(handle: Buffer): Buffer {
		const digest = createHmac("sha256", this.#key).update(handle.subarray(0, SIGNATURE_AT)).digest();
		return digest.subarray(0, HANDLE_BYTES - SIGNATURE_AT);
	}
}

function notOurs(): FileError {
	return new FileError("EINVAL", "not a handle of this server");
}
