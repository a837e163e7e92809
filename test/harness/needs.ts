/** What a test needs of the machine that it runs on. */
import { run } from "./command.ts";

/** Programs of a lab with guests in it. */
export const GUEST_PROGRAMS = ["ip", "curl", "cpio", "qemu-system-aarch64", "dpkg-deb"];

/** Programs that make disk images. */
export const IMAGE_PROGRAMS = ["mke2fs", "mkfs.vfat", "mcopy", "sfdisk"];

/** @returns why a test that needs root and these programs has to be skipped, false when it can run. */
export async function lacks(programs: readonly string[]): Promise<string | false> {
	if (process.getuid?.() !== 0) return "needs root for network namespaces";
	for (const program of programs) {
		const found = await run(["sh", "-c", `PATH=$PATH:/usr/sbin:/sbin command -v ${program}`]);
		if (found.status !== 0) return `needs the program ${program}`;
	}
	return false;
}
