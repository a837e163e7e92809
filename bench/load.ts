/** The load clients (`clients/*.c`), built when a bench begins and run next to the server that they load. */
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
	/** TFTP: seconds until the first client had its file, and how often clients had to ask again. */
	first: z.number().optional(),
	repeats: z.number().optional(),
});

export type Load = z.infer<typeof schema>;

/** A server under load. */
export interface LoadedServer {
	/** The host of the lab that it runs on; the client runs there too, so that the cable is left out. */
	readonly host: string;
	readonly address: string;
	readonly pid: number;
}

export interface Target extends LoadedServer {
	readonly name: string;
	readonly mountPort: number;
	readonly exportPath: string;
}

export class LoadClient {
	readonly #lab: Lab;
	readonly #folder: string;
	readonly #program: string;

	private constructor(lab: Lab, folder: string, program: string) {
		this.#lab = lab;
		this.#folder = folder;
		this.#program = program;
	}

	static async build(lab: Lab, name: "nfsload" | "tftpload"): Promise<LoadClient> {
		const folder = await mkdtemp(join(tmpdir(), `${name}-`));
		const program = join(folder, name);
		const source = fileURLToPath(new URL(`clients/${name}.c`, import.meta.url));
		await must(["gcc", "-O2", "-o", program, source]);
		return new LoadClient(lab, folder, program);
	}

	/** @param parameters of nfsload, without those that name the server. */
	runNfs(target: Target, parameters: readonly string[]): Promise<Load> {
		const { mountPort, exportPath } = target;
		return this.run(target, ["-m", String(mountPort), "-e", exportPath, ...parameters]);
	}

	/** @param parameters without the server's address and process. */
	async run({ host, address, pid }: LoadedServer, parameters: readonly string[]): Promise<Load> {
		const command = [this.#program, "-h", address, "-p", String(pid), ...parameters];
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
