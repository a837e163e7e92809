/** Other people's TFTP clients fetch files from our server, over loopback. */
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { silentLogger, systemClock } from "../../server/src/base/index.ts";
import { TftpServer } from "../../server/src/net/index.ts";
import { normaliseName, type TftpPort } from "../../server/src/wire/tftp/index.ts";
import { run } from "../harness/command.ts";

/** 4 MB and a bit; a multiple of 512; empty; small. */
const FILES = new Map<string, Buffer>([
	[
		"7bf18f79/kernel8.img",
		Buffer.from(Uint8Array.from({ length: 4_000_123 }, (_, at) => (at * 31 + (at >> 8)) & 0xff)),
	],
	["start4.elf", Buffer.alloc(512 * 40, "start")],
	["empty", Buffer.alloc(0)],
	["config.txt", Buffer.from("arm_64bit=1\n")],
]);

const outcomes: string[] = [];

const files: TftpPort = {
	async open(name) {
		const data = FILES.get(normaliseName(name) ?? "");
		if (data === undefined) return undefined;
		const read = async (offset: number, length: number) => data.subarray(offset, offset + length);
		return { size: data.length, read, close: () => undefined };
	},
	ended: (name, _client, outcome) => void outcomes.push(`${name} ${outcome}`),
};

const server = new TftpServer({ addresses: ["127.0.0.1"], port: 0, files, clock: systemClock, log: silentLogger });
let folder = "";

before(async () => {
	folder = await mkdtemp(join(tmpdir(), "tftp-clients-"));
	await server.start();
});

after(async () => {
	await server.stop();
	await rm(folder, { recursive: true });
});

/** How each client is told to fetch a file; `%` stands for where to put it. */
const CLIENTS = new Map<string, (name: string, target: string) => string[]>([
	["tftp-hpa", (name, target) => tftpHpa("octet", name, target)],
	["atftp", (name, target) => atftp([], name, target)],
	["atftp, blksize 1468", (name, target) => atftp(["--option", "blksize 1468"], name, target)],
	["atftp, blksize 65464", (name, target) => atftp(["--option", "blksize 65464"], name, target)],
	["atftp, windowsize 8", (name, target) => atftp(["--option", "windowsize 8"], name, target)],
	["curl", (name, target) => curl([], name, target)],
	["curl, blksize 1024", (name, target) => curl(["--tftp-blksize", "1024"], name, target)],
	["curl without options", (name, target) => curl(["--tftp-no-options"], name, target)],
]);

function tftpHpa(mode: string, name: string, target: string): string[] {
	return ["tftp", "-m", mode, "127.0.0.1", String(server.port), "-c", "get", name, target];
}

function atftp(options: string[], name: string, target: string): string[] {
	return [
		"atftp",
		...options,
		"--get",
		"--remote-file",
		name,
		"--local-file",
		target,
		"127.0.0.1",
		String(server.port),
	];
}

function curl(options: string[], name: string, target: string): string[] {
	const url = `tftp://127.0.0.1:${server.port}/${name}`;
	return ["curl", "--silent", "--show-error", "--max-time", "15", ...options, "--output", target, url];
}

/** Skips the test when the program is not there. */
async function needs(context: TestContext, program: string): Promise<boolean> {
	const found = (await run(["sh", "-c", `command -v ${program}`])).status === 0;
	if (!found) context.skip(`${program} is not installed`);
	return found;
}

for (const [client, command] of CLIENTS) {
	test(`${client} fetches every file as it is`, async (context) => {
		if (!(await needs(context, command("", "")[0] ?? ""))) return;
		for (const [name, data] of FILES) {
			// curl takes a tsize of 0 in an OACK for an error.
			if (name === "empty" && client.startsWith("curl") && client !== "curl without options") continue;
			const target = join(folder, "fetched");
			// atftp and curl make no file where nothing arrives.
			await writeFile(target, "");
			const finished = await run(command(name, target), { timeout: 20_000 });
			assert.ok((await readFile(target)).equals(data), `${name}: ${finished.stdout}${finished.stderr}`);
		}
	});
}

test("a name with two slashes, as a Pi 5 asks for it", async (context) => {
	if (!(await needs(context, "tftp"))) return;
	const target = join(folder, "kernel");
	await run(tftpHpa("octet", "7bf18f79//kernel8.img", target), { timeout: 20_000 });
	assert.ok((await readFile(target)).equals(FILES.get("7bf18f79/kernel8.img") ?? assert.fail()));
});

test("a missing file, netascii and an upload are refused in words", async (context) => {
	if (!(await needs(context, "tftp"))) return;
	const target = join(folder, "nothing");
	const missing = await run(tftpHpa("octet", "recovery.elf", target), { timeout: 20_000 });
	assert.match(missing.stdout + missing.stderr, /file not found/);
	const netascii = await run(tftpHpa("netascii", "config.txt", target), { timeout: 20_000 });
	assert.match(netascii.stdout + netascii.stderr, /only mode octet is served/);
	await writeFile(target, "mine");
	const put = ["tftp", "-m", "octet", "127.0.0.1", String(server.port), "-c", "put", target, "config.txt"];
	const upload = await run(put, { timeout: 20_000 });
	assert.match(upload.stdout + upload.stderr, /read-only/);
});

test("curl learns of a missing file at once", async (context) => {
	if (!(await needs(context, "curl"))) return;
	const finished = await run(curl([], "recovery.elf", join(folder, "nothing")), { timeout: 20_000 });
	// CURLE_TFTP_NOTFOUND.
	assert.equal(finished.status, 68);
});

test("every transfer that these clients made was seen to its end", async () => {
	while (server.transfers > 0) await sleep(20);
	assert.deepEqual(
		outcomes.filter((outcome) => !outcome.endsWith(" complete")),
		[],
	);
});
