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

/** Memory is sold in powers of two: `8 GB`, `512 MB`. What a system keeps for itself is not counted off. */
export function memoryText(bytes: number): string {
	const gibibytes = bytes / 2 ** 30;
	return gibibytes > 0.75 ? `${Math.ceil(gibibytes - 0.1)} GB` : `${2 ** Math.ceil(Math.log2(bytes / 2 ** 20))} MB`;
}
