/**
 * From a packed image to a bootable one: ours against the program of each format, which writes the same bytes to the same disk; and the
 * most memory that a whole server takes meanwhile.
 */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { unpackImage } from "../server/src/images/import/unpacker.ts";
import { spreadOf } from "./compare.ts";
import { memoryOf } from "./unpack-memory.ts";

interface Format {
	readonly name: string;
	readonly extension: string;
	/** Packs `image`. */
	readonly pack: string;
	readonly peer: readonly string[];
	readonly isBuiltIn?: boolean;
	/** What ours may take of the program's time. */
	readonly aim?: number;
}

const FORMATS: readonly Format[] = [
	{ name: "gzip", extension: "gz", pack: "gzip -1 -c image > image.gz", peer: ["gzip", "-dc"], aim: 1.1 },
	{ name: "zstd", extension: "zst", pack: "zstd -q -T0 -3 image -o image.zst", peer: ["zstd", "-qdc"], aim: 1.1 },
	{
		name: "xz",
		extension: "xz",
		pack: "xz -T0 -1 --block-size=24MiB -c image > image.xz",
		peer: ["xz", "-T0", "-dc"],
		aim: 1.1,
	},
	{ name: "xz without the program", extension: "xz", pack: "true", peer: ["xz", "-T0", "-dc"], isBuiltIn: true },
];

/** Seconds. Both sides end with the file on the disk. */
async function timeOf(run: () => Promise<void>): Promise<number> {
	const start = performance.now();
	await run();
	return (performance.now() - start) / 1000;
}

async function peerTo(target: string, source: string, [program = "", ...args]: readonly string[]): Promise<void> {
	const input = fs.openSync(source, "r");
	const output = fs.openSync(target, "w");
	const child = spawn(program, args, { stdio: [input, output, "inherit"] });
	const [status] = await once(child, "close");
	fs.fsyncSync(output);
	fs.closeSync(input);
	fs.closeSync(output);
	if (status !== 0) throw new Error(`${program} ended with ${status}`);
}

/** @param megabytes of the image, of which about two thirds are this machine's programs and the rest is free. */
export async function benchUnpack({ megabytes, rounds }: { megabytes: number; rounds: number }): Promise<void> {
	const folder = fs.mkdtempSync(path.join(os.tmpdir(), "bench-unpack-"));
	const at = (name: string) => path.join(folder, name);
	try {
		makeImage(at("image"), megabytes);
		for (const format of FORMATS) {
			const { name, extension, pack, peer, isBuiltIn = false, aim } = format;
			execFileSync("sh", ["-c", pack], { cwd: folder });
			const source = at(`image.${extension}`);
			const ours = async () => {
				fs.rmSync(at("ours"), { force: true });
				await unpackImage({ source, target: at("ours"), isBuiltIn });
			};
			const theirs = async () => {
				fs.rmSync(at("theirs"), { force: true });
				await peerTo(at("theirs"), source, peer);
			};
			const pairs: { ours: number; theirs: number }[] = [];
			for (let round = 0; round < rounds; round++) {
				const first = round % 2 === 0;
				const before = first ? await timeOf(ours) : 0;
				const between = await timeOf(theirs);
				pairs.push({ ours: first ? before : await timeOf(ours), theirs: between });
			}
			execFileSync("cmp", [at("ours"), at("image")]);
			const rate = (side: "ours" | "theirs") => megabytes / spreadOf(pairs.map((pair) => pair[side])).median;
			const ratio = spreadOf(pairs.map((pair) => pair.ours / pair.theirs));
			const spread = `${ratio.median.toFixed(2)} (${ratio.min.toFixed(2)}-${ratio.max.toFixed(2)})`;
			const goal = aim === undefined ? "" : `, aim ${aim}`;
			const memory = await memoryOf(source, !isBuiltIn);
			process.stdout.write(
				`${name}: ours ${rate("ours").toFixed(0)} MB/s, ${peer.join(" ")} ${rate("theirs").toFixed(0)} MB/s; time ratio ${spread}${goal}; the server ${memory.before} MB, then ${memory.during} MB at most\n`,
			);
		}
	} finally {
		fs.rmSync(folder, { recursive: true });
	}
}

function makeImage(image: string, megabytes: number): void {
	const used = (megabytes * 2) / 3;
	const programs = execFileSync(
		"sh",
		["-c", `tar -C / -cf - usr/lib 2>/dev/null | head -c ${Math.round(used)}000000`],
		{
			maxBuffer: 2 ** 31,
		},
	);
	fs.writeFileSync(image, programs);
	fs.truncateSync(image, megabytes * 1_000_000);
}
