/** Finds the procedure of a call, runs it, and writes the reply. */
import { BlockFault, errorText, type Logger } from "../../base/index.ts";
import {
	AUTH_OK,
	GARBAGE_ARGS,
	PROC_UNAVAIL,
	PROG_UNAVAIL,
	RpcCall,
	type RpcCaller,
	SUCCESS,
	SYSTEM_ERR,
	writeAccepted,
	writeAuthError,
	writeProgramMismatch,
	writeRpcMismatch,
} from "./message.ts";
import { XdrError, XdrReader } from "./xdr-reader.ts";
import type { XdrWriter } from "./xdr-writer.ts";

/** Writes the results of a call that could not be answered at once. May throw a `BlockFault`: it is called again then. */
export type RpcFinish = (out: XdrWriter) => void;

/** One procedure of a program. */
export interface RpcProcedure {
	readonly name: string;
	/**
	 * Reads the arguments and writes the results, or promises to write them later. `call`, `args` and `out` are only valid
	 * until it returns. May throw a `BlockFault` (it is run again) and an `XdrError` (the caller is told GARBAGE_ARGS).
	 */
	run(call: RpcCall, args: XdrReader, out: XdrWriter): Promise<RpcFinish> | undefined;
}

export interface RpcProgram {
	readonly name: string;
	readonly program: number;
	readonly version: number;
	/** By number; what is missing is answered with PROC_UNAVAIL. */
	readonly procedures: readonly (RpcProcedure | undefined)[];
	/** Looks at a call before it is run: `AUTH_OK`, or the auth_stat to refuse it with. */
	authorize?(call: RpcCall): number;
	/** Whether a connection has shown that it has a right to be here; where nobody can show it, nobody has to. */
	isAtHome?(caller: RpcCaller): boolean;
	/** A connection ended. */
	disconnected?(caller: RpcCaller): void;
}

/** A set of programs behind one port. */
export class RpcService {
	readonly #programs = new Map<number, RpcProgram>();
	readonly #logger: Logger;
	readonly #call = new RpcCall();
	readonly #reader = new XdrReader();

	constructor(programs: readonly RpcProgram[], logger: Logger) {
		for (const program of programs) this.#programs.set(program.program, program);
		this.#logger = logger;
	}

	/**
	 * Answers the call in `bytes` from `start` to before `end`.
	 *
	 * @param attempt how often this call was tried before.
	 * @returns undefined when the reply is in `out`; otherwise a promise, which never rejects, of what writes it whole.
	 * @throws BlockFault: call again when it is ready. XdrError: these bytes are no call, there is nobody to answer.
	 */
	dispatch(
		bytes: Buffer,
		start: number,
		end: number,
		caller: RpcCaller,
		attempt: number,
		out: XdrWriter,
	): Promise<RpcFinish> | undefined {
		const call = this.#call;
		const args = this.#reader.reset(bytes, start, end);
		call.caller = caller;
		call.attempt = attempt;
		const auth = call.read(args);
		if (auth === "version") writeRpcMismatch(out, call.xid);
		else if (auth !== AUTH_OK) writeAuthError(out, call.xid, auth);
		else return this.#select(call, args, out);
		return undefined;
	}

	#select(call: RpcCall, args: XdrReader, out: XdrWriter): Promise<RpcFinish> | undefined {
		const program = this.#programs.get(call.program);
		const procedure = program?.procedures[call.procedure];
		if (program === undefined) writeAccepted(out, call.xid, PROG_UNAVAIL);
		else if (program.version !== call.version) {
			writeProgramMismatch(out, call.xid, program.version, program.version);
		} else if (procedure === undefined) writeAccepted(out, call.xid, PROC_UNAVAIL);
		else return this.#authorized(program, procedure, call, args, out);
		return undefined;
	}

	#authorized(
		program: RpcProgram,
		procedure: RpcProcedure,
		call: RpcCall,
		args: XdrReader,
		out: XdrWriter,
	): Promise<RpcFinish> | undefined {
		const auth = program.authorize?.(call) ?? AUTH_OK;
		if (auth === AUTH_OK) return this.#run(program, procedure, call, args, out);
		writeAuthError(out, call.xid, auth);
		return undefined;
	}

	#run(
		program: RpcProgram,
		procedure: RpcProcedure,
		call: RpcCall,
		args: XdrReader,
		out: XdrWriter,
	): Promise<RpcFinish> | undefined {
		const { xid } = call;
		if (this.#logger.isLevelEnabled("debug")) this.#trace(program, procedure, call);
		try {
			writeAccepted(out, xid, SUCCESS);
			const later = procedure.run(call, args, out);
			return later === undefined ? undefined : this.#complete(later, xid, `${program.name} ${procedure.name}`);
		} catch (error) {
			this.#failed(error, xid, `${program.name} ${procedure.name}`, out);
			return undefined;
		}
	}

	#trace(program: RpcProgram, procedure: RpcProcedure, call: RpcCall): void {
		const { caller, xid, uid, attempt } = call;
		this.#logger.debug(`${caller.address} ${program.name} ${procedure.name} xid=${xid} uid=${uid} attempt=${attempt}`);
	}

	/** Turns what a procedure threw into a reply; lets a BlockFault through. */
	#failed(error: unknown, xid: number, what: string, out: XdrWriter): void {
		if (error instanceof BlockFault) throw error;
		const garbage = error instanceof XdrError;
		if (garbage) this.#logger.debug(`${what}: ${error.message}`);
		else this.#logger.error({ err: error }, `${what} failed: ${errorText(error)}`);
		out.truncate(0);
		writeAccepted(out, xid, garbage ? GARBAGE_ARGS : SYSTEM_ERR);
	}

	async #complete(later: Promise<RpcFinish>, xid: number, what: string): Promise<RpcFinish> {
		const finish = await later.catch((error: unknown) => () => {
			throw error;
		});
		return (out) => {
			try {
				writeAccepted(out, xid, SUCCESS);
				finish(out);
			} catch (error) {
				this.#failed(error, xid, what, out);
			}
		};
	}

	/** Whether a connection has shown to one of the programs that it has a right to be here. */
	isAtHome(caller: RpcCaller): boolean {
		return [...this.#programs.values()].some((program) => program.isAtHome?.(caller) ?? true);
	}

	/** To be told when a connection has ended. */
	disconnected(caller: RpcCaller): void {
		for (const program of this.#programs.values()) program.disconnected?.(caller);
	}
}
