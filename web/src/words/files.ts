/** What became of a boot file that a Pi asked for. */
import type { AskedFile } from "@pi-netboot/api";
import { bytesText } from "./bytes.ts";

/** `Sent, 1.4 MB`, `Not there`. */
export function answerText({ answer, outcome, bytes, size }: AskedFile): string {
	if (answer === "missing") return "Not there";
	if (answer === "refused") return "Refused: not its address";
	if (outcome === null) return "Being sent";
	const part = size === null ? "" : ` after ${bytesText(bytes)} of ${bytesText(size)}`;
	return {
		complete: `Sent, ${bytesText(size ?? bytes)}`,
		probe: size === null ? "Size asked" : `Size asked, ${bytesText(size)}`,
		aborted: `Broken off by the Pi${part}`,
		timeout: `The Pi fell silent${part}`,
		failed: "It could not be read",
	}[outcome];
}

/** Whether it is worth a look. */
export function isTrouble({ answer, outcome }: AskedFile): boolean {
	return answer === "refused" || outcome === "timeout" || outcome === "failed" || outcome === "aborted";
}
