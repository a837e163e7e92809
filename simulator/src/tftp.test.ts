import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { ProtocolError } from "./errors.ts";
import { decodeReply, encodeAck, encodeError, encodeRrq } from "./tftp.ts";

describe("TFTP packets", () => {
	it("of a client are those of the captures", () => {
		assert.equal(
			encodeRrq("e0ff06da/start4.elf", [
				{ name: "tsize", value: 0 },
				{ name: "blksize", value: 1024 },
			]).toString("hex"),
			"000165306666303664612f7374617274342e656c66006f63746574007473697a65003000626c6b73697a65003130323400",
		);
		assert.equal(
			encodeRrq("recovery.elf", [
				{ name: "tsize", value: 0 },
				{ name: "blksize", value: 1468 },
			]).toString("hex"),
			"00017265636f766572792e656c66006f63746574007473697a65003000626c6b73697a65003134363800",
		);
		assert.equal(encodeRrq("bootcode.bin", []).length, 21);
		assert.equal(encodeAck(65535).toString("hex"), "0004ffff");
		assert.equal(encodeError(0, "Early terminate").toString("latin1"), "\0\x05\0\0Early terminate\0");
	});

	it("of a server are read", () => {
		const oack = Buffer.from("\0\x06blksize\x001024\x00tsize\x001591\0", "latin1");
		assert.deepEqual(decodeReply(oack), {
			kind: "oack",
			options: new Map([
				["blksize", 1024],
				["tsize", 1591],
			]),
		});
		assert.deepEqual(decodeReply(Buffer.from("0003ffff4142", "hex")), {
			kind: "data",
			block: 65535,
			data: Buffer.from("AB"),
		});
		assert.deepEqual(decodeReply(Buffer.from("\0\x05\0\x01nicht da\0", "latin1")), {
			kind: "error",
			code: 1,
			message: "nicht da",
		});
	});

	it("that no server may send are refused", () => {
		const broken = ["", "0003", "00010000", "0006746100", "000674610030007461003100", "00066100780000", "000500014142"];
		for (const hex of broken) assert.throws(() => decodeReply(Buffer.from(hex, "hex")), ProtocolError, hex);
	});

	it("of any bytes are read or refused", () => {
		const packet = fc.tuple(fc.integer({ min: 0, max: 7 }), fc.uint8Array({ maxLength: 40 }));
		fc.assert(
			fc.property(packet, ([opcode, rest]) => {
				try {
					decodeReply(Buffer.from([0, opcode, ...rest]));
				} catch (error) {
					assert.ok(error instanceof ProtocolError, String(error));
				}
			}),
		);
	});
});
