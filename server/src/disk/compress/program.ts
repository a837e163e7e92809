/**
 * Unpacking by the program of the format, from one open file to another: the bytes never come through this process, and xz uses
 * all cores where the file was packed in blocks. Where there are only zeros they leave holes.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { Readable } from "node:stream";
import { ExternalError, MalformedError, systemCode } from "../../base/index.ts";
import type { Packing } from "./packing.ts";

/** `xz -9` takes 65 MiB per thread; a stream that asks for more than this is not meant to be unpacked on a small machine. */
const XZ_MEMORY_LIMIT = "512MiB";

interface Program {
	readonly command: readonly string[];
	/** Ends with 0 where the command can be used. */
	readonly trial: readonly string[];
	/** Besides 0. */
	readonly alsoGood?: number;
}

/** gzip leaves no holes, so dd does. Where a pipe ends, the shell tells only of its last program; the status of gzip goes out by 3. */
const GUNZIP = `{ gzip -dc; echo "$?" >&3; } | dd ibs=64k obs=64k conv=sparse 3>&-`;

/** zstd has the limit by itself, 128 MiB, and fills the holes of what goes to its standard output unless told. */
const PROGRAMS: Partial<Record<Packing, Program>> = {
	xz: {
		command: ["xz", "--decompress", "--stdout", "--threads=0", `--memlimit-decompress=${XZ_MEMORY_LIMIT}`],
		trial: ["xz", "--version"],
	},
	zstd: { command: ["zstd", "--decompress", "--stdout", "--quiet", "--sparse"], trial: ["zstd", "--version"] },
	gzip: {
		command: ["sh", "-c", GUNZIP],
		trial: ["sh", "-c", "gzip --version && dd if=/dev/null conv=sparse"],
		// gzip(1): 2 is a warning, as for what lies behind the end.
		alsoGood: 2,
	},
};

/**
 * Runs its arguments. Descriptor 4 is a pipe whose other end is in this process and nobody else's: however this process ends, it
 * ends as well, and then all that was started here.
 */
const TETHERED = '{ read -r _ <&4; kill -9 0; } >/dev/null 2>&1 3>&- & exec 4<&-; "$@"';

const STDERR_CHARACTERS = 2000;

/** Whether there is a program for the packing on this machine that is better than what is built in. */
export async function hasProgram(packing: Packing): Promise<boolean> {
	const [program, ...args] = PROGRAMS[packing]?.trial ?? [];
	if (program === undefined) return false;
	const child = spawn(program, args, { stdio: "ignore" });
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
	const { command = [], alsoGood = 0 } = PROGRAMS[packing] ?? {};
	signal.throwIfAborted();
	// A group of its own: what a shell has started ends with it.
	const options = { env: { ...process.env, LC_ALL: "C" }, detached: true };
	const stdio = [input, output, "pipe", "pipe", "pipe"] as const;
	const child = spawn("sh", ["-c", TETHERED, "sh", ...command], { stdio: [...stdio], ...options });
	child.once("exit", () => child.stdio[4]?.destroy());
	const [complaint, status] = [collect(child.stdio[2]), collect(child.stdio[3])];
	const kill = () => killGroup(child.pid);
	signal.addEventListener("abort", kill, { once: true });
	try {
		const [code, by] = await once(child, "close");
		signal.throwIfAborted();
		const inner = Number(status());
		if (code !== 0 || (inner !== 0 && inner !== alsoGood)) {
			throw failureOf(packing, code === 0 ? inner : (code ?? by), complaint());
		}
	} finally {
		signal.removeEventListener("abort", kill);
	}
}

/** Gathers what comes out, its beginning only. */
function collect(output: unknown): () => string {
	let text = "";
	if (output instanceof Readable) {
		output.setEncoding("utf8").on("data", (more: string) => {
			text = (text + more).slice(0, STDERR_CHARACTERS);
		});
	}
	return () => text.trim();
}

function killGroup(pid: number | undefined): void {
	if (pid === undefined) return;
	try {
		process.kill(-pid, "SIGKILL");
	} catch (error) {
		// It has ended by itself.
		if (systemCode(error) !== "ESRCH") throw error;
	}
}

/** xz(1), zstd(1), gzip(1): 1 is "an error occurred". */
function failureOf(packing: Packing, status: number | string, complaint: string): Error {
	const lines = complaint.split("\n").filter((line) => !/^\d+\+\d+ records|^\d+ bytes/.test(line));
	const said = lines
		.map((line) => line.replace(/^.*?(\(stdin\)|\/\*stdin\*\\|stdin) ?: /, ""))
		.join(" ")
		.trim();
	if (/write error|dd: /i.test(said)) {
		const isFull = /no space left|quota/i.test(said);
		return new ExternalError(isFull ? "ENOSPC" : "EIO", `${packing}: ${said}`);
	}
	if (status === 1) return new MalformedError(packing, `${packing}: ${said === "" ? "it cannot be unpacked" : said}`);
	return new ExternalError("EIO", `the program for ${packing} ended with ${status} ${said}`.trim());
}
