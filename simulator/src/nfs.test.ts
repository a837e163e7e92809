import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { BootError, ProtocolError } from "./errors.ts";
import { mountRoot } from "./mount.ts";
import { NfsClient, NfsError, NO_VERIFIER } from "./nfs.ts";
import { NfsRoot } from "./nfs-root.ts";
import { RpcRefusal } from "./rpc.ts";
import type { Caller } from "./rpc-client.ts";
import { XdrReader, XdrWriter } from "./xdr.ts";

const ROOT = { machine: "pi", uid: 0, gid: 0 };

/** Answers each call with the next of these results. */
function answering(...results: Buffer[]): Caller {
	return {
		call: async () => new XdrReader(results.shift() ?? Buffer.alloc(0)),
		close: async () => undefined,
	};
}

function client(...results: Buffer[]): NfsClient {
	return new NfsClient(answering(...results), ROOT, { jukebox: 1, jukeboxRetries: 1 });
}

const attributes = (type: number, size: bigint) =>
	new XdrWriter().uint32(type).uint32(0o644).uint32(1).uint32(0).uint32(0).uint64(size).fixed(Buffer.alloc(56)).bytes();
const FH = Buffer.alloc(8);

function raw(...parts: (Buffer | number)[]): Buffer {
	const writer = new XdrWriter();
	for (const part of parts) typeof part === "number" ? writer.uint32(part) : writer.fixed(part);
	return writer.bytes();
}

describe("the NFS client", () => {
	it("reads attributes, and refuses a type that there is none of", async () => {
		const found = await client(raw(0, attributes(1, 77n))).getattr(FH);
		assert.equal(found.size, 77);
		await assert.rejects(client(raw(0, attributes(9, 0n))).getattr(FH), ProtocolError);
		await assert.rejects(client(raw(0, attributes(1, 2n ** 60n))).getattr(FH), ProtocolError);
	});

	it("names the status of an error, and knows a name that is not there", async () => {
		await assert.rejects(client(raw(70, 0)).getattr(FH), {
			name: "NfsError",
			message: "GETATTR: the server answers NFS3ERR_STALE",
		});
		await assert.rejects(client(raw(12345)).access(FH, 1), /nfsstat3 12345/);
		assert.equal(await client(raw(2, 0)).lookup(FH, "x"), undefined);
	});

	it("gives up when the server only ever says NFS3ERR_JUKEBOX", async () => {
		const jukebox = raw(10008, 0);
		await assert.rejects(client(jukebox, jukebox, jukebox).readlink(FH), /NFS3ERR_JUKEBOX/);
	});

	it("finds out that a READ has another length than it says", async () => {
		const data = new XdrWriter().uint32(0).uint32(0).uint32(3).uint32(1).opaque(Buffer.from("ab")).bytes();
		await assert.rejects(client(data).read(FH, 0, 10), /count is 3, but 2 bytes came/);
		const long = new XdrWriter().uint32(0).uint32(0).uint32(11).uint32(1).opaque(Buffer.alloc(11)).bytes();
		await assert.rejects(client(long).read(FH, 0, 10), ProtocolError);
	});

	it("finds out that a file ends before its size, or gives nothing", async () => {
		const root = (...results: Buffer[]) => new NfsRoot(client(...results), FH, 4);
		const found = new XdrWriter().uint32(0).opaque(FH).uint32(0).uint32(0).bytes();
		const file = raw(0, attributes(1, 8n));
		const part = (text: string, eof: number) =>
			new XdrWriter().uint32(0).uint32(0).uint32(text.length).uint32(eof).opaque(Buffer.from(text)).bytes();
		assert.equal(
			(await root(found, file, file, part("abcd", 0), part("efgh", 1)).readFile("/f"))?.toString(),
			"abcdefgh",
		);
		await assert.rejects(root(found, file, file, part("abcd", 1)).readFile("/f"), /ends at 4, its size is 8/);
		await assert.rejects(root(found, file, file, part("", 0)).readFile("/f"), /gives nothing/);
	});

	it("finds out that a directory goes round in circles", async () => {
		const entry = (cookie: bigint) =>
			new XdrWriter()
				.uint32(0)
				.uint32(0)
				.fixed(NO_VERIFIER)
				.uint32(1)
				.uint64(1n)
				.string("x")
				.uint64(cookie)
				.uint32(0)
				.uint32(0)
				.uint32(0)
				.uint32(0);
		const root = new NfsRoot(client(entry(1n).bytes(), entry(1n).bytes()), FH, 4);
		await assert.rejects(root.list("/"), /the cookie 1 twice/);
		const empty = new XdrWriter().uint32(0).uint32(0).fixed(NO_VERIFIER).uint32(0).uint32(0).bytes();
		await assert.rejects(new NfsRoot(client(empty), FH, 4).list("/"), /does not end/);
	});

	it("refuses a root that may not be used with AUTH_SYS", async () => {
		const reply = (...flavours: number[]) =>
			new XdrWriter()
				.uint32(0)
				.opaque(FH)
				.fixed(raw(flavours.length, ...flavours))
				.bytes();
		assert.deepEqual(await mountRoot(answering(reply(0, 1)), "/x", ROOT), FH);
		await assert.rejects(mountRoot(answering(reply(0)), "/x", ROOT), BootError);
		await assert.rejects(mountRoot(answering(raw(0, 65)), "/x", ROOT), ProtocolError);
	});

	it("reads any reply or refuses it", async () => {
		const noise = fc.array(fc.oneof(fc.nat(3), fc.nat(0xffffffff)), { maxLength: 40 });
		const calls = [
			(nfs: NfsClient) => nfs.getattr(FH),
			(nfs: NfsClient) => nfs.lookup(FH, "x"),
			(nfs: NfsClient) => nfs.readlink(FH),
			(nfs: NfsClient) => nfs.read(FH, 0, 100),
			(nfs: NfsClient) => nfs.readdirplus(FH, 0n, NO_VERIFIER),
			(nfs: NfsClient) => nfs.fsinfo(FH),
			(nfs: NfsClient) => nfs.pathconf(FH),
			(nfs: NfsClient) => nfs.access(FH, 1),
		];
		await fc.assert(
			fc.asyncProperty(noise, fc.nat(calls.length - 1), async (values, which) => {
				try {
					await calls[which]?.(client(raw(0, ...values)));
				} catch (error) {
					const isExpected = error instanceof ProtocolError || error instanceof NfsError || error instanceof RpcRefusal;
					assert.ok(isExpected, String(error));
				}
			}),
		);
	});
});
