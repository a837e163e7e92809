/**
 * Unpacking by the program of the format, from one open file to another: the bytes never come through this process, and xz uses
 * all cores where the file was packed in blocks. Both programs leave holes where there are only zeros.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { ExternalError, MalformedError } from "../../base/index.ts";
import type { Packing } from "./packing.ts";

/** `xz -9` takes 65 MiB per thread; a stream that asks for more than this is not meant to be unpacked on a small machine. */
const XZ_MEMORY_LIMIT = "512MiB";

/** zstd has the limit by itself, 128 MiB, and keeps holes out of what goes to its standard output unless told. */
const PROGRAMS: Partial<Record<Packing, readonly string[]>> = {
	xz: ["xz", "--decompress", "--stdout", "--threads=0", `--memlimit-decompress=${XZ_MEMORY_LIMIT}`],
	zstd: ["zstd", "--decompress", "--stdout", "--quiet", "--sparse"],
};

const STDERR_CHARACTERS = 2000;

/** Whether there is a program for the packing on this machine that is better than what is built in. */
export async function hasProgram(packing: Packing): Promise<boolean> {
	const [program] = PROGRAMS[packing] ?? [];
	if (program === undefined) return false;
	const child = spawn(program, ["--version"], { stdio: "ignore" });
	try {
		const [status] = await once(child, "close");
		return status === 0;
	} catch {
		return false;
	}
}

/**
 * Unpacks all of a file into an empty one. Ask `hasProgram` before.
 *
 * @param input descriptor at its beginning; its position moves with what is read.
 * @param output descriptor of the empty file, which grows from its front: what is before its end is final.
 * @throws MalformedError of the packing, ExternalError when the program fails for another reason; the reason of `signal`.
 */
export async function unpackByProgram(
	packing: Packing,
	input: number,
	output: number,
	signal: AbortSignal,
): Promise<void> {
	const [program = "", ...args] = PROGRAMS[packing] ?? [];
	signal.throwIfAborted();
	const env = { ...process.env, LC_ALL: "C" };
	const child = spawn(program, args, { stdio: [input, output, "pipe"], env });
	let complaint = "";
	child.stderr?.setEncoding("utf8").on("data", (text: string) => {
		complaint = (complaint + text).slice(0, STDERR_CHARACTERS);
	});
	const kill = () => child.kill("SIGKILL");
	signal.addEventListener("abort", kill, { once: true });
	try {
		const [code, by] = await once(child, "close");
		signal.throwIfAborted();
		if (code !== 0) throw failureOf(packing, program, code ?? by, complaint);
	} finally {
		signal.removeEventListener("abort", kill);
	}
}

/** xz(1) and zstd(1): 1 is "an error occurred". */
function failureOf(packing: Packing, program: string, status: number | string, complaint: string): Error {
	const said = complaint.trim().replaceAll(/^.*(\(stdin\)|\/\*stdin\*\\) ?: /gm, "");
	if (/write error/i.test(said)) {
		const isFull = /no space left|quota/i.test(said);
		return new ExternalError(isFull ? "ENOSPC" : "EIO", `${program}: ${said}`);
	}
	if (status === 1) return new MalformedError(packing, `${packing}: ${said === "" ? "it cannot be unpacked" : said}`);
	return new ExternalError("EIO", `the program ${program} ended with ${status} ${said}`.trim());
}
