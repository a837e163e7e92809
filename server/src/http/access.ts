/** Who may ask: a bearer token, a session cookie, or everybody where the user has switched the question off. */
import type { LoginCode } from "@pi-netboot/api";
import type { Clock, Logger } from "../base/index.ts";
import type { AccessBook } from "./access-book.ts";
import { Attempts } from "./attempts.ts";
import { ApiError } from "./errors.ts";
import { LoginCodes } from "./login-codes.ts";
import { sameSecret } from "./secrets.ts";
import { Sessions } from "./sessions.ts";

export interface AccessOptions {
	readonly mode: "token" | "off";
	readonly token: string;
	readonly port: number;
	readonly clock: Clock;
	readonly book: AccessBook;
	readonly log: Logger;
	/** Somebody logged in. */
	readonly loggedIn: (by: "link" | "password", address: string) => void;
}

/** What of a request tells who it is. */
export interface Caller {
	readonly address: string;
	readonly authorization: string | undefined;
	readonly cookie: string | undefined;
}

/** From where somebody comes who has no session yet. */
export interface Arrival {
	readonly address: string;
	/** By https, as a reverse proxy says that is believed. */
	readonly isSecure: boolean;
}

/** How the caller was recognised; a browser adds a cookie to requests that other sites' pages make, a token never. */
export type Proof = "token" | "session" | "none-needed";

/** Somebody who may ask. */
export interface Visitor {
	readonly proof: Proof;
	/** For the record: `token`, a token's name, `session`, `everybody`. */
	readonly who: string;
}

const EVERYBODY: Visitor = { proof: "none-needed", who: "everybody" };
const SESSION: Visitor = { proof: "session", who: "session" };

/** Wrong passwords a minute, of strangers together. */
const GUESSES_IN_ALL = 100;

export class Access {
	readonly book: AccessBook;
	readonly #sessions: Sessions;
	/** Wrong tokens and codes. */
	readonly #attempts: Attempts;
	/** Wrong passwords. */
	readonly #guesses: Attempts;
	readonly #codes: LoginCodes;
	readonly #options: AccessOptions;

	constructor(options: AccessOptions) {
		const { book, clock, token, port } = options;
		this.book = book;
		this.#options = options;
		this.#sessions = new Sessions(clock, token, book, port);
		this.#attempts = new Attempts(clock);
		this.#guesses = new Attempts(clock, GUESSES_IN_ALL);
		this.#codes = new LoginCodes(clock);
	}

	/** Whether one has to log in. */
	get isNeeded(): boolean {
		return this.#options.mode === "token";
	}

	/** @throws ApiError unauthorized, too-many-attempts. */
	check(caller: Caller): Visitor {
		if (caller.authorization !== undefined && this.isNeeded) return this.#checkToken(caller);
		const visitor = this.#withoutToken(caller);
		if (visitor !== undefined) {
			this.#guesses.welcome(caller.address);
			return visitor;
		}
		throw new ApiError("unauthorized", "This needs the token or a login.", {
			hint: "Send `Authorization: Bearer TOKEN` with the token in DATA_DIR/token, or run `pi-netboot login`.",
		});
	}

	/** Whether who was let in would be let in still: meanwhile a token may be revoked, and a session have ended. */
	stillHolds(caller: Caller): boolean {
		if (caller.authorization === undefined || !this.isNeeded) return this.loggedIn(caller);
		const token = tokenIn(caller.authorization);
		return token !== undefined && (sameSecret(token, this.#options.token) || this.book.holds(token));
	}

	/** Whether a person who opens the page is logged in. */
	loggedIn(caller: Caller): boolean {
		return this.#withoutToken(caller) !== undefined;
	}

	createCode(): LoginCode {
		return this.#codes.create();
	}

	/**
	 * Uses a login code up and gives the `Set-Cookie` header of a new session.
	 *
	 * @throws ApiError code-refused, too-many-attempts.
	 */
	redeem(code: string, { address, isSecure }: Arrival): string {
		// The right one is looked at in any case: a stranger who tries some keeps nobody out, and guesses none of 60 bits.
		if (this.#codes.redeem(code)) {
			this.#guesses.welcome(address);
			this.#options.loggedIn("link", address);
			return this.createSession(isSecure);
		}
		this.#failed(address, "login code");
		throw new ApiError("code-refused", "This login code is unknown, was used already, or is older than 15 minutes.", {
			hint: "Run `pi-netboot login` for another one.",
		});
	}

	/**
	 * Gives the `Set-Cookie` header of a new session to who knows the password.
	 *
	 * @throws ApiError password-refused, too-many-attempts.
	 */
	async logIn(password: string, { address, isSecure }: Arrival): Promise<string> {
		limit(this.#guesses, address);
		// Before the answer is known, or many at once would all be looked at.
		this.#guesses.failed(address);
		if (await this.book.isPassword(password)) {
			this.#guesses.forget(address);
			this.#options.loggedIn("password", address);
			return this.createSession(isSecure);
		}
		this.#options.log.warn(`a wrong password came from ${address}`);
		throw new ApiError("password-refused", "This is not the password.", {
			hint: "`pi-netboot login` on the server prints a link that lets you in.",
		});
	}

	/** The `Set-Cookie` header of a new session. */
	createSession(isSecure: boolean): string {
		return this.#sessions.create(isSecure);
	}

	/** Ends the session of a cookie, also where that was copied to, and gives the `Set-Cookie` headers that take it away. */
	async logOut(cookie: string | undefined, isSecure: boolean): Promise<string[]> {
		for (const session of this.#sessions.in(cookie)) await this.book.endSession(session);
		return this.#sessions.end(isSecure);
	}

	#withoutToken(caller: Caller): Visitor | undefined {
		if (!this.isNeeded) return EVERYBODY;
		return this.#sessions.in(caller.cookie).length > 0 ? SESSION : undefined;
	}

	#checkToken(caller: Caller): Visitor {
		const token = tokenIn(caller.authorization ?? "");
		const who = token === undefined ? undefined : this.#ownerOf(token);
		// As with codes, the right one is looked at in any case.
		if (who !== undefined) return { proof: "token", who };
		this.#failed(caller.address, "token");
		throw new ApiError("unauthorized", "The bearer token is not one of this server.", {
			hint: "It is in DATA_DIR/token on the server.",
		});
	}

	#ownerOf(token: string): string | undefined {
		return sameSecret(token, this.#options.token) ? "token" : this.book.nameOf(token);
	}

	/** @throws ApiError too-many-attempts. */
	#failed(address: string, what: string): void {
		limit(this.#attempts, address);
		this.#attempts.failed(address);
		this.#options.log.warn(`a wrong ${what} came from ${address}`);
	}
}

/** Undefined when the header is not of the form `Bearer TOKEN`. */
function tokenIn(authorization: string): string | undefined {
	const [scheme, token = "", ...rest] = authorization.split(" ");
	return scheme?.toLowerCase() === "bearer" && rest.length === 0 ? token : undefined;
}

function limit(attempts: Attempts, address: string): void {
	if (!attempts.exhausted(address)) return;
	throw new ApiError("too-many-attempts", "Too many wrong tokens, codes or passwords came.", {
		hint: "Wait a minute. The right token, and a link that `pi-netboot login` prints, let in all the same.",
	});
}
