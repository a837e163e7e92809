/** The one-time codes behind `/?code=CODE`. */
import type { LoginCode } from "@pi-netboot/api";
import type { Clock } from "../base/index.ts";
import { digest, randomWord } from "./secrets.ts";

const lifetime = 15 * 60_000;

/** 60 bits, with the limit on attempts far too many to guess in 15 minutes. */
const letters = 12;

/** Codes that are open at the same time; a new one beyond it ends the oldest. */
const mostOpen = 16;

export class LoginCodes {
	readonly #clock: Clock;
	/** Digest of the code -> when it ends, oldest first. Looking up digests keeps the time independent of the code. */
	readonly #open = new Map<string, number>();

	constructor(clock: Clock) {
		this.#clock = clock;
	}

	/** Makes a code that works once within 15 minutes. @param purpose it is good for that alone. */
	create(purpose = "login"): LoginCode {
		const code = randomWord(letters);
		const expiresAt = this.#clock.now() + lifetime;
		this.#open.set(key(code, purpose), expiresAt);
		const oldest = this.#open.keys().next().value;
		if (this.#open.size > mostOpen && oldest !== undefined) this.#open.delete(oldest);
		return { code, expiresAt };
	}

	/** Uses the code up; false when it is unknown, used or too old. */
	redeem(code: string, purpose = "login"): boolean {
		const name = key(code, purpose);
		const expiresAt = this.#open.get(name);
		this.#open.delete(name);
		return expiresAt !== undefined && this.#clock.now() < expiresAt;
	}
}

/** People may type what they read in capitals. */
function key(code: string, purpose: string): string {
	return digest(`${purpose} ${code.trim().toLowerCase()}`).toString("base64");
}
