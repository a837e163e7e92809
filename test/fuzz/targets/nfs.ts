/** RPC messages to NFS, MOUNT and the port mapper, one at a time and as a stream of records. */
import assert from "node:assert/strict";
import { pino } from "pino";
import { createMount3Program, createNfs3Program } from "../../../server/src/wire/nfs3/index.ts";
import { encodeCall, root, writeSattr3 } from "../../../server/src/wire/nfs3/testing/client.ts";
import { MemoryPort } from "../../../server/src/wire/nfs3/testing/memory-port.ts";
import {
	BufferPool,
	createPortmapProgram,
	decodePortmapReply,
	encodePortmapCall,
	IPPROTO_TCP,
	maxRecordBytes,
	type RpcCaller,
	RpcService,
	RpcStream,
	readMappings,
	type StreamTransport,
	XdrWriter,
} from "../../../server/src/wire/rpc/index.ts";
import { mutateBytes, number } from "../mutate.ts";
import { isRefusal } from "../outcome.ts";
import type { Random } from "../random.ts";
import type { FuzzTarget } from "../target.ts";

const NFS = 100003;
const MOUNT = 100005;
const PORTMAP = 100000;
const PROGRAMS: ReadonlyMap<number, string> = new Map([
	[NFS, "nfs"],
	[MOUNT, "mount"],
	[PORTMAP, "portmap"],
]);
const CALLER: RpcCaller = { address: "127.0.0.1", port: 900, transport: "tcp", connection: {} };
const OWNER = { mode: 0o644, uid: 0, gid: 0 };

/** A server with a few files; what it logs as an error is a fault of ours. */
class Server {
	readonly faults: string[] = [];
	readonly service: RpcService;

	constructor() {
		const port = new MemoryPort();
		const { tree } = port.exported;
		const directory = tree.mkdir(tree.root, "etc", { ...OWNER, mode: 0o755 });
		const file = tree.create(directory, "fstab", OWNER);
		tree.write(file, 0, Buffer.from("proc /proc proc defaults 0 0\n"));
		tree.symlink(tree.root, "link", Buffer.from("etc/fstab"), OWNER);
		port.exported.mountPoint = directory;
		const logger = pino({ level: "error" }, { write: (line: string) => void this.faults.push(line) });
		const mapping = { program: NFS, version: 3, protocol: IPPROTO_TCP, port: 2049 };
		const programs = [
			createNfs3Program(port, logger),
			createMount3Program(port, logger),
			createPortmapProgram([mapping]),
		];
		this.service = new RpcService(programs, logger);
	}
}

function handle(volume: number, ino: number): Buffer {
	const bytes = Buffer.alloc(16);
	bytes.writeUInt32BE(1, 0);
	bytes.writeUInt32BE(volume, 4);
	bytes.writeUInt32BE(ino, 8);
	return bytes;
}

const ROOT = handle(1, 2);
const FILE = handle(1, 4);

type WriteArguments = (out: XdrWriter) => unknown;

/** The arguments of each procedure of NFS version 3, by number. */
const NFS_ARGUMENTS: readonly WriteArguments[] = [
	() => undefined,
	(out) => out.opaque(ROOT),
	(out) => writeSattr3(out.opaque(FILE), { mode: 0o600, size: 10, mtime: "now", atime: [1, 2] }).bool(false),
	(out) => out.opaque(ROOT).string("etc"),
	(out) => out.opaque(ROOT).u32(0x3f),
	(out) => out.opaque(handle(1, 5)),
	(out) => out.opaque(FILE).u64(0).u32(4096),
	(out) => out.opaque(FILE).u64(5).u32(4).u32(2).opaque(Buffer.from("data")),
	(out) => writeSattr3(out.opaque(ROOT).string("new").u32(0), { mode: 0o644 }),
	(out) => writeSattr3(out.opaque(ROOT).string("folder"), { mode: 0o755 }),
	(out) => writeSattr3(out.opaque(ROOT).string("to"), {}).string("target"),
	(out) => writeSattr3(out.opaque(ROOT).string("node").u32(4), { mode: 0o600 }).u32(1).u32(3),
	(out) => out.opaque(ROOT).string("link"),
	(out) => out.opaque(ROOT).string("etc"),
	(out) => out.opaque(ROOT).string("link").opaque(ROOT).string("other"),
	(out) => out.opaque(FILE).opaque(ROOT).string("hard"),
	(out) => out.opaque(ROOT).u64(0).fixed(Buffer.alloc(8)).u32(4096),
	(out) => out.opaque(ROOT).u64(0).fixed(Buffer.alloc(8)).u32(1024).u32(8192),
	(out) => out.opaque(ROOT),
	(out) => out.opaque(ROOT),
	(out) => out.opaque(ROOT),
	(out) => out.opaque(FILE).u64(0).u32(0),
];

