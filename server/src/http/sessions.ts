/**
 * Session cookies. They are signed with a key made from the token, so that they survive a restart without being stored.
 * All end when the token is changed, or the epoch, which is another one after each change of the password. Of one that somebody
 * logged out of is kept that it has ended: its cookie may have been copied.
 *
 *     claim = expires "." nonce
 *     cookie value = claim "." HMAC-SHA256(key, claim)
 */
import { createHmac, randomBytes } from "node:crypto";
import type { Clock } from "../base/index.ts";
import { sameSecret } from "./secrets.ts";

const lifetimeSeconds = 30 * 24 * 3600;

/** A session whose cookie was shown and is right. */
export interface HeldSession {
	readonly claim: string;
}

/** What is kept of sessions. */
interface SessionBook {
	/** Sessions of another one have ended. */
	readonly epoch: string;
	hasEnded(session: HeldSession): boolean;
}

export class Sessions {
	readonly #clock: Clock;
	readonly #token: string;
	readonly #book: SessionBook;
	/** Cookies do not know ports: the port in the name keeps two servers on one host apart. */
	readonly #plainName: string;
	/**
	 * That of a login by https. A name of its own, since a browser lets no answer by http replace a cookie that is `Secure`; with
	 * this prefix it takes one from this host alone, and by https alone.
	 */
	readonly #secureName: string;

	constructor(clock: Clock, token: string, book: SessionBook, port: number) {
		this.#clock = clock;
		this.#token = token;
		this.#book = book;
		this.#plainName = `pi-netboot-${port}`;
		this.#secureName = `__Host-${this.#plainName}`;
	}

	/** The `Set-Cookie` header of a new session. @param isSecure the browser came by https. */
	create(isSecure: boolean): string {
		const claim = `${this.#clock.now() + lifetimeSeconds * 1000}.${randomBytes(12).toString("base64url")}`;
		const value = `${claim}.${this.#sign(claim)}`;
		return this.#header(value, isSecure, lifetimeSeconds);
	}

	/** The `Set-Cookie` headers that take a browser's cookies away: by https it may have both. */
	end(isSecure: boolean): string[] {
		return isSecure ? [this.#header("", true, 0), this.#header("", false, 0)] : [this.#header("", false, 0)];
	}

	#header(value: string, isSecure: boolean, seconds: number): string {
		const [name, more] = isSecure ? [this.#secureName, " Secure;"] : [this.#plainName, ""];
		return `${name}=${value}; Path=/; HttpOnly;${more} SameSite=Strict; Max-Age=${seconds}`;
	}

	/** Those that hold. @param cookies the request's `Cookie` header. */
	in(cookies: string | undefined): HeldSession[] {
		const values = [this.#secureName, this.#plainName].flatMap((name) => cookieValues(cookies ?? "", name));
		return values.flatMap((value) => this.#held(value) ?? []);
	}

	#held(value: string): HeldSession | undefined {
		const end = value.lastIndexOf(".");
		const claim = value.slice(0, Math.max(end, 0));
		if (!sameSecret(value.slice(end + 1), this.#sign(claim))) return undefined;
		return this.#clock.now() < endOf(claim) && !this.#book.hasEnded({ claim }) ? { claim } : undefined;
	}

	#sign(claim: string): string {
		const key = createHmac("sha256", this.#token).update(`session cookies ${this.#book.epoch}`).digest();
		return createHmac("sha256", key).update(claim).digest("base64url");
	}
}

/** Milliseconds since 1970 when a session's time is over. */
export function endOf(claim: string): number {
	return Number(claim.split(".")[0]);
}

/** The values of all cookies of a name. @param header `Cookie`. */
export function cookieValues(header: string, name: string): string[] {
	const pairs = header.split(";").map((pair) => pair.trim());
	return pairs.filter((pair) => pair.startsWith(`${name}=`)).map((pair) => pair.slice(name.length + 1));
}
