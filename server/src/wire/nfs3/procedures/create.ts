import { type Attributes, FileError } from "../../../base/index.ts";
import { XdrError, type XdrReader } from "../../rpc/index.ts";
import { readSattr3 } from "../attributes.ts";
import { failWithWcc, type Nfs3Call, type Nfs3Procedure } from "../call.ts";
import { permittedChanges } from "../changes.ts";
import { findEntry, writableDirectory, writeCreated } from "../entries.ts";
import { readEntryName } from "../names.ts";
import { newFileFor } from "../new-file.ts";
import { MAY_EXECUTE, ownershipIn, requireDirectory } from "../permissions.ts";
import type { NfsAttributeChanges } from "../port.ts";

/** enum createmode3 */
const UNCHECKED = 0;
const EXCLUSIVE = 2;

/** A `createverf3` as the two times that keep it. */
type Verifier = Required<Pick<NfsAttributeChanges, "atime" | "mtime">>;

/**
 *     union createhow3 switch (createmode3 mode) {
 *        case UNCHECKED:
 *        case GUARDED:    sattr3       obj_attributes;
 *        case EXCLUSIVE:  createverf3  verf;            // 8 bytes
 *     };
 *     struct CREATE3args  { diropargs3 where; createhow3 how; };
 *     struct CREATE3resok { post_op_fh3 obj; post_op_attr obj_attributes; wcc_data dir_wcc; };
 */
export const create: Nfs3Procedure = {
	name: "CREATE",
	number: 8,
	kind: "stored",
	run(call) {
		const name = readEntryName(call.args, "EEXIST");
		const how = call.args.u32("createmode3");
		if (how > EXCLUSIVE) throw new XdrError(`createmode3 must be 0 to 2, got ${how}`);
		// Before the name is looked up: what is there is nothing to who may not search the directory.
		requireDirectory(call.rpc, call.tree.getattr(call.ino), MAY_EXECUTE);
		if (how === EXCLUSIVE) createExclusive(call, name);
		else createWithAttributes(call, name, how === UNCHECKED);
		return undefined;
	},
	fail: failWithWcc,
};

function createWithAttributes(call: Nfs3Call, name: string, unchecked: boolean): void {
	const { tree, ino, rpc } = call;
	const wanted = readSattr3(call.args);
	const existing = findEntry(tree, ino, name);
	if (existing !== undefined) {
		if (!unchecked) throw new FileError("EEXIST");
		useExisting(call, existing, wanted);
		return;
	}
	const directory = writableDirectory(call);
	const { file, others } = newFileFor(rpc, directory, wanted, "other");
	const made = tree.create(ino, name, file);
	if (others !== undefined) tree.setattr(made, others);
	writeCreated(call, made);
}

/** open(2) with O_CREAT of a file that is there: of the attributes, only the size counts (O_TRUNC). */
function useExisting(call: Nfs3Call, ino: number, { size }: NfsAttributeChanges): void {
	const { tree } = call;
	const file = tree.getattr(ino);
	if (file.type !== "file") throw new FileError(file.type === "directory" ? "EISDIR" : "EEXIST");
	if (size !== undefined) tree.setattr(ino, permittedChanges(call.rpc, file, { size }));
	writeCreated(call, ino);
}

/**
 * O_EXCL that survives a lost reply: the verifier of the client is kept in the times of the new file, where a repeated
 * call finds it. The client sets the real attributes with a SETATTR behind it.
 */
function createExclusive(call: Nfs3Call, name: string): void {
	const { tree, ino, rpc } = call;
	const verifier = readVerifier(call.args);
	const existing = findEntry(tree, ino, name);
	if (existing !== undefined) {
		if (!holds(tree.getattr(existing), verifier)) throw new FileError("EEXIST");
		writeCreated(call, existing);
		return;
	}
	const directory = writableDirectory(call);
	const made = tree.create(ino, name, ownershipIn(rpc, directory, 0, "other"));
	tree.setattr(made, verifier);
	writeCreated(call, made);
}

function readVerifier(args: XdrReader): Verifier {
	const [atime, mtime] = [args.u32("createverf3"), args.u32("createverf3")];
	// Every file system keeps seconds of 31 bits; the 32nd goes where the nanoseconds are.
	return {
		atime: { sec: atime & 0x7fff_ffff, nsec: atime >>> 31 },
		mtime: { sec: mtime & 0x7fff_ffff, nsec: mtime >>> 31 },
	};
}

function holds(file: Attributes, verifier: Verifier): boolean {
	return (
		file.type === "file" && file.size === 0 && same(file.atime, verifier.atime) && same(file.mtime, verifier.mtime)
	);
}

function same(time: Attributes["atime"], expected: Verifier["atime"]): boolean {
	return typeof expected === "object" && time.sec === expected.sec && time.nsec === expected.nsec;
}
