/** Comparing and making secrets. */
import { createHash, randomInt, timingSafeEqual } from "node:crypto";

/** Crockford's base 32: no letter that can be taken for a digit. */
const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";

/** Tells whether two secrets are equal, in a time that says nothing about where or in length they differ. */
export function sameSecret(a: string, b: string): boolean {
	return timingSafeEqual(digest(a), digest(b));
}

export function digest(secret: string): Buffer {
	return createHash("sha256").update(secret).digest();
}

/** A random word that a person can type; 5 bits per letter. */
export function randomWord(letters: number): string {
	return Array.from({ length: letters }, () => alphabet.charAt(randomInt(alphabet.length))).join("");
}
