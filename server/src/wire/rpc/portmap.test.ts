import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { silentLogger } from "../../base/index.ts";
import type { RpcCaller } from "./message.ts";
import {
	createPortmapProgram,
	decodePortmapReply,
	encodePortmapCall,
	IPPROTO_TCP,
	IPPROTO_UDP,
	PMAPPROC_DUMP,
	PMAPPROC_GETPORT,
	PMAPPROC_SET,
	PMAPPROC_UNSET,
	type PortMapping,
	readMappings,
} from "./portmap.ts";
import { RpcService } from "./service.ts";
import { XdrError } from "./xdr-reader.ts";
import { XdrWriter } from "./xdr-writer.ts";

const nfs: PortMapping = { program: 100003, version: 3, protocol: IPPROTO_TCP, port: 2049 };
const foreign: PortMapping = { program: 100021, version: 4, protocol: IPPROTO_UDP, port: 4045 };
const pi: RpcCaller = { address: "192.0.2.20", port: 900, transport: "udp", connection: {} };
const local: RpcCaller = { address: "127.0.0.1", port: 900, transport: "udp", connection: {} };

function ask(service: RpcService, number: number, argument: PortMapping | undefined, caller = pi) {
	const call = encodePortmapCall(5, number, argument);
	const out = new XdrWriter();
	service.dispatch(call, 0, call.length, caller, 0, out);
	return decodePortmapReply(out.copy(), 5);
}

const portmap = () => new RpcService([createPortmapProgram([nfs])], silentLogger);
const portOf = (service: RpcService, wanted: PortMapping) => ask(service, PMAPPROC_GETPORT, wanted).u32();

test("GETPORT tells the port, and 0 for what is not there", () => {
	assert.equal(portOf(portmap(), { ...nfs, port: 0 }), 2049);
	assert.equal(portOf(portmap(), { ...nfs, protocol: IPPROTO_UDP }), 0);
	assert.equal(portOf(portmap(), { ...nfs, version: 4 }), 0);
});

test("DUMP lists the port mapper itself and ours", () => {
	const programs = readMappings(ask(portmap(), PMAPPROC_DUMP, undefined)).map((each) => each.program);
	assert.deepEqual(programs, [100000, 100000, 100003]);
});

test("a privileged program of this machine may register and go", () => {
	const service = portmap();
	assert.equal(ask(service, PMAPPROC_SET, foreign, local).bool(), true);
	assert.equal(portOf(service, foreign), 4045);
	assert.equal(ask(service, PMAPPROC_SET, { ...foreign, port: 1 }, local).bool(), false);
	assert.equal(ask(service, PMAPPROC_UNSET, { ...foreign, protocol: 0, port: 0 }, local).bool(), true);
	assert.equal(portOf(service, foreign), 0);
});

test("others may not, and nobody takes ours away", () => {
	const service = portmap();
	assert.equal(ask(service, PMAPPROC_SET, foreign, pi).bool(), false);
	assert.equal(ask(service, PMAPPROC_SET, foreign, { ...local, port: 40000 }).bool(), false);
	assert.equal(ask(service, PMAPPROC_UNSET, nfs, local).bool(), false);
	assert.equal(ask(service, PMAPPROC_SET, { ...nfs, port: 666 }, local).bool(), false);
	assert.equal(portOf(service, nfs), 2049);
});

test("registrations are bounded", () => {
	const service = portmap();
	const set = (version: number) => ask(service, PMAPPROC_SET, { ...foreign, version }, local).bool();
	const taken = Array.from({ length: 200 }, (_, version) => set(version)).filter(Boolean);
	assert.equal(taken.length, 128);
});

test("a reply that is none is an XdrError", () => {
	fc.assert(
		fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
			try {
				readMappings(decodePortmapReply(Buffer.from(bytes), 5));
			} catch (error) {
				assert.ok(error instanceof XdrError, String(error));
			}
		}),
	);
});
