import { FileError } from "../../../base/index.ts";
import { readSattr3 } from "../attributes.ts";
import { failWithWcc, type Nfs3Procedure } from "../call.ts";
import { writableDirectory, writeCreated } from "../entries.ts";
import { readEntryName } from "../names.ts";
import { newFileFor } from "../new-file.ts";
import type { NfsNodeType } from "../port.ts";
import { NFS3ERR_BADTYPE, Nfs3Failure } from "../status.ts";

/** The ftype3 values that this procedure takes. */
const types: Readonly<Partial<Record<number, NfsNodeType>>> = { 3: "block", 4: "character", 6: "socket", 7: "fifo" };

/**
 *     struct devicedata3 { sattr3 dev_attributes; specdata3 spec; };
 *     union mknoddata3 switch (ftype3 type) {
 *        case NF3CHR: case NF3BLK:   devicedata3 device;
 *        case NF3SOCK: case NF3FIFO: sattr3 pipe_attributes;
 *     };
 *     struct MKNOD3args  { diropargs3 where; mknoddata3 what; };
 *     struct MKNOD3resok { post_op_fh3 obj; post_op_attr obj_attributes; wcc_data dir_wcc; };
 */
export const mknod: Nfs3Procedure = {
	name: "MKNOD",
	number: 11,
	kind: "stored",
	run(call) {
		const { tree, ino, args } = call;
		const name = readEntryName(args, "EEXIST");
		const number = args.u32("ftype3");
		const type = types[number];
		if (type === undefined) throw new Nfs3Failure(NFS3ERR_BADTYPE, `ftype3 ${number} is not a node`);
		const wanted = readSattr3(args);
		const device = type === "block" || type === "character";
		const [major, minor] = device ? [args.u32("specdata1"), args.u32("specdata2")] : [0, 0];
		if (device && call.rpc.uid !== 0) throw new FileError("EPERM");
		const { file, others } = newFileFor(call.rpc, writableDirectory(call), { ...wanted, size: 0 }, "other");
		const made = tree.mknod(ino, name, type, major, minor, file);
		if (others !== undefined) tree.setattr(made, others);
		writeCreated(call, made);
		return undefined;
	},
	fail: failWithWcc,
};
