/** The write verifier of a layer (RFC 1813 section 3.3.7, `writeverf3`). */
import { createHash, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";

/**
 * Writes go to the host's page cache at once, so they outlive this process and are lost with the host only. So the verifier
 * is made from what names the host's boot. Where the host does not tell, it is another one for each process.
 */
const bootId = readBootId();

/** @param salt changes when the disk lost something while the host was up. */
export function writeVerifier(layerId: string, salt: string): Buffer {
	return createHash("sha256").update(`${layerId} ${salt} ${bootId}`).digest().subarray(0, 8);
}

function readBootId(): string {
	try {
		return readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
	} catch {
		return randomUUID();
	}
}