function calls(): Buffer[] {
	const call = (program: number, version: number, procedure: number, write?: WriteArguments) =>
		encodeCall({ xid: 0x1000 + procedure, program, version, procedure }, { ...root, gids: [4, 27] }, write);
	const guarded: WriteArguments = (out) => writeSattr3(out.opaque(FILE), {}).bool(true).u32(1).u32(2);
	const exclusive: WriteArguments = (out) => out.opaque(ROOT).string("x").u32(2).fixed(Buffer.alloc(8, 7));
	return [
		...NFS_ARGUMENTS.map((write, procedure) => call(NFS, 3, procedure, write)),
		call(NFS, 3, 2, guarded),
		call(NFS, 3, 8, exclusive),
		...[0, 2, 4, 5].map((procedure) => call(MOUNT, 3, procedure)),
		...[1, 3].map((procedure) => call(MOUNT, 3, procedure, (out) => out.string("/pi"))),
		...[0, 4].map((procedure) => call(PORTMAP, 2, procedure)),
		...[1, 2, 3].map((procedure) => call(PORTMAP, 2, procedure, (out) => out.u32(NFS).u32(3).u32(6).u32(0))),
		encodeCall({ xid: 1, program: NFS, version: 3, procedure: 1 }, undefined, (out) => out.opaque(ROOT)),
	];
}

/** Works on words of four bytes, of which all XDR is made. */
function mutateXdr(random: Random, input: Buffer, other: Buffer): Buffer {
	const bytes = Buffer.from(input);
	const words = Math.floor(bytes.length / 4);
	if (words < 8 || random.oneIn(4)) return mutateBytes(random, input, other, { words: [ROOT, FILE], longest: 4096 });
	for (let count = random.below(3); count >= 0; count--) {
		const at = 4 * random.below(words);
		if (random.oneIn(4) && other.length >= 4) other.copy(bytes, at, 4 * random.below(other.length >> 2), bytes.length);
		else bytes.writeUInt32BE(number(random), at);
	}
	return bytes;
}

/** @throws AssertionError for a reply that is none, and for the fault of ours behind one. */
function checkReply(server: Server, out: XdrWriter, xid: number): string {
	assert.deepEqual(server.faults, []);
	const reply = out.copy();
	assert.ok(reply.length >= 20 && reply.length % 4 === 0, `a reply of ${reply.length} bytes`);
	assert.equal(reply.readUInt32BE(0), xid);
	assert.equal(reply.readUInt32BE(4), 1);
	const denied = reply.readUInt32BE(8);
	const status = denied === 0 ? reply.readUInt32BE(20) : reply.readUInt32BE(12);
	assert.ok(denied !== 0 || status < 5, `accept_stat ${status}`);
	return `${denied} ${status} ${denied === 0 && status === 0 && reply.length >= 28 ? Math.min(reply.readUInt32BE(24), 20_000) : ""}`;
}

async function answer(input: Buffer): Promise<string> {
	const server = new Server();
	const out = new XdrWriter();
	const later = server.service.dispatch(input, 0, input.length, CALLER, 0, out);
	if (later !== undefined) {
		const finish = await later;
		out.truncate(0);
		finish(out);
	}
	const [program = 0, procedure = 0] = input.length >= 24 ? [input.readUInt32BE(12), input.readUInt32BE(20)] : [];
	const place = PROGRAMS.has(program) && procedure < 22 ? `${PROGRAMS.get(program)} ${procedure}` : "other";
	return `${place} -> ${checkReply(server, out, input.readUInt32BE(0))}`;
}

