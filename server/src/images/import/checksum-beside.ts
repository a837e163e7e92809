/** The checksum that a server itself gives in a file beside the image. That there is none, or that it cannot be had, is no failure. */
import { systemCode } from "../../base/index.ts";
import { checksumIn } from "./checksum-text.ts";
import { ImportError } from "./import-error.ts";
import { type Answer, nameOfAddress, request } from "./request.ts";
import { Watchdog } from "./watchdog.ts";

/** A `.sha256` of one file has a line; a list of a whole mirror may have thousands. */
const MOST_BYTES = 1 << 20;

/** Names of lists of a whole folder: Debian, Ubuntu and Raspberry Pi mirrors; OpenWrt; Arch. */
const LISTS = ["SHA256SUMS", "sha256sums", "sha256sums.txt"];

/** Undefined when there is none. @throws the reason of `signal`. */
export async function findChecksum(
	url: URL,
	signal: AbortSignal | undefined,
	stallMs: number,
): Promise<string | undefined> {
	for (const { place, isOfOne } of placesFor(url)) {
		const text = await textAt(place, signal, stallMs);
		const sum = text === undefined ? undefined : checksumIn(text, nameOfAddress(url), isOfOne);
		if (sum !== undefined) return sum;
	}
	return undefined;
}

function placesFor(url: URL) {
	const named = [".sha256", ".sha256sum"].map((ending) => {
		const place = new URL(url);
		place.pathname += ending;
		return { place, isOfOne: true };
	});
	return [...named, ...LISTS.map((name) => ({ place: new URL(name, url), isOfOne: false }))];
}

async function textAt(place: URL, signal: AbortSignal | undefined, stallMs: number): Promise<string | undefined> {
	const watchdog = new Watchdog(place, signal, stallMs);
	try {
		const answer = await request(place, {}, watchdog.signal);
		if (answer.status === 200) return await shortText(answer, watchdog);
		answer.body.destroy();
		return undefined;
	} catch (error) {
		signal?.throwIfAborted();
		if (!(error instanceof ImportError) && systemCode(error) === undefined) throw error;
		return undefined;
	} finally {
		watchdog.stop();
	}
}

async function shortText({ body }: Answer, watchdog: Watchdog): Promise<string> {
	const chunks: Buffer[] = [];
	let bytes = 0;
	for await (const chunk of body as AsyncIterable<Buffer>) {
		watchdog.feed();
		bytes += chunk.length;
		if (bytes > MOST_BYTES) {
			body.destroy();
			return "";
		}
		chunks.push(chunk);
	}
	return Buffer.concat(chunks).toString("utf8");
}
