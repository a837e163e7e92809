/** `config.txt` and the files that it includes, as a Pi that boots from the network gets them. Pure. */

export interface ConfigChanges {
	/** The kernel mounts the root by itself: no initramfs may be loaded. */
	readonly skipInitramfs: boolean;
}

/** Lines that load an initramfs: `initramfs FILE followkernel` and `auto_initramfs=1`. */
const LOADS_INITRAMFS = /^[ \t]*(initramfs[ \t=]|auto_initramfs[ \t]*=)/i;

/**
 * The file with as few changes as can be: lines that must not take effect become comments, and bytes that are not ASCII
 * become `?`, because some firmware stops reading at the first one. Line ends stay as they are.
 *
 * @param original of `config.txt`, or of a file that it includes: the same changes are needed in all of them.
 */
export function netbootConfig(original: string, changes: ConfigChanges): string {
	const ascii = original.replace(/[^\t\r\n\x20-\x7e]/gu, "?");
	if (!changes.skipInitramfs) return ascii;
	return ascii.replace(/[^\r\n]+/g, (line) =>
		LOADS_INITRAMFS.test(line) ? `# not used, the kernel mounts its root by itself: ${line.trim()}` : line,
	);
}
