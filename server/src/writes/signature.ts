/**
 * The signatures between server and agent: HMAC-SHA256 with the secret of the boot, over everything that a request means
 * and over what it is answered. Nothing here is secret but the key, so plain HTTP carries it.
 */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";

export interface SignedParts {
	readonly method: string;
	/** With the query. */
	readonly path: string;
	readonly body: Uint8Array;
	/** Milliseconds since 1970, as the header has it. */
	readonly time: string;
	/** 32 hex digits. */
	readonly nonce: string;
}

/** Of the signer's clock and ours, in milliseconds: a Pi without a clock takes our time from the refusal. */
export const CLOCK_TOLERANCE_MS = 60_000;
const NONCE = /^[0-9a-f]{32}$/;
/** Nonces that are remembered for one secret; an agent sends a few requests per second. */
const MAX_NONCES = 20_000;

export type Refusal = "bad-signature" | "clock" | "replayed";

function sha256(bytes: Uint8Array): string {
	return createHash("sha256").update(bytes).digest("hex");
}

function mac(secret: string, lines: readonly string[]): string {
	return createHmac("sha256", secret).update(lines.join("\n")).digest("hex");
}

export function signRequest(secret: string, { method, path, body, time, nonce }: SignedParts): string {
	return mac(secret, ["request", method, path, sha256(body), time, nonce]);
}

/** Binds an answer to the request with this nonce, so that nobody else can order an agent to write. */
export function signAnswer(secret: string, nonce: string, status: number, body: Uint8Array): string {
	return mac(secret, ["answer", nonce, String(status), sha256(body)]);
}

/** Checks the requests that are signed with one secret; each is good once. */
export class RequestChecker {
	readonly #secret: string;
	readonly #now: () => number;
	readonly #since: number;
	/** Until when each is remembered; in the order of their coming. */
	readonly #nonces = new Map<string, number>();

	/**
	 * @param now milliseconds since 1970.
	 * @param since whatever was signed before may have been heard by somebody else; its sender is to sign it anew.
	 */
	constructor(secret: string, now: () => number, since = 0) {
		this.#secret = secret;
		this.#now = now;
		this.#since = since;
	}

	/** @returns why the request is refused, undefined when it is good. */
	check(parts: SignedParts, signature: string): Refusal | undefined {
		if (!NONCE.test(parts.nonce) || !isEqual(signature, signRequest(this.#secret, parts))) return "bad-signature";
		const now = this.#now();
		const time = Number(parts.time);
		if (!(Math.abs(time - now) <= CLOCK_TOLERANCE_MS) || time < this.#since) return "clock";
		this.#forget(now);
		if (this.#nonces.has(parts.nonce) || this.#nonces.size >= MAX_NONCES) return "replayed";
		this.#nonces.set(parts.nonce, now + 2 * CLOCK_TOLERANCE_MS);
		return undefined;
	}

	#forget(now: number): void {
		for (const [nonce, until] of this.#nonces) {
			if (until > now) return;
			this.#nonces.delete(nonce);
		}
	}
}

function isEqual(given: string, expected: string): boolean {
	const bytes = Buffer.from(given);
	return bytes.length === expected.length && timingSafeEqual(bytes, Buffer.from(expected));
}
