/**
 * SHA-512 crypt, the `$6$` of crypt(3), which the systems of all images understand. Source: U. Drepper, "Unix crypt using
 * SHA-256 and SHA-512", version 0.6; the numbers of its steps are in the comments.
 */
import { createHash, randomInt } from "node:crypto";
import { setImmediate } from "node:timers/promises";

const ALPHABET = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const DIGEST_BYTES = 64;
const SALT_LENGTH = 16;
const ROUNDS = 5000;
/** Rounds between which others are served: the whole takes tens of milliseconds. */
const ROUNDS_AT_ONCE = 250;

/** The hash of a password with a salt of its own, as `/etc/shadow` has it. */
export function hashPassword(password: string): Promise<string> {
	return sha512Crypt(password, Array.from({ length: SALT_LENGTH }, () => ALPHABET[randomInt(64)]).join(""));
}

/**
 * @param salt up to 16 characters count.
 * @param rounds undefined = 5000, which is not written into the hash.
 */
export async function sha512Crypt(password: string, salt: string, rounds?: number): Promise<string> {
	const key = Buffer.from(password, "utf8");
	const used = salt.slice(0, SALT_LENGTH);
	const digest = await stretched(key, Buffer.from(used, "latin1"), rounds ?? ROUNDS);
	return `$6$${rounds === undefined ? "" : `rounds=${rounds}$`}${used}$${encoded(digest)}`;
}

const sha512 = (...parts: Uint8Array[]): Buffer => {
	const hash = createHash("sha512");
	for (const part of parts) hash.update(part);
	return hash.digest();
};

/** The first `length` bytes of a digest that is repeated. */
function repeated(digest: Buffer, length: number): Buffer {
	return Buffer.alloc(length, length === 0 ? undefined : digest);
}

async function stretched(key: Buffer, salt: Buffer, rounds: number): Promise<Buffer> {
	let digest = firstDigest(key, salt);
	// 13 to 16: a sequence as long as the key, made of the key.
	const p = repeated(sha512(...Array.from({ length: key.length }, () => key)), key.length);
	// 17 to 20: one as long as the salt.
	const s = repeated(sha512(...Array.from({ length: 16 + (digest[0] ?? 0) }, () => salt)), salt.length);
	// 21
	for (let round = 0; round < rounds; round++) {
		if (round % ROUNDS_AT_ONCE === 0) await setImmediate();
		const isOdd = round % 2 === 1;
		const middle = [...(round % 3 === 0 ? [] : [s]), ...(round % 7 === 0 ? [] : [p])];
		digest = isOdd ? sha512(p, ...middle, digest) : sha512(digest, ...middle, p);
	}
	return digest;
}

/** 1 to 12 */
function firstDigest(key: Buffer, salt: Buffer): Buffer {
	const b = sha512(key, salt, key);
	const parts = [key, salt, repeated(b, key.length)];
	for (let bits = key.length; bits > 0; bits >>>= 1) parts.push(bits % 2 === 1 ? b : key);
	return sha512(...parts);
}

/** 22: three bytes become four characters, the bytes in an order of its own. */
function encoded(digest: Buffer): string {
	const at = (index: number) => digest[index] ?? 0;
	let text = "";
	let [a, b, c] = [0, 21, 42];
	for (let group = 0; group < 21; group++) {
		text += characters((at(a) << 16) | (at(b) << 8) | at(c), 4);
		[a, b, c] = [b + 1, c + 1, a + 1];
	}
	return text + characters(at(DIGEST_BYTES - 1), 2);
}

function characters(value: number, count: number): string {
	return Array.from({ length: count }, (_, index) => ALPHABET[(value >>> (6 * index)) & 63]).join("");
}
