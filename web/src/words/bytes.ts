/** Sizes for people: decimal units, as disks and downloads are sold and shown. */
const units = ["bytes", "kB", "MB", "GB", "TB"] as const;

/** `0 bytes`, `512 bytes`, `1.4 MB`, `29 GB`. */
export function bytesText(bytes: number): string {
	if (bytes === 1) return "1 byte";
	const step = bytes < 1 ? 0 : Math.min(Math.floor(Math.log10(bytes) / 3), units.length - 1);
	const value = bytes / 1000 ** step;
	const digits = step === 0 || value >= 10 ? 0 : 1;
	return `${value.toFixed(digits)} ${units[step]}`;
}
