/** Disks for benches: loop devices on files, as slow as a card where that is wanted. */
import { closeSync, existsSync, ftruncateSync, openSync, rmSync, writeFileSync } from "node:fs";
import { must, run } from "../test/harness/command.ts";

/** Bytes per second that a disk takes and gives. */
export interface DiskSpeed {
	readonly write: number;
	readonly read: number;
}

/** Of a middling card. */
export const CARD: DiskSpeed = { write: 40_000_000, read: 45_000_000 };

/** About what a Pi with 2 GB lets wait for its disk. */
const MOST_DIRTY = 256 * 1024 * 1024;

/** Holds for whoever writes, the page cache included: block-layer throttling of the control group that all are in. */
const THROTTLE = "/sys/fs/cgroup/blkio/blkio.throttle";

export class BenchDisk {
	readonly device: string;
	readonly #file: string;
	readonly #number: string;

	private constructor(device: string, file: string, number: string) {
		this.device = device;
		this.#file = file;
		this.#number = number;
	}

	/** @param speed as fast as this machine's disk unless told. @throws Error where the kernel has no blkio control group (version 1). */
	static async attach(file: string, size: number, speed?: DiskSpeed): Promise<BenchDisk> {
		const descriptor = openSync(file, "w");
		ftruncateSync(descriptor, size);
		closeSync(descriptor);
		const device = (await must(["losetup", "--find", "--show", "--direct-io=on", file])).trim();
		const number = (await must(["lsblk", "-dno", "MAJ:MIN", device])).trim();
		const disk = new BenchDisk(device, file, number);
		try {
			if (speed !== undefined) disk.#throttle(speed);
			return disk;
		} catch (error) {
			await disk.remove();
			throw error;
		}
	}

	#throttle({ write, read }: DiskSpeed): void {
		this.#limitDirt();
		writeFileSync(`${THROTTLE}.write_bps_device`, `${this.#number} ${write}`);
		writeFileSync(`${THROTTLE}.read_bps_device`, `${this.#number} ${read}`);
	}

	/** What waits for a slow disk in the page cache would slow every other writer of this machine. */
	#limitDirt(): void {
		const place = `/sys/class/bdi/${this.#number}`;
		if (!existsSync(`${place}/max_bytes`)) return;
		writeFileSync(`${place}/strict_limit`, "1");
		writeFileSync(`${place}/max_bytes`, String(MOST_DIRTY));
	}

	async remove(): Promise<void> {
		await run(["losetup", "-d", this.device]);
		rmSync(this.#file, { force: true });
		// The rule stays with the number: the next loop device of that number would be slow.
		for (const way of ["write", "read"]) {
			await run(["sh", "-c", `echo "$1 0" > ${THROTTLE}.${way}_bps_device`, "sh", this.#number]);
		}
	}
}
