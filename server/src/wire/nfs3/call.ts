/** A call of an NFS procedure while it runs: who calls, the arguments, the files that they name, the results. */
import { BugError, FileError } from "../../base/index.ts";
import { RpcCall, type RpcFinish, XdrReader, XdrWriter } from "../rpc/index.ts";
import { type WccAttributes, wccOf, writePostOpAttr, writeWcc } from "./attributes.ts";
import type { NfsExport, NfsNode, NfsPort, NfsTree, ResolvedHandle } from "./port.ts";
import { type FailureReporter, NFS3_OK, NFS3ERR_BADHANDLE, Nfs3Failure } from "./status.ts";

/** NFS3_FHSIZE */
const maxHandleBytes = 64;

export interface Nfs3Procedure {
	readonly name: string;
	readonly number: number;
	/**
	 * `query` changes nothing, or sees to it itself. `stored` runs in a transaction together with its stored reply: done
	 * twice it would fail or do harm, so a retransmission is answered with what the first one was told.
	 */
	readonly kind: "query" | "stored";
	/** Reads the arguments behind the first handle, which is already resolved; writes the results with their status. */
	run(call: Nfs3Call): Promise<RpcFinish> | undefined;
	/** Writes what follows the status when the procedure failed (`resfail`). */
	fail(call: Nfs3Call): void;
}

/** One object is used for call after call: whoever answers later keeps what it needs. */
export class Nfs3Call {
	readonly #port: NfsPort;
	readonly reporter: FailureReporter;
	rpc = new RpcCall();
	args = new XdrReader();
	out = new XdrWriter(0);
	/** What the first handle names, and what it was like before the change. */
	first: ResolvedHandle | undefined;
	firstBefore: WccAttributes | undefined;
	/** The same for the second handle of RENAME and LINK. */
	second: ResolvedHandle | undefined;
	secondBefore: WccAttributes | undefined;

	constructor(port: NfsPort, reporter: FailureReporter) {
		this.#port = port;
		this.reporter = reporter;
	}

	begin(rpc: RpcCall, args: XdrReader, out: XdrWriter): void {
		this.rpc = rpc;
		this.args = args;
		this.out = out;
		this.first = undefined;
		this.firstBefore = undefined;
		this.second = undefined;
		this.secondBefore = undefined;
	}

	#resolve(): ResolvedHandle {
		const handle = this.args.opaque(maxHandleBytes, "nfs_fh3");
		try {
			return this.#port.resolve(handle, this.rpc.caller);
		} catch (error) {
			if (error instanceof FileError && error.code === "EINVAL") {
				throw new Nfs3Failure(NFS3ERR_BADHANDLE, "not a handle of ours");
			}
			throw error;
		}
	}

	resolveFirst(): void {
		this.first = this.#resolve();
	}

	/** Reads the second handle, which must be of the same volume. @throws FileError EXDEV. */
	resolveSecond(): NfsNode {
		this.second = this.#resolve();
		const { node } = this.second;
		this.secondBefore = wccOf(node.tree.getattr(node.ino));
		if (node.tree !== this.tree) throw new FileError("EXDEV");
		return node;
	}

	/** To be called before the first file is changed: the volume must allow it, and the client is told what was there. */
	prepareChange(): void {
		const { tree, ino } = this.node;
		this.firstBefore = wccOf(tree.getattr(ino));
		if (!tree.writable) throw new FileError("EROFS");
	}

	get #subject(): ResolvedHandle {
		if (this.first === undefined) throw new BugError("an NFS call was used before its handle was resolved");
		return this.first;
	}

	get exported(): NfsExport {
		return this.#subject.export;
	}

	get node(): NfsNode {
		return this.#subject.node;
	}

	get tree(): NfsTree {
		return this.#subject.node.tree;
	}

	get ino(): number {
		return this.#subject.node.ino;
	}

	/** Begins results that tell of success. */
	ok(): XdrWriter {
		return this.out.u32(NFS3_OK);
	}

	/** Waits for the first file to be on the disk, then writes `resok`, or the failure with its wcc_data. */
	afterCommit(resok: RpcFinish): Promise<RpcFinish> {
		const { node, firstBefore, reporter } = this;
		return node.tree.commit(node.ino).then(
			() => resok,
			(error: unknown) => (out: XdrWriter) => writeWcc(out.u32(reporter.status(error)), firstBefore, node),
		);
	}
}

/** The `resfail` of most queries: the attributes of the first file. */
export function failWithAttributes(call: Nfs3Call): void {
	writePostOpAttr(call.out, call.first?.node);
}

/** The `resfail` of most changes: the wcc_data of the first file. */
export function failWithWcc(call: Nfs3Call): void {
	writeWcc(call.out, call.firstBefore, call.first?.node);
}
