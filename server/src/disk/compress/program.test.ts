import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { runTool } from "../testdata/index.ts";
import type { Packing } from "./packing.ts";
import { hasProgram, unpackByProgram } from "./program.ts";

const dir = fs.mkdtempSync(join(tmpdir(), "program-"));
after(() => fs.rmSync(dir, { recursive: true }));

const CONTENT = Buffer.concat([createHash("shake256", { outputLength: 300_000 }).digest(), Buffer.alloc(4 << 20)]);
const plain = join(dir, "disk.img");
fs.writeFileSync(plain, CONTENT);
/** No two bytes of it are zeros in a row for long. */
const NOISE = join(dir, "noise");
fs.writeFileSync(NOISE, CONTENT.subarray(0, 300_000));
const never = new AbortController().signal;

async function unpacked(packing: Packing, bytes: Buffer, target = join(dir, "out"), signal = never) {
	fs.writeFileSync(join(dir, "in"), bytes);
	const input = fs.openSync(join(dir, "in"), "r");
	const output = fs.openSync(target, "w");
	try {
		await unpackByProgram(packing, input, output, signal);
	} finally {
		fs.closeSync(input);
		fs.closeSync(output);
	}
}

for (const [packing, bytes] of [
	["xz", runTool("xz", ["-c", plain])],
	["zstd", runTool("zstd", ["-qc", "--check", plain])],
	["gzip", runTool("gzip", ["-c", plain])],
] as const) {
	test(`${packing}: the program unpacks into a file with holes, also several pieces in a row`, async () => {
		assert.equal(await hasProgram(packing), true);
		await unpacked(packing, Buffer.concat([bytes, bytes]));
		assert.ok(fs.readFileSync(join(dir, "out")).equals(Buffer.concat([CONTENT, CONTENT])));
		assert.ok(fs.statSync(join(dir, "out")).blocks * 512 < 2 << 20);
	});

	test(`${packing}: what is cut off or damaged is told from a full disk`, async () => {
		const damaged = Buffer.from(bytes);
		damaged.writeUInt8(damaged.readUInt8(150_000) ^ 0x10, 150_000);
		for (const each of [bytes.subarray(0, 100_000), damaged]) {
			await assert.rejects(unpacked(packing, each), { code: `malformed-${packing}`, message: /: [A-Za-z]/ });
		}
		await assert.rejects(unpacked(packing, bytes, "/dev/full"), { code: "ENOSPC" });
	});

	test(`${packing}: it is given up`, async () => {
		const giveUp = new AbortController();
		const asked = unpacked(packing, Buffer.concat(Array.from({ length: 100 }, () => bytes)), undefined, giveUp.signal);
		giveUp.abort(new Error("enough"));
		await assert.rejects(asked, /enough/);
	});
}

for (const packing of ["xz", "gzip"] as const) {
	test(`${packing}: the program ends with the process that runs it, also when that is killed`, {
		timeout: 60_000,
	}, async () => {
		const script = fileURLToPath(new URL("program.child.ts", import.meta.url));
		const child = spawn(process.execPath, [script, packing], { stdio: ["ignore", "pipe", "inherit", "pipe"] });
		const [output, input] = [child.stdout ?? assert.fail(), child.stdio[3]];
		assert.ok(input instanceof Writable);
		// The end of the input never comes, and that of the output when nobody has it open any more.
		input.on("error", ({ message }) => assert.match(message, /ECONNRESET|EPIPE/));
		input.write(runTool(packing, ["-c", NOISE]));
		await once(output, "data");
		child.kill("SIGKILL");
		output.resume();
		await once(child, "close");
		input.destroy();
	});
}

test("what lies behind the end of a gzip is left out, as gzip does", async () => {
	await unpacked("gzip", Buffer.concat([runTool("gzip", ["-c", plain]), Buffer.from("something else")]));
	assert.ok(fs.readFileSync(join(dir, "out")).equals(CONTENT));
});

test("for what is built in no program is asked", async () => {
	assert.equal(await hasProgram("zip"), false);
});
