import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { BootError } from "./errors.ts";
import { type FakeOptions, FakeServer } from "./testing/fake-server.ts";
import { type TftpRequest, type TftpStyle, type TransferPort, transfer } from "./tftp-client.ts";
import { UdpPort } from "./udp.ts";

const EEPROM: TftpStyle = { blksize: 1468, tsize: true, rollover: true, acksAgain: true, ttl: 64 };
const ROM: TftpStyle = { blksize: undefined, tsize: false, rollover: false, acksAgain: false, ttl: 128 };

function content(size: number): Buffer {
	return Buffer.from(Uint8Array.from({ length: size }, (_, index) => (index * 7) ^ (index >> 8)));
}

async function fetch(options: FakeOptions, request: Partial<TftpRequest> = {}) {
	const server = await FakeServer.start(options);
	const socket = await UdpPort.open({ address: "127.0.0.1", port: 0 });
	try {
		const timing = { retry: 20_000, file: 20_000 };
		const to = { server: "127.0.0.1", port: server.ports.tftp, style: EEPROM, timing };
		const result = await transfer(socket, { name: "f", ...to, ...request });
		return { result, server };
	} finally {
		await socket.close();
		server.close();
	}
}

/** A server without a network: fast enough for 65536 blocks. Blocks of 8 bytes; block 2 comes twice when told to. */
class MemoryServer implements TransferPort {
	readonly acks: number[] = [];
	readonly #content: Buffer;
	readonly #repeats: boolean;
	readonly #replies: Buffer[] = [];
	#block = 0;

	constructor(file: Buffer, repeats = false) {
		this.#content = file;
		this.#repeats = repeats;
	}

	send(bytes: Buffer): void {
		if (bytes[1] === 1) this.#replies.push(Buffer.from("\0\x06blksize\x008\0", "latin1"));
		if (bytes[1] !== 4) return;
		const acknowledged = bytes.readUInt16BE(2);
		this.acks.push(acknowledged);
		if (acknowledged !== this.#block % 65536) return;
		this.#block++;
		const data = this.#content.subarray((this.#block - 1) * 8, this.#block * 8);
		const packet = Buffer.concat([Buffer.from([0, 3, (this.#block >> 8) & 255, this.#block & 255]), data]);
		this.#replies.push(...(this.#repeats && this.#block === 2 ? [packet, packet] : [packet]));
	}

	async receive() {
		const bytes = this.#replies.shift();
		return bytes && { bytes, address: "10.0.0.1", port: 3000 };
	}
}

describe("a transfer", () => {
	for (const size of [0, 1, 511, 512, 513, 1467, 1468, 1469, 100_000]) {
		it(`of ${size} bytes gives the file, with blocks of 1468 and of 512 bytes`, async () => {
			const files = new Map([["f", content(size)]]);
			for (const style of [EEPROM, ROM]) {
				const { result } = await fetch({ files }, { style });
				assert.ok(result.kind === "file");
				assert.deepEqual(result.content, content(size));
			}
		});
	}

	it("of a file that is not there says so", async () => {
		const { result } = await fetch({});
		assert.deepEqual(result, { kind: "absent", reason: "error 1 not here" });
	});

	it("that only probes ends with the first answer, or with the first block", async () => {
		const files = new Map([["f", content(5000)]]);
		for (const style of [EEPROM, ROM]) {
			for (const stopAt of ["answer", "block"] as const) {
				const { result } = await fetch({ files }, { style, stopAt });
				assert.deepEqual(result, { kind: "present" });
			}
		}
	});

	it("sends the request again when it was lost", async () => {
		const files = new Map([["f", content(3000)]]);
		const { result } = await fetch({ files, lost: new Set([1]) }, { timing: { retry: 50, file: 20_000 } });
		assert.equal(result.kind, "file");
	});

	it("counts on behind block 65535, where the firmware can", async () => {
		const big = content(65535 * 8 + 3);
		const timing = { retry: 20_000, file: 20_000 };
		const style = { ...EEPROM, blksize: 8 };
		const request = { name: "f", server: "10.0.0.1", port: 69, style, timing };
		const result = await transfer(new MemoryServer(big), request);
		assert.ok(result.kind === "file");
		assert.deepEqual(result.content, big);
		const old = transfer(new MemoryServer(big), { ...request, style: { ...style, rollover: false } });
		await assert.rejects(old, /more than 65535 blocks of 8 bytes, and this firmware counts no further/);
	});

	it("acknowledges a block again that comes again, where the firmware does so", async () => {
		const timing = { retry: 20_000, file: 20_000 };
		for (const acksAgain of [true, false]) {
			const server = new MemoryServer(content(40), true);
			const style = { ...EEPROM, blksize: 8, acksAgain };
			const result = await transfer(server, { name: "f", server: "10.0.0.1", port: 69, style, timing });
			assert.equal(result.kind, "file");
			assert.equal(server.acks.filter((block) => block === 2).length, acksAgain ? 2 : 1);
		}
	});

	it("is broken by an option that was not asked for, a bigger block or a wrong tsize", async () => {
		const files = new Map([["f", content(3000)]]);
		const with_ = (name: string, value: string) => (options: Map<string, string>) => new Map(options).set(name, value);
		await assert.rejects(
			fetch({ files, oack: with_("windowsize", "4") }),
			/grants "windowsize", which was not asked for/,
		);
		await assert.rejects(fetch({ files, oack: with_("blksize", "9000") }), /grants a blksize of 9000, asked for 1468/);
		await assert.rejects(fetch({ files, oack: with_("tsize", "2999") }), /its tsize was 2999, but 3000 bytes came/);
		await assert.rejects(fetch({ files, oack: with_("tsize", "many") }), /the value "many"/);
	});

	it("of a silent server ends when the time for a file is over", async () => {
		const silent = await UdpPort.open({ address: "127.0.0.1", port: 0 });
		const request = { port: silent.port, timing: { retry: 40, file: 150 } };
		const error = await fetch({}, request).catch((reason: unknown) => reason);
		await silent.close();
		assert.ok(error instanceof BootError);
		assert.match(error.message, /^f: no answer from TFTP at 127.0.0.1:\d+ within 0.15 s$/);
	});
});
