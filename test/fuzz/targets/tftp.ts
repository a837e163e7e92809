/** TFTP: requests with their options, what a client sends during a transfer, and the transfer's own state machine. */
import assert from "node:assert/strict";
import { decodeRequest, normaliseName, opcodeOf } from "../../../server/src/wire/tftp/index.ts";
import { negotiate } from "../../../server/src/wire/tftp/negotiate.ts";
import { decodeClientPacket } from "../../../server/src/wire/tftp/packet.ts";
import type { FuzzTarget } from "../target.ts";

function request(opcode: number, ...words: string[]): Buffer {
	return Buffer.concat([Buffer.of(0, opcode), Buffer.from(words.map((word) => `${word}\0`).join(""), "latin1")]);
}

export const tftp: FuzzTarget = {
	name: "tftp",
	longest: 700,
	words: [
		"\0",
		"octet\0",
		"netascii\0",
		"blksize\0",
		"tsize\0",
		"windowsize\0",
		"timeout\0",
		"multicast\0",
		"../",
		"//",
		"7bf18f79/",
		"\\",
	],
	seeds: () => [
		request(1, "7bf18f79//config.txt", "octet", "tsize", "0", "blksize", "1468"),
		request(1, "bootcode.bin", "OCTET"),
		request(1, "kernel8.img", "octet", "blksize", "1024", "windowsize", "16", "timeout", "3", "tsize", "0"),
		request(2, "dc-a6-32-01-02-03/cmdline.txt", "netascii"),
		Buffer.of(0, 4, 0, 1),
		Buffer.from("0005000066696c6520746f6f206c6172676500", "hex"),
	],
	run(input) {
		const packet = decodeClientPacket(input);
		if (packet !== undefined) return `client ${packet.opcode}`;
		const { opcode, filename, mode, options } = decodeRequest(input);
		assert.equal(opcode, opcodeOf(input));
		const settings = negotiate(options, 1_000_000);
		assert.ok(settings.blksize >= 8 && settings.blksize <= 65_464, `blksize ${settings.blksize}`);
		assert.ok(settings.blksize * settings.windowsize <= 256 * 1024 || settings.windowsize === 1);
		const name = normaliseName(filename);
		assert.ok(name === undefined || !/(^|\/)\.{0,2}(\/|$)|\0/.test(name), filename);
		const accepted = settings.accepted.map(([option]) => option).join();
		return `request ${opcode} ${["octet", "netascii", "mail"].indexOf(mode)} ${accepted} ${name === undefined}`;
	},
};
