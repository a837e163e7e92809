/** The load client (`clients/nfsload.c`), built when the bench begins and run next to the server that it loads. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { must } from "../test/harness/command.ts";
import type { Lab } from "../test/harness/lab.ts";

/** What a client says about one run. */
const schema = z.object({
	seconds: z.number(),
	operations: z.number(),
	bytes: z.number(),
	p50us: z.number(),
	p99us: z.number(),
	/** Seconds that the server computed meanwhile. */
	cpu: z.number(),
});

export type Load = z.infer<typeof schema>;

/** A server under load. */
export interface Target {
	readonly name: string;
	/** The host of the lab that it runs on; the client runs there too, so that the cable is left out. */
	readonly host: string;
	readonly address: string;
	readonly mountPort: number;
	readonly exportPath: string;
	readonly pid: number;
}

export class LoadClient {
	readonly #lab: Lab;
	readonly #folder: string;

	private constructor(lab: Lab, folder: string) {
		this.#lab = lab;
		this.#folder = folder;
	}

	static async build(lab: Lab): Promise<LoadClient> {
		const folder = await mkdtemp(join(tmpdir(), "nfsload-"));
		const source = fileURLToPath(new URL("clients/nfsload.c", import.meta.url));
		await must(["gcc", "-O2", "-o", join(folder, "nfsload"), source]);
		return new LoadClient(lab, folder);
	}

	/** @param parameters of nfsload, without those that name the server. */
	async run(target: Target, parameters: readonly string[]): Promise<Load> {
		const { host, address, mountPort, exportPath, pid } = target;
		const server = ["-h", address, "-m", String(mountPort), "-e", exportPath, "-p", String(pid)];
		const command = [join(this.#folder, "nfsload"), ...server, ...parameters];
		const line = await must(this.#lab.on(host, command), { timeout: 60_000 });
		return schema.parse(JSON.parse(line));
	}

	async remove(): Promise<void> {
		await rm(this.#folder, { recursive: true, force: true });
	}
}

/** The most memory that a process had since `forgetPeak`, in MB. */
export async function peakMegabytes(pid: number): Promise<number> {
	const status = await readFile(`/proc/${pid}/status`, "utf8");
	return Math.round((Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1]) * 1024) / 1e6);
}

/** proc(5): 5 "resets the peak resident set size ('high water mark') to the process's current resident set size value". */
export async function forgetPeak(pid: number): Promise<void> {
	await writeFile(`/proc/${pid}/clear_refs`, "5");
}
