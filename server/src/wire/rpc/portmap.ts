/**
 * The port mapper, version 2 (RFC 1833 section 3): tells clients on which port a program listens. klibc's `nfsmount`, in
 * the initramfs of every Raspberry Pi OS, asks it before it mounts and knows no other way.
 *
 *     struct mapping {
 *        unsigned int prog;
 *        unsigned int vers;
 *        unsigned int prot;   // 6 = TCP, 17 = UDP
 *        unsigned int port;
 *     };
 */

import { CALL, MSG_ACCEPTED, REPLY, type RpcCall, SUCCESS } from "./message.ts";
import type { RpcProcedure, RpcProgram } from "./service.ts";
import { XdrError, XdrReader } from "./xdr-reader.ts";
import { XdrWriter } from "./xdr-writer.ts";

export const PMAP_PROG = 100000;
export const PMAP_VERS = 2;
export const PMAP_PORT = 111;

export const PMAPPROC_NULL = 0;
export const PMAPPROC_SET = 1;
export const PMAPPROC_UNSET = 2;
export const PMAPPROC_GETPORT = 3;
export const PMAPPROC_DUMP = 4;

export const IPPROTO_TCP = 6;
export const IPPROTO_UDP = 17;

/** Other programs of this machine may register with us; not without end. */
const maxForeignMappings = 128;

export interface PortMapping {
	readonly program: number;
	readonly version: number;
	readonly protocol: number;
	readonly port: number;
}

/** Tells whether an address is one of this machine's own loopback addresses. */
export function isLoopback(address: string): boolean {
	return address.startsWith("127.") || address === "::1";
}

function readMapping(args: XdrReader): PortMapping {
	return { program: args.u32("prog"), version: args.u32("vers"), protocol: args.u32("prot"), port: args.u32("port") };
}

function writeMapping(out: XdrWriter, mapping: PortMapping): void {
	out.u32(mapping.program).u32(mapping.version).u32(mapping.protocol).u32(mapping.port);
}

/** Only a privileged program on this machine may change the table, as with any rpcbind. */
function mayChange(call: RpcCall): boolean {
	return isLoopback(call.caller.address) && call.caller.port < 1024;
}

class PortTable {
	readonly #own: readonly PortMapping[];
	readonly #foreign: PortMapping[] = [];

	constructor(own: readonly PortMapping[]) {
		this.#own = own;
	}

	all(): PortMapping[] {
		return [...this.#own, ...this.#foreign];
	}

	find(wanted: PortMapping): PortMapping | undefined {
		return this.all().find(
			(each) => each.program === wanted.program && each.version === wanted.version && each.protocol === wanted.protocol,
		);
	}

	set(mapping: PortMapping): boolean {
		const known = this.find(mapping);
		if (known !== undefined) return known.port === mapping.port;
		if (this.#foreign.length >= maxForeignMappings) return false;
		this.#foreign.push(mapping);
		return true;
	}

	/** As the standard says, prot and port of the argument are ignored. Our own programs stay. */
	unset({ program, version }: PortMapping): boolean {
		const kept = this.#foreign.filter((each) => each.program !== program || each.version !== version);
		const removed = kept.length < this.#foreign.length;
		this.#foreign.splice(0, this.#foreign.length, ...kept);
		return removed;
	}
}

function procedure(name: string, run: (call: RpcCall, args: XdrReader, out: XdrWriter) => void): RpcProcedure {
	return {
		name,
		run(call, args, out) {
			run(call, args, out);
			return undefined;
		},
	};
}

/**
 * Our own port mapper.
 *
 * @param own what we serve; it cannot be changed from outside.
 * @param asked told who asks where a program is.
 */
export function createPortmapProgram(own: readonly PortMapping[], asked?: (address: string) => void): RpcProgram {
	const table = new PortTable([
		{ program: PMAP_PROG, version: PMAP_VERS, protocol: IPPROTO_TCP, port: PMAP_PORT },
		{ program: PMAP_PROG, version: PMAP_VERS, protocol: IPPROTO_UDP, port: PMAP_PORT },
		...own,
	]);
	return {
		name: "portmap",
		program: PMAP_PROG,
		version: PMAP_VERS,
		isAtHome: () => false,
		// PMAPPROC_CALLIT (5) is left out: a relay that calls others for whoever asks helps nobody but attackers.
		procedures: [
			procedure("NULL", () => undefined),
			procedure("SET", (call, args, out) => {
				const mapping = readMapping(args);
				out.bool(mayChange(call) && table.set(mapping));
			}),
			procedure("UNSET", (call, args, out) => {
				const mapping = readMapping(args);
				out.bool(mayChange(call) && table.unset(mapping));
			}),
			procedure("GETPORT", (call, args, out) => {
				asked?.(call.caller.address);
				out.u32(table.find(readMapping(args))?.port ?? 0);
			}),
			procedure("DUMP", (_call, _args, out) => {
				for (const mapping of table.all()) writeMapping(out.bool(true), mapping);
				out.bool(false);
			}),
		],
	};
}

/** A call to a port mapper, for a client; `argument` is left out for DUMP. */
export function encodePortmapCall(xid: number, number: number, argument?: PortMapping): Buffer {
	const out = new XdrWriter();
	out.u32(xid).u32(CALL).u32(2).u32(PMAP_PROG).u32(PMAP_VERS).u32(number);
	out.u32(0).u32(0).u32(0).u32(0);
	if (argument !== undefined) writeMapping(out, argument);
	return out.copy();
}

/**
 * The results of a port mapper's reply.
 *
 * @throws XdrError when it is none, or says that the call failed.
 */
export function decodePortmapReply(reply: Buffer, xid: number): XdrReader {
	const reader = new XdrReader(reply);
	expect(reader.u32("xid"), xid, "xid");
	expect(reader.u32("msg_type"), REPLY, "msg_type");
	expect(reader.u32("reply_stat"), MSG_ACCEPTED, "reply_stat");
	reader.u32("verf flavor");
	reader.skipOpaque(400, "verf body");
	expect(reader.u32("accept_stat"), SUCCESS, "accept_stat");
	return reader;
}

function expect(got: number, expected: number, what: string): void {
	if (got !== expected) throw new XdrError(`portmap reply: ${what} must be ${expected}, got ${got}`);
}

/** The list in a DUMP reply. */
export function readMappings(results: XdrReader): PortMapping[] {
	const mappings: PortMapping[] = [];
	while (results.bool("pmaplist")) mappings.push(readMapping(results));
	return mappings;
}
