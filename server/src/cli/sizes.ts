/** Sizes for a person. */

/** Decimal units, as shops and disks have them. */
export function sizeText(bytes: number): string {
	return bytes < 1e9 ? `${Math.round(bytes / 1e6)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}
