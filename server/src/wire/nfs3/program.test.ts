import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { pino } from "pino";
import { BlockFault, MalformedError, silentLogger } from "../../base/index.ts";
import { RpcService, XdrError, XdrWriter } from "../rpc/index.ts";
import { createNfs3Program } from "./index.ts";
import { DirectClient, encodeCall, root } from "./testing/client.ts";
import { MemoryPort } from "./testing/memory-port.ts";
import { NfsTestClient } from "./testing/nfs-client.ts";

const path = (text: string) => (out: XdrWriter) => out.string(text);

test("MNT gives the handle of the root and says AUTH_SYS", async () => {
	const client = new NfsTestClient();
	const results = await client.call(100005, 1, path("/pi"));
	assert.equal(results.u32(), 0);
	assert.deepEqual(results.opaque(64), client.rootHandle);
	assert.deepEqual([results.u32(), results.u32(), results.remaining], [1, 1, 0]);
});

test("MNT of what is not there, or not the caller's", async () => {
	const client = new NfsTestClient();
	assert.equal((await client.call(100005, 1, path("/none"))).u32(), 2);
	assert.equal((await client.call(100005, 1, path("/theirs"))).u32(), 13);
	client.port.mount = () => Promise.reject(new TypeError("a bug"));
	assert.equal((await client.call(100005, 1, path("/pi"))).u32(), 10006);
});

test("DUMP and EXPORT tell nothing, UMNT and UMNTALL are passed on", async () => {
	const client = new NfsTestClient();
	assert.equal((await client.call(100005, 2)).bool(), false);
	assert.equal((await client.call(100005, 5)).bool(), false);
	assert.equal((await client.call(100005, 3, path("/pi"))).remaining, 0);
	await client.call(100005, 4);
	assert.deepEqual(client.port.log, ["unmount /pi", "unmount undefined"]);
});

test("a port that anybody may take is refused, but for NULL and from loopback", async () => {
	const client = new NfsTestClient();
	client.caller = { ...client.caller, port: 40_000 };
	assert.equal((await client.call(100005, 1, path("/pi"))).u32(), 13);
	const call = encodeCall({ xid: 1, program: 100003, version: 3, procedure: 1 }, root, (out) =>
		out.opaque(client.rootHandle),
	);
	assert.equal((await client.send(call)).toString("hex"), "0000000100000001000000010000000100000005");
	assert.equal((await client.call(100003, 0)).remaining, 0);
	client.caller = { ...client.caller, address: "127.0.0.5" };
	assert.equal((await client.getattr(client.rootHandle)).status, 0);
	assert.deepEqual(client.port.log, []);
});

test("a refused connection and a broken place are logged once", async () => {
	const lines: string[] = [];
	const logger = pino({ level: "info" }, { write: (line: string) => void lines.push(JSON.parse(line).msg) });
	const port = new MemoryPort();
	const client = new DirectClient(new RpcService([createNfs3Program(port, logger)], logger));
	const handle = port.exported.handleOf({ tree: port.exported.tree, ino: 2 });
	for (let round = 0; round < 3; round++) {
		port.exported.tree.failure = new MalformedError("ext4", "inode 2 is broken");
		await client.call(100003, 1, (out) => out.opaque(handle));
	}
	client.caller = { ...client.caller, port: 40_000 };
	for (let round = 0; round < 3; round++) {
		await client.send(encodeCall({ xid: 1, program: 100003, version: 3, procedure: 1 }, root));
	}
	for (let round = 0; round < 3; round++) {
		client.caller = { ...client.caller, transport: "udp", address: "192.0.2.30", connection: {} };
		await client.send(encodeCall({ xid: 1, program: 100003, version: 3, procedure: 1 }, root));
	}
	assert.equal(lines.length, 3);
	assert.match(lines[0] ?? "", /inode 2 is broken/);
	assert.match(lines[1] ?? "", /192\.0\.2\.20.*port 40000/);
	assert.match(lines[2] ?? "", /192\.0\.2\.30/);
});

test("other versions and NFSACL are refused by name", async () => {
	const client = new NfsTestClient();
	const acceptStat = async (program: number, version: number, procedure: number) => {
		const reply = await client.send(encodeCall({ xid: 9, program, version, procedure }, root));
		return reply.readUInt32BE(20);
	};
	assert.equal(await acceptStat(100227, 3, 0), 1);
	assert.equal(await acceptStat(100003, 4, 0), 2);
	assert.equal(await acceptStat(100005, 1, 1), 2);
	assert.equal(await acceptStat(100003, 3, 22), 3);
	assert.equal(await acceptStat(100003, 3, 1), 4);
});

test("any arguments to any procedure get a reply that is ours", async () => {
	const port = new MemoryPort();
	const { tree } = port.exported;
	const file = tree.create(2, "file", { mode: 0o666, uid: 1000, gid: 1000 });
	const service = new RpcService([createNfs3Program(port, silentLogger)], silentLogger);
	const client = new DirectClient(service);
	const handle = fc.constantFrom(2, file, 77).map((ino) => port.exported.handleOf({ tree, ino }));
	const word = fc.oneof(fc.nat({ max: 8 }), fc.nat({ max: 0xffff_ffff }));
	const argument = fc.oneof(
		handle.map((value) => (out: XdrWriter) => void out.opaque(value)),
		word.map((value) => (out: XdrWriter) => void out.u32(value)),
		fc.constantFrom("file", ".", "..", "a/b", "new").map((value) => (out: XdrWriter) => void out.string(value)),
		fc.uint8Array({ maxLength: 30 }).map((value) => (out: XdrWriter) => void out.fixed(value)),
	);
	await fc.assert(
		fc.asyncProperty(
			fc.integer({ min: 0, max: 22 }),
			handle,
			fc.array(argument, { maxLength: 8 }),
			fc.constantFrom(0, 1000, 1001),
			async (procedure, first, rest, uid) => {
				const call = encodeCall({ xid: 3, program: 100003, version: 3, procedure }, { uid, gid: uid }, (out) => {
					out.opaque(first);
					for (const write of rest) write(out);
				});
				const reply = await client.send(call);
				assert.ok(reply.readUInt32BE(20) <= 4, "no SYSTEM_ERR");
				if (reply.readUInt32BE(20) === 0 && procedure > 0) assert.notEqual(reply.readUInt32BE(24), 10006);
			},
		),
		{ numRuns: 400 },
	);
});

test("random bytes as a call give a reply or an XdrError", () => {
	const service = new RpcService([createNfs3Program(new MemoryPort(), silentLogger)], silentLogger);
	fc.assert(
		fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
			const caller = { address: "192.0.2.1", port: 700, transport: "tcp", connection: {} } as const;
			try {
				service.dispatch(Buffer.from(bytes), 0, bytes.length, caller, 0, new XdrWriter());
			} catch (error) {
				assert.ok(error instanceof XdrError || error instanceof BlockFault, String(error));
			}
		}),
	);
});
