/** The MOUNT protocol, version 3 (RFC 1813 appendix I): a path leads to the handle of its root. */
import { FileError, type FileErrorCode, type Logger } from "../../base/index.ts";
import {
	AUTH_SYS,
	type RpcCall,
	type RpcFinish,
	type RpcProcedure,
	type RpcProgram,
	type XdrReader,
} from "../rpc/index.ts";
import type { NfsPort } from "./port.ts";
import { PortRule } from "./port-rule.ts";

export const MOUNT_PROGRAM = 100005;
export const MOUNT_V3 = 3;

/** MNTPATHLEN */
const maxPathBytes = 1024;

/** mountstat3 */
const MNT3_OK = 0;
const MNT3ERR_ACCES = 13;
const MNT3ERR_SERVERFAULT = 10006;

const statusOfCode: Partial<Record<FileErrorCode, number>> = {
	EPERM: 1,
	ENOENT: 2,
	EIO: 5,
	EACCES: MNT3ERR_ACCES,
	ENOTDIR: 20,
	EINVAL: 22,
	ENAMETOOLONG: 63,
	ENOTSUP: 10004,
};

function refusal(status: number): RpcFinish {
	return (out) => {
		out.u32(status);
	};
}

/**
 *     struct mountres3_ok {
 *        fhandle3  fhandle;           // opaque<64>
 *        int       auth_flavors<>;    // the kernel of the client wants to find AUTH_SYS here
 *     };
 */
function success(handle: Buffer): RpcFinish {
	return (out) => {
		out.u32(MNT3_OK).opaque(handle).u32(1).u32(AUTH_SYS);
	};
}

async function mount(port: NfsPort, logger: Logger, path: string, call: RpcCall): Promise<RpcFinish> {
	try {
		return success(await port.mount(path, call.caller));
	} catch (error) {
		if (error instanceof FileError) return refusal(statusOfCode[error.code] ?? MNT3ERR_SERVERFAULT);
		logger.error({ err: error }, `mount of ${JSON.stringify(path)} failed`);
		return refusal(MNT3ERR_SERVERFAULT);
	}
}

function readPath(args: XdrReader): string {
	return args.string(maxPathBytes, "dirpath");
}

/** DUMP and EXPORT are lists that end at once: who mounts what is nobody else's business. */
const emptyList: RpcProcedure["run"] = (_call, _args, out) => {
	out.bool(false);
	return undefined;
};

/** The MOUNT program. It is answered on the NFS port too, so that one open port is enough. */
export function createMount3Program(port: NfsPort, logger: Logger): RpcProgram {
	const rule = new PortRule(logger);
	return {
		name: "mount3",
		program: MOUNT_PROGRAM,
		version: MOUNT_V3,
		isAtHome: () => false,
		procedures: [
			{ name: "NULL", run: () => undefined },
			{
				name: "MNT",
				run(call, args) {
					const path = readPath(args);
					return rule.allows(call.caller) ? mount(port, logger, path, call) : Promise.resolve(refusal(MNT3ERR_ACCES));
				},
			},
			{ name: "DUMP", run: emptyList },
			{
				name: "UMNT",
				run(call, args) {
					const path = readPath(args);
					if (rule.allows(call.caller)) port.unmount(path, call.caller);
					return undefined;
				},
			},
			{
				name: "UMNTALL",
				run(call) {
					if (rule.allows(call.caller)) port.unmount(undefined, call.caller);
					return undefined;
				},
			},
			{ name: "EXPORT", run: emptyList },
		],
	};
}
