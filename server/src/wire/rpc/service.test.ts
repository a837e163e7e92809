import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { BlockFault, silentLogger } from "../../base/index.ts";
import type { RpcCall, RpcCaller } from "./message.ts";
import { type RpcProgram, RpcService } from "./service.ts";
import { XdrError } from "./xdr-reader.ts";
import { XdrWriter } from "./xdr-writer.ts";

const caller: RpcCaller = { address: "192.0.2.20", port: 900, transport: "tcp", connection: {} };
const seen: unknown[] = [];

const echo: RpcProgram = {
	name: "echo",
	program: 300,
	version: 3,
	procedures: [
		{ name: "NULL", run: () => undefined },
		{
			name: "WHO",
			run(call: RpcCall) {
				seen.push({ uid: call.uid, gid: call.gid, gids: [...call.gids.subarray(0, call.gidCount)] });
				return undefined;
			},
		},
		undefined,
		{
			name: "ECHO",
			run(_call, args, out) {
				out.opaque(args.opaque(100));
				return undefined;
			},
		},
		{
			name: "BROKEN",
			run(_call, _args, out) {
				out.u32(1).u32(2);
				throw new TypeError("a bug");
			},
		},
		{ name: "LATER", run: async () => (out) => out.u32(42) },
		{ name: "LATER BROKEN", run: () => Promise.reject(new TypeError("a bug")) },
	],
	authorize: (call) => (call.caller.port < 1024 ? 0 : 5),
};
const service = new RpcService([echo], silentLogger);

function header(fields: Partial<Record<"type" | "rpcvers" | "prog" | "vers" | "proc", number>> = {}): XdrWriter {
	const { type = 0, rpcvers = 2, prog = 300, vers = 3, proc = 0 } = fields;
	return new XdrWriter().u32(77).u32(type).u32(rpcvers).u32(prog).u32(vers).u32(proc);
}

const none = (out: XdrWriter) => out.u32(0).u32(0).u32(0).u32(0);

function dispatch(call: XdrWriter, from = caller) {
	const bytes = call.copy();
	const out = new XdrWriter();
	const later = service.dispatch(bytes, 0, bytes.length, from, 0, out);
	return { later, out };
}

function numbers(out: XdrWriter): number[] {
	const bytes = out.copy();
	return Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readUInt32BE(index * 4));
}

const accepted = (stat: number) => [77, 1, 0, 0, 0, stat];

test("a call is answered with SUCCESS and its results", () => {
	const call = none(header({ proc: 3 })).opaque(Buffer.from("four"));
	assert.deepEqual(numbers(dispatch(call).out), [...accepted(0), 4, Buffer.from("four").readUInt32BE()]);
});

test("what we do not have is named: program, version, procedure", () => {
	assert.deepEqual(numbers(dispatch(none(header({ prog: 100227 }))).out), accepted(1));
	assert.deepEqual(numbers(dispatch(none(header({ vers: 4 }))).out), [...accepted(2), 3, 3]);
	assert.deepEqual(numbers(dispatch(none(header({ proc: 2 }))).out), accepted(3));
	assert.deepEqual(numbers(dispatch(none(header({ proc: 99 }))).out), accepted(3));
});

test("arguments that are not what the procedure expects are GARBAGE_ARGS", () => {
	assert.deepEqual(numbers(dispatch(none(header({ proc: 3 })).u32(101)).out), accepted(4));
});

test("our own bug is SYSTEM_ERR, at once and later, with nothing of the results", async () => {
	assert.deepEqual(numbers(dispatch(none(header({ proc: 4 }))).out), accepted(5));
	const out = new XdrWriter();
	(await dispatch(none(header({ proc: 6 }))).later)?.(out);
	assert.deepEqual(numbers(out), accepted(5));
});

test("a call that is answered later gets its whole reply", async () => {
	const finish = await dispatch(none(header({ proc: 5 }))).later;
	const out = new XdrWriter();
	finish?.(out);
	assert.deepEqual(numbers(out), [...accepted(0), 42]);
});

test("another version of RPC is refused with ours", () => {
	assert.deepEqual(numbers(dispatch(none(header({ rpcvers: 3 }))).out), [77, 1, 1, 0, 2, 2]);
});

test("a program that refuses a caller answers AUTH_ERROR", () => {
	assert.deepEqual(numbers(dispatch(none(header()), { ...caller, port: 40000 }).out), [77, 1, 1, 1, 5]);
});

test("AUTH_SYS gives uid, gid and up to 16 groups", () => {
	const body = new XdrWriter().u32(0).string("raspberrypi").u32(1000).u32(1001).u32(16);
	for (let gid = 1; gid <= 16; gid++) body.u32(gid);
	dispatch(header({ proc: 1 }).u32(1).opaque(body.copy()).u32(0).u32(0));
	const gids = Array.from({ length: 16 }, (_, index) => index + 1);
	assert.deepEqual(seen.pop(), { uid: 1000, gid: 1001, gids });
});

test("without credentials the caller is nobody, also behind a call of root", () => {
	const body = new XdrWriter().u32(0).string("").u32(0).u32(0).u32(1).u32(5);
	dispatch(header({ proc: 1 }).u32(1).opaque(body.copy()).u32(0).u32(0));
	assert.deepEqual(seen.pop(), { uid: 0, gid: 0, gids: [5] });
	dispatch(none(header({ proc: 1 })));
	assert.deepEqual(seen.pop(), { uid: 65534, gid: 65534, gids: [] });
});

test("credentials of another kind or form are AUTH_ERROR", () => {
	const gss = header().u32(6).opaque(Buffer.alloc(20)).u32(0).u32(0);
	assert.deepEqual(numbers(dispatch(gss).out), [77, 1, 1, 1, 2]);
	const many = new XdrWriter().u32(0).string("").u32(0).u32(0).u32(17);
	for (let gid = 0; gid < 17; gid++) many.u32(gid);
	assert.deepEqual(numbers(dispatch(header().u32(1).opaque(many.copy()).u32(0).u32(0)).out), [77, 1, 1, 1, 1]);
	const long = new XdrWriter().u32(0).string("").u32(0).u32(0).u32(0).u32(0);
	assert.deepEqual(numbers(dispatch(header().u32(1).opaque(long.copy()).u32(0).u32(0)).out), [77, 1, 1, 1, 1]);
});

test("bytes that are no call are nobody's: XdrError", () => {
	assert.throws(() => dispatch(none(header({ type: 1 }))), XdrError);
	assert.throws(() => dispatch(new XdrWriter().u32(1)), XdrError);
});

test("random bytes behind a header give a reply or an XdrError", () => {
	fc.assert(
		fc.property(fc.uint8Array({ maxLength: 120 }), fc.nat({ max: 7 }), (bytes, proc) => {
			const call = header({ proc }).fixed(bytes);
			try {
				const { later, out } = dispatch(call);
				if (later === undefined) assert.ok(out.position >= 20);
			} catch (error) {
				assert.ok(error instanceof XdrError, String(error));
			}
		}),
	);
});

test("a block fault goes through to who runs the call again", () => {
	const fault = new BlockFault(Promise.resolve());
	const cold: RpcProgram = {
		...echo,
		procedures: [
			{
				name: "COLD",
				run: () => {
					throw fault;
				},
			},
		],
	};
	const bytes = none(header()).copy();
	const run = () => new RpcService([cold], silentLogger).dispatch(bytes, 0, bytes.length, caller, 0, new XdrWriter());
	assert.throws(run, (error) => error === fault);
});
