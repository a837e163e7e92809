/** The password of the page: kept as what scrypt makes of it (RFC 7914), and looked at one at a time. */
import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from "node:crypto";
import { ApiError } from "./errors.ts";

/** Some 60 ms and 32 MiB for each try, on a desktop of today. */
const COST = { N: 2 ** 15, r: 8, p: 1 };
const BYTES = 32;

/** scrypt takes 128 * N * r bytes, and Node wants to be told of more than 32 MiB. */
const MEMORY_MAX = 64 * 1024 * 1024;

const FORM = /^scrypt\$32768\$8\$1\$([A-Za-z0-9_-]{22})\$([A-Za-z0-9_-]{43})$/;

/** Questions that wait while one is answered; a guesser with many addresses gets no further than one by one. */
const MOST_WAITING = 8;

export async function hashPassword(password: string): Promise<string> {
	const salt = randomBytes(16);
	const hash = await derive(password, salt);
	return `scrypt$${COST.N}$${COST.r}$${COST.p}$${salt.toString("base64url")}$${hash.toString("base64url")}`;
}

async function isPassword(password: string, stored: string): Promise<boolean> {
	const [, salt, hash] = FORM.exec(stored) ?? [];
	if (salt === undefined || hash === undefined) return false;
	return timingSafeEqual(await derive(password, Buffer.from(salt, "base64url")), Buffer.from(hash, "base64url"));
}

/** The same letters can be typed in several ways: as one sign, or as a letter with an accent. */
function derive(password: string, salt: Buffer): Promise<Buffer> {
	const options: ScryptOptions = { ...COST, maxmem: MEMORY_MAX };
	return new Promise((resolve, reject) => {
		scrypt(password.normalize("NFC"), salt, BYTES, options, (error, key) => {
			if (error === null) resolve(key);
			else reject(error);
		});
	});
}

/** Looks at passwords one after the other. */
export class PasswordDesk {
	#waiting = 0;
	#last: Promise<unknown> = Promise.resolve();

	/** @throws ApiError too-many-attempts when too many are waiting. */
	check(password: string, stored: string): Promise<boolean> {
		if (this.#waiting >= MOST_WAITING) {
			throw new ApiError("too-many-attempts", "Too many passwords are being tried.", { hint: "Wait a minute." });
		}
		this.#waiting++;
		const checked = this.#last.then(() => isPassword(password, stored)).finally(() => this.#waiting--);
		// Whoever asked is told; the next one runs all the same.
		this.#last = checked.catch(() => undefined);
		return checked;
	}
}