export const rpcCall: FuzzTarget = {
	name: "rpc-call",
	seeds: calls,
	mutate: mutateXdr,
	// The largest READ has 1 MiB, and its reply grows by doubling.
	allowance: 4 << 20,
	run: answer,
};

/** A transport that takes everything at once. */
class Drain implements StreamTransport {
	readonly pool = new BufferPool();
	bytes = 0;
	aborted: unknown;
	paused = false;
	send: StreamTransport["send"] = (buffer, length) => {
		this.bytes += length;
		this.pool.release(buffer);
	};
	flush(): void {}
	outputBytes(): number {
		return 0;
	}
	crowded(): boolean {
		return false;
	}
	hasRoom(): boolean {
		return true;
	}
	reserve(): boolean {
		return true;
	}
	hasTurn(): boolean {
		return true;
	}
	pause(): void {
		this.paused = true;
	}
	resume(): void {
		this.paused = false;
	}
	abort(cause: unknown): void {
		this.aborted = cause;
	}
}

/** MNT answers in a later turn. */
async function until(condition: () => boolean): Promise<void> {
	for (let turn = 0; turn < 200 && !condition(); turn++) await Promise.resolve();
	assert.ok(condition(), `${condition} does not come true`);
}

function record(...fragments: Buffer[]): Buffer {
	const parts = fragments.flatMap((fragment, index) => {
		const mark = Buffer.alloc(4);
		mark.writeUInt32BE((fragment.length | (index === fragments.length - 1 ? 0x8000_0000 : 0)) >>> 0);
		return [mark, fragment];
	});
	return Buffer.concat(parts);
}

export const rpcStream: FuzzTarget = {
	name: "rpc-stream",
	longest: 8192,
	words: [Buffer.of(0x80, 0, 0, 0), Buffer.of(0, 0, 0, 0), Buffer.of(0x80, 0x11, 0, 0), Buffer.of(0, 0, 0, 1)],
	allowance: 2 * maxRecordBytes,
	// The first byte says into how many chunks the rest is cut.
	seeds() {
		const all = calls();
		const [first = Buffer.alloc(0), second = Buffer.alloc(0)] = all;
		const cut = record(first.subarray(0, 7), Buffer.alloc(0), first.subarray(7));
		return [
			Buffer.concat([Buffer.of(1), ...all.map((call) => record(call))]),
			Buffer.concat([Buffer.of(9), cut, record(second)]),
			Buffer.concat([Buffer.of(200), ...all.slice(0, 3).map((call) => record(call))]),
		];
	},
	async run(input) {
		const server = new Server();
		const transport = new Drain();
		const stream = new RpcStream(server.service, CALLER, transport, transport.pool);
		const step = Math.max(1, Math.ceil(input.length / Math.max(1, input[0] ?? 1)));
		for (let at = 1; at < input.length && transport.aborted === undefined; at += step) {
			stream.receive(input.subarray(at, at + step));
			await until(() => !transport.paused || transport.aborted !== undefined);
		}
		// What an aborted connection has begun is nobody's any more.
		await until(() => stream.inFlight === 0 || transport.aborted !== undefined);
		stream.close();
		assert.deepEqual(server.faults, []);
		if (transport.aborted !== undefined && !isRefusal(transport.aborted)) throw transport.aborted;
		return `${String(transport.aborted).replace(/\d+/g, "#")} ${Math.min(40, transport.bytes >> 5)}`;
	},
};

export const portmapReply: FuzzTarget = {
	name: "portmap-reply",
	mutate: mutateXdr,
	seeds() {
		const header = new XdrWriter().u32(7).u32(1).u32(0).u32(0).u32(0).u32(0);
		const list = new XdrWriter().u32(7).u32(1).u32(0).u32(0).u32(0).u32(0);
		for (const port of [111, 2049]) list.bool(true).u32(NFS).u32(3).u32(6).u32(port);
		return [header.u32(2049).copy(), list.bool(false).copy(), encodePortmapCall(7, 4)];
	},
	run(input) {
		const results = decodePortmapReply(input, 7);
		return `mappings ${Math.min(5, readMappings(results).length)}`;
	},
};
