/** Which options of a request we accept, and with which values (RFC 2347, 2348, 2349, 7440). */
import type { TftpOption } from "./packet.ts";

/** How a transfer is run. */
export interface TransferSettings {
	/** Bytes of data in a block. */
	readonly blksize: number;
	/** Blocks that are sent before an ACK is waited for. */
	readonly windowsize: number;
	/** Milliseconds after which an unanswered packet is sent again, if the client chose it; it then stays the same. */
	readonly timeout: number | undefined;
	/** What to put into the OACK; empty when the transfer begins with DATA 1. */
	readonly accepted: readonly TftpOption[];
}

const DEFAULT_BLKSIZE = 512;
const SMALLEST_BLKSIZE = 8;
/** RFC 2348: "between 8 and 65464 octets". Larger than the MTU is the client's wish: the IP layer cuts it up. */
const LARGEST_BLKSIZE = 65464;
const LARGEST_WINDOWSIZE = 64;
/** Keeps the memory of a transfer and the burst into the client's socket buffer small, whatever was asked for. */
const LARGEST_WINDOW_BYTES = 256 * 1024;
/** RFC 2349 allows up to 255 s; longer ones than this would outlast the transfer. */
const LONGEST_TIMEOUT_SECONDS = 10;

/** Plain decimal digits as a number; undefined for everything else. */
function decimal(text: string): number | undefined {
	return /^\d{1,10}$/.test(text) ? Number(text) : undefined;
}

/**
 * Chooses the settings of a transfer. Only options that were asked for are accepted; those that make no sense are passed
 * over, as RFC 2347 has it. Of an option that comes twice the first counts.
 *
 * @param size of the file in bytes, for `tsize`.
 */
export function negotiate(requested: readonly TftpOption[], size: number): TransferSettings {
	const asked = new Map<string, number>();
	for (const [name, value] of requested) {
		const number = decimal(value);
		const key = name.toLowerCase();
		if (number !== undefined && !asked.has(key)) asked.set(key, number);
	}
	const blksize = acceptBlksize(asked.get("blksize"));
	const windowsize = acceptWindowsize(asked.get("windowsize"), blksize ?? DEFAULT_BLKSIZE);
	const timeout = acceptTimeout(asked.get("timeout"));
	const values = new Map([
		["blksize", blksize],
		["tsize", asked.has("tsize") ? size : undefined],
		["windowsize", windowsize],
		["timeout", timeout],
	]);
	return {
		blksize: blksize ?? DEFAULT_BLKSIZE,
		windowsize: windowsize ?? 1,
		timeout: timeout === undefined ? undefined : timeout * 1000,
		accepted: [...values].flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)] as const])),
	};
}

function acceptBlksize(asked: number | undefined): number | undefined {
	if (asked === undefined || asked < SMALLEST_BLKSIZE) return undefined;
	return Math.min(asked, LARGEST_BLKSIZE);
}

function acceptWindowsize(asked: number | undefined, blksize: number): number | undefined {
	if (asked === undefined || asked < 1 || asked > 65535) return undefined;
	return Math.min(asked, LARGEST_WINDOWSIZE, Math.max(1, Math.floor(LARGEST_WINDOW_BYTES / blksize)));
}

/** The value must be answered as it was asked for, or not at all (RFC 2349). */
function acceptTimeout(asked: number | undefined): number | undefined {
	return asked !== undefined && asked >= 1 && asked <= LONGEST_TIMEOUT_SECONDS ? asked : undefined;
}
