/** What a test needs from the machine. */
import { run } from "./command.ts";

/** Why a test in the lab cannot run here, as `skip` wants it: false when all is there. */
export async function missingForLab(...programs: string[]): Promise<string | false> {
	if (process.getuid?.() !== 0) return "needs root, for network namespaces";
	for (const program of ["ip", "ethtool", "curl", "mke2fs", "mkfs.fat", "mcopy", "sfdisk", ...programs]) {
		if ((await run(["sh", "-c", `command -v ${program}`])).status !== 0) return `${program} is not installed`;
	}
	return false;
}
