/** NFS version 3 (RFC 1813): the program that stands behind port 2049. */
import { crc32 } from "node:zlib";
import { BlockFault, FileError, type Logger } from "../../base/index.ts";
import {
	AUTH_OK,
	AUTH_TOOWEAK,
	type RpcCall,
	type RpcFinish,
	type RpcProcedure,
	type RpcProgram,
	XdrError,
	type XdrReader,
	type XdrWriter,
} from "../rpc/index.ts";
import { Nfs3Call, type Nfs3Procedure } from "./call.ts";
import type { NfsPort } from "./port.ts";
import { PortRule } from "./port-rule.ts";
import { procedures } from "./procedures/index.ts";
import { FailureReporter } from "./status.ts";

export const NFS_PROGRAM = 100003;
export const NFS_V3 = 3;
const NFSPROC3_NULL = 0;

/** A call that had to wait for the disk this often is told to come again, so that it cannot go round for ever. */
const maxAttempts = 1000;

/** NFSPROC3_NULL: "does nothing", which is how clients ask whether we are there. */
const nullProcedure: RpcProcedure = { name: "NULL", run: () => undefined };

/**
 * The NFS program.
 *
 * @param port where handles lead.
 */
export function createNfs3Program(port: NfsPort, logger: Logger): RpcProgram {
	const call = new Nfs3Call(port, new FailureReporter(logger));
	const rule = new PortRule(logger);
	const table: (RpcProcedure | undefined)[] = [nullProcedure];
	for (const procedure of procedures) table[procedure.number] = bind(procedure, call);
	return {
		name: "nfs3",
		program: NFS_PROGRAM,
		version: NFS_V3,
		procedures: table,
		authorize: (rpc) => (rpc.procedure === NFSPROC3_NULL || rule.allows(rpc.caller) ? AUTH_OK : AUTH_TOOWEAK),
		isAtHome: (caller) => port.isAtHome(caller),
		disconnected: (caller) => port.disconnected(caller),
	};
}

/** Makes an RPC procedure of one of NFS: resolves the first handle, and turns failures into results. */
function bind(procedure: Nfs3Procedure, call: Nfs3Call): RpcProcedure {
	const execute = procedure.kind === "stored" ? executeStored : executeQuery;
	return {
		name: procedure.name,
		run(rpc: RpcCall, args: XdrReader, out: XdrWriter) {
			const start = out.position;
			call.begin(rpc, args, out);
			try {
				if (rpc.attempt > maxAttempts) throw new FileError("EAGAIN");
				return execute(procedure, call);
			} catch (error) {
				if (error instanceof BlockFault || error instanceof XdrError) throw error;
				const status = call.reporter.status(error);
				out.truncate(start);
				out.u32(status);
				procedure.fail(call);
				return undefined;
			}
		},
	};
}

function executeQuery(procedure: Nfs3Procedure, call: Nfs3Call): Promise<RpcFinish> | undefined {
	call.resolveFirst();
	return procedure.run(call);
}

/**
 * Runs a change that must not be done twice. The reply is stored in the same transaction, so there is no moment at which
 * the change is done and its retransmission would be done again.
 */
function executeStored(procedure: Nfs3Procedure, call: Nfs3Call): undefined {
	const { rpc, out } = call;
	const checksum = crc32(call.args.rest());
	const key = { client: rpc.caller.address, xid: rpc.xid, procedure: procedure.number, checksum };
	call.resolveFirst();
	const { exported } = call;
	const stored = exported.storedReply(key);
	if (stored !== undefined) {
		out.fixed(stored);
		return;
	}
	call.prepareChange();
	const start = out.position;
	exported.transaction(() => {
		procedure.run(call);
		exported.storeReply(key, out.copy(start));
	});
}
