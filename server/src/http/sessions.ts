/**
 * Session cookies. They are signed with a key made from the token, so that they survive a restart without being stored.
 * All end when the token is changed, or the epoch, which is another one after each change of the password.
 *
 *     cookie value = expires "." nonce "." HMAC-SHA256(key, expires "." nonce)
 */
import { createHmac, randomBytes } from "node:crypto";
import type { Clock } from "../base/index.ts";
import { sameSecret } from "./secrets.ts";

const lifetimeSeconds = 30 * 24 * 3600;

export class Sessions {
	readonly #clock: Clock;
	readonly #token: string;
	readonly #epoch: () => string;
	/** Cookies do not know ports: the port in the name keeps two servers on one host apart. */
	readonly #cookieName: string;

	/** @param epoch sessions of another one have ended. */
	constructor(clock: Clock, token: string, epoch: () => string, port: number) {
		this.#clock = clock;
		this.#token = token;
		this.#epoch = epoch;
		this.#cookieName = `pi-netboot-${port}`;
	}

	/** The `Set-Cookie` header of a new session. */
	create(): string {
		const claim = `${this.#clock.now() + lifetimeSeconds * 1000}.${randomBytes(12).toString("base64url")}`;
		const value = `${claim}.${this.#sign(claim)}`;
		return `${this.#cookieName}=${value}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${lifetimeSeconds}`;
	}

	/** The `Set-Cookie` header that takes a browser's cookie away. */
	get end(): string {
		return `${this.#cookieName}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0`;
	}

	/** @param cookies the request's `Cookie` header. */
	valid(cookies: string | undefined): boolean {
		return cookieValues(cookies ?? "", this.#cookieName).some((value) => this.#holds(value));
	}

	#holds(value: string): boolean {
		const end = value.lastIndexOf(".");
		const claim = value.slice(0, Math.max(end, 0));
		if (!sameSecret(value.slice(end + 1), this.#sign(claim))) return false;
		return this.#clock.now() < Number(claim.split(".")[0]);
	}

	#sign(claim: string): string {
		const key = createHmac("sha256", this.#token).update(`session cookies ${this.#epoch()}`).digest();
		return createHmac("sha256", key).update(claim).digest("base64url");
	}
}

function cookieValues(header: string, name: string): string[] {
	const pairs = header.split(";").map((pair) => pair.trim());
	return pairs.filter((pair) => pair.startsWith(`${name}=`)).map((pair) => pair.slice(name.length + 1));
}
