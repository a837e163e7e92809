import { MalformedError } from "../../base/index.ts";

/** The error for what breaks the rules of the format. `place` says where: `inode 12`, `block 4711`. */
export function malformed(place: string, what: string): MalformedError {
	return new MalformedError("ext4", `ext4: ${place}: ${what}`);
}

/** @throws MalformedError when a stored checksum is not the one that the bytes have. */
export function checkSum(place: string, got: number, expected: number): void {
	if (got === expected) return;
	throw malformed(place, `checksum is 0x${got.toString(16)}, its bytes give 0x${expected.toString(16)}`);
}
