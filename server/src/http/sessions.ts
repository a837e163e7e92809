/**
 * Session cookies. They are signed with a key made from the token, so that they survive a restart without being stored,
 * and all end when the token is changed.
 *
 *     cookie value = expires "." nonce "." HMAC-SHA256(key, expires "." nonce)
 */
import { createHmac, randomBytes } from "node:crypto";
import type { Clock } from "../base/index.ts";
import { sameSecret } from "./secrets.ts";

const lifetimeSeconds = 30 * 24 * 3600;

export class Sessions {
	readonly #clock: Clock;
	readonly #key: Buffer;
	/** Cookies do not know ports: the port in the name keeps two servers on one host apart. */
	readonly #cookieName: string;

	constructor(clock: Clock, token: string, port: number) {
		this.#clock = clock;
		this.#key = createHmac("sha256", token).update("session cookies").digest();
		this.#cookieName = `pi-netboot-${port}`;
	}

	/** The `Set-Cookie` header of a new session. */
	create(): string {
		const claim = `${this.#clock.now() + lifetimeSeconds * 1000}.${randomBytes(12).toString("base64url")}`;
		const value = `${claim}.${this.#sign(claim)}`;
		return `${this.#cookieName}=${value}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${lifetimeSeconds}`;
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
		return createHmac("sha256", this.#key).update(claim).digest("base64url");
	}
}

function cookieValues(header: string, name: string): string[] {
	const pairs = header.split(";").map((pair) => pair.trim());
	return pairs.filter((pair) => pair.startsWith(`${name}=`)).map((pair) => pair.slice(name.length + 1));
}
