/** Real block devices for tests: loop devices on files, and on a disk that misbehaves when it is told to. */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Background, must, run } from "./command.ts";
import { eventually } from "./eventually.ts";

const PLUGIN = fileURLToPath(new URL("./faulty-disk.py", import.meta.url));

/** Full of something that no image has. */
const DIRT = Buffer.alloc(1024 * 1024, "stale");

export interface FaultyDisk {
	readonly device: string;
	faults(...lines: string[]): void;
	/** It is pulled out. */
	vanish(): Promise<unknown>;
}

/** Everything that was attached, to be taken off with the test. */
export class BlockDevices {
	readonly #folder: string;
	#count = 0;
	readonly #undo: (() => Promise<unknown>)[] = [];

	constructor(folder: string) {
		this.#folder = folder;
	}

	/** A loop device on a new dirty file. @returns the paths of both. */
	async loop(size: number, options: readonly string[] = []): Promise<{ device: string; file: string }> {
		const file = join(this.#folder, `disk-${++this.#count}`);
		const dirt = Buffer.alloc(size, DIRT);
		writeFileSync(file, dirt);
		return { device: await this.attach(file, options), file };
	}

	async attach(file: string, options: readonly string[] = []): Promise<string> {
		const device = (await must(["losetup", "--find", "--show", ...options, file])).trim();
		this.#undo.push(() => run(["losetup", "-d", device]));
		return device;
	}

	/** A loop device on a disk that lives in a program of its own. `faults` are the commands of faulty-disk.py. */
	async faulty(size: number): Promise<FaultyDisk> {
		const folder = join(this.#folder, `faulty-${++this.#count}`);
		mkdirSync(folder);
		const [socket, mounted, orders] = [join(folder, "socket"), join(folder, "disk"), join(folder, "orders")];
		writeFileSync(mounted, "");
		writeFileSync(orders, "");
		const program = new Background([
			"nbdkit",
			"-f",
			"-U",
			socket,
			"python",
			PLUGIN,
			`size=${size}`,
			`faults=${orders}`,
		]);
		this.#keep(program);
		await eventually("nbdkit", async () => existsSync(socket) || undefined);
		this.#keep(new Background(["nbdfuse", mounted, "--unix", socket]));
		this.#undo.push(() => run(["umount", "-l", mounted]));
		const isMounted = async () => (await readFile("/proc/mounts", "utf8")).includes(mounted) || undefined;
		await eventually("nbdfuse", isMounted);
		const device = await this.attach(mounted, ["--direct-io=on"]);
		return {
			device,
			faults: (...lines) => writeFileSync(orders, `${lines.join("\n")}\n`),
			vanish: () => program.stop("SIGKILL"),
		};
	}

	#keep(program: Background): void {
		this.#undo.push(() => program.stop("SIGKILL"));
	}

	/** Runs at the end, before what was attached before goes. */
	onClose(undo: () => Promise<unknown>): void {
		this.#undo.push(undo);
	}

	async close(): Promise<void> {
		for (const undo of this.#undo.splice(0).reverse()) await undo();
	}
}
