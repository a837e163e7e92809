/** A tiny port mapper, MOUNT and NFS server for tests, over a tree in memory. None of the codecs is ours. */
import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { createServer, type Server, type Socket } from "node:net";

/** A directory, a file or, as `{ link }`, a symbolic link. */
export type FakeNode = Buffer | { readonly link: string } | { readonly [name: string]: FakeNode };

export interface FakeNfsOptions {
	readonly path: string;
	readonly root: FakeNode;
	/** Answers in place of the right one: the whole reply behind the xid. */
	readonly answer?: (call: FakeCall) => Buffer | undefined;
	/** Entries of a READDIRPLUS. */
	readonly page?: number;
	/** Bytes of a record's fragment. */
	readonly fragment?: number;
}

export interface FakeCall {
	readonly program: number;
	readonly procedure: number;
	readonly args: Buffer;
}

export const u32 = (...values: number[]): Buffer => {
	const bytes = Buffer.alloc(values.length * 4);
	for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, index * 4);
	return bytes;
};
const u64 = (value: number): Buffer => u32(Math.floor(value / 2 ** 32), value % 2 ** 32);
export const opaque = (bytes: Buffer): Buffer =>
	Buffer.concat([u32(bytes.length), bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);

/** MSG_ACCEPTED with AUTH_NONE and this accept_stat. */
export const accepted = (status: number, results: Buffer = Buffer.alloc(0)): Buffer =>
	Buffer.concat([u32(1, 0, 0, 0, status), results]);

export class FakeNfs {
	/** `100005:1` for each call: program and procedure. */
	readonly calls: string[] = [];
	readonly #options: FakeNfsOptions;
	readonly #nodes: FakeNode[];
	readonly #tcp: Server;
	readonly #udp: UdpSocket;
	readonly #connections = new Set<Socket>();

	private constructor(options: FakeNfsOptions) {
		this.#options = options;
		this.#nodes = [options.root];
		this.#tcp = createServer((socket) => this.#serve(socket));
		this.#udp = createSocket("udp4");
		this.#udp.on("message", (bytes, from) => this.#udp.send(this.#reply(bytes), from.port, from.address));
	}

	static async start(options: FakeNfsOptions): Promise<FakeNfs> {
		const server = new FakeNfs(options);
		await new Promise<void>((resolve) => server.#tcp.listen(0, "127.0.0.1", resolve));
		await new Promise<void>((resolve) => server.#udp.bind(server.port, "127.0.0.1", resolve));
		return server;
	}

	/** Of all three services, on TCP and on UDP. */
	get port(): number {
		const address = this.#tcp.address();
		return typeof address === "object" && address !== null ? address.port : 0;
	}

	close(): void {
		this.#udp.close();
		for (const socket of this.#connections) socket.destroy();
		this.#tcp.close();
	}

	#serve(socket: Socket): void {
		this.#connections.add(socket);
		let pending = Buffer.alloc(0);
		socket.on("error", () => socket.destroy());
		socket.on("data", (chunk: Buffer) => {
			pending = Buffer.concat([pending, chunk]);
			while (pending.length >= 4 && pending.length >= 4 + (pending.readUInt32BE() & 0x7fffffff)) {
				const length = pending.readUInt32BE() & 0x7fffffff;
				socket.write(this.#record(this.#reply(pending.subarray(4, 4 + length))));
				pending = pending.subarray(4 + length);
			}
		});
	}

	#record(reply: Buffer): Buffer {
		const { fragment = reply.length } = this.#options;
		const parts: Buffer[] = [];
		for (let at = 0; at < reply.length; at += fragment) {
			const part = reply.subarray(at, at + fragment);
			const last = at + fragment >= reply.length;
			parts.push(u32(((last ? 0x80000000 : 0) | part.length) >>> 0), part);
		}
		return Buffer.concat(parts);
	}

	#reply(message: Buffer): Buffer {
		const program = message.readUInt32BE(12);
		const procedure = message.readUInt32BE(20);
		const credential = message.readUInt32BE(28);
		const args = message.subarray(24 + 8 + credential + 8);
		this.calls.push(`${program}:${procedure}`);
		const call = { program, procedure, args };
		const answer = this.#options.answer?.(call) ?? this.#answer(call);
		return Buffer.concat([message.subarray(0, 4), answer]);
	}

	#answer({ program, procedure, args }: FakeCall): Buffer {
		if (program === 100000) return accepted(0, u32(this.port));
		if (program === 100005) return procedure === 0 ? accepted(0) : accepted(0, this.#mnt(args));
		if (program === 100003) return procedure === 0 ? accepted(0) : accepted(0, this.#nfs(procedure, args));
		return accepted(1);
	}

	#mnt(args: Buffer): Buffer {
		const path = args.toString("latin1", 4, 4 + args.readUInt32BE());
		return path === this.#options.path ? Buffer.concat([u32(0), opaque(u32(0)), u32(2, 0, 1)]) : u32(13);
	}

	#nfs(procedure: number, args: Buffer): Buffer {
		const node = this.#nodes[args.readUInt32BE(4)];
		if (node === undefined) return u32(70, 0);
		const rest = args.subarray(8);
		const attributes = this.#attributes(node);
		const ok = Buffer.concat([u32(0, 1), attributes]);
		switch (procedure) {
			case 1:
				return Buffer.concat([u32(0), attributes]);
			case 3:
				return this.#lookup(node, rest);
			case 4:
				return Buffer.concat([ok, rest.subarray(0, 4)]);
			case 5:
				return "link" in node ? Buffer.concat([ok, opaque(Buffer.from(String(node.link)))]) : u32(22, 0);
			case 6:
				return Buffer.concat([ok, this.#read(node, rest)]);
			case 17:
				return Buffer.concat([ok, this.#list(node, rest)]);
			case 19:
				return Buffer.concat([ok, u32(65536, 65536, 512, 65536, 65536, 512, 8192), u64(2 ** 50), u32(0, 1, 0x1b)]);
			case 20:
				return Buffer.concat([ok, u32(32000, 255, 1, 1, 0, 1)]);
			default:
				return u32(10004, 0);
		}
	}

	#handle(node: FakeNode): Buffer {
		if (!this.#nodes.includes(node)) this.#nodes.push(node);
		return u32(this.#nodes.indexOf(node));
	}

	#attributes(node: FakeNode): Buffer {
		const type = Buffer.isBuffer(node) ? 1 : "link" in node ? 5 : 2;
		const size = Buffer.isBuffer(node) ? node.length : 0;
		const fileid = this.#handle(node).readUInt32BE() + 1;
		return Buffer.concat([
			u32(type, 0o755, 1, 0, 0),
			u64(size),
			u64(size),
			u32(0, 0),
			u64(1),
			u64(fileid),
			Buffer.alloc(24),
		]);
	}

	#lookup(node: FakeNode, rest: Buffer): Buffer {
		const name = rest.toString("utf8", 4, 4 + rest.readUInt32BE());
		const found = Buffer.isBuffer(node) || "link" in node ? undefined : node[name];
		if (found === undefined) return u32(2, 0);
		return Buffer.concat([u32(0), opaque(this.#handle(found)), u32(1), this.#attributes(found), u32(0)]);
	}

	#read(node: FakeNode, rest: Buffer): Buffer {
		const start = rest.readUInt32BE(4);
		const file = Buffer.isBuffer(node) ? node : Buffer.alloc(0);
		const data = file.subarray(start, start + rest.readUInt32BE(8));
		return Buffer.concat([u32(data.length, start + data.length >= file.length ? 1 : 0), opaque(data)]);
	}

	#list(node: FakeNode, rest: Buffer): Buffer {
		const names = [".", "..", ...Object.keys(Buffer.isBuffer(node) ? {} : node)];
		const from = rest.readUInt32BE(4);
		const { page = 100 } = this.#options;
		const entries = names
			.slice(from, from + page)
			.map((name, index) =>
				Buffer.concat([u32(1), u64(from + index + 10), opaque(Buffer.from(name)), u64(from + index + 1), u32(0, 0)]),
			);
		return Buffer.concat([Buffer.alloc(8), ...entries, u32(0, from + page >= names.length ? 1 : 0)]);
	}
}
