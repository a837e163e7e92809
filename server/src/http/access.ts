/** Who may ask: a bearer token, a session cookie, or everybody where the user has switched the question off. */
import type { LoginCode } from "@pi-netboot/api";
import type { Clock } from "../base/index.ts";
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
}

/** What of a request tells who it is. */
export interface Caller {
	readonly address: string;
	readonly authorization: string | undefined;
	readonly cookie: string | undefined;
}

/** How the caller was recognised; a browser adds a cookie to requests that other sites' pages make, a token never. */
export type Proof = "token" | "session" | "none-needed";

export class Access {
	readonly #mode: "token" | "off";
	readonly #token: string;
	readonly #sessions: Sessions;
	readonly #attempts: Attempts;
	readonly #codes: LoginCodes;

	constructor(options: AccessOptions) {
		this.#mode = options.mode;
		this.#token = options.token;
		this.#sessions = new Sessions(options.clock, options.token, options.port);
		this.#attempts = new Attempts(options.clock);
		this.#codes = new LoginCodes(options.clock);
	}

	/** @throws ApiError unauthorized, too-many-attempts. */
	check(caller: Caller): Proof {
		if (caller.authorization !== undefined && this.#mode === "token") return this.#checkToken(caller);
		const proof = this.#proofWithoutToken(caller);
		if (proof !== undefined) return proof;
		throw new ApiError("unauthorized", "This needs the token or a login.", {
			hint: "Send `Authorization: Bearer TOKEN` with the token in DATA_DIR/token, or run `pi-netboot login`.",
		});
	}

	/** Whether a person who opens the page is logged in. */
	loggedIn(caller: Caller): boolean {
		return this.#proofWithoutToken(caller) !== undefined;
	}

	createCode(): LoginCode {
		return this.#codes.create();
	}

	/**
	 * Uses a login code up and gives the `Set-Cookie` header of a new session.
	 *
	 * @throws ApiError code-refused, too-many-attempts.
	 */
	redeem(code: string, address: string): string {
		this.#limit(address);
		if (this.#codes.redeem(code)) return this.#sessions.create();
		this.#attempts.failed(address);
		throw new ApiError("code-refused", "This login code is unknown, was used already, or is older than 15 minutes.", {
			hint: "Run `pi-netboot login` for another one.",
		});
	}

	#proofWithoutToken(caller: Caller): Proof | undefined {
		if (this.#mode === "off") return "none-needed";
		return this.#sessions.valid(caller.cookie) ? "session" : undefined;
	}

	#checkToken(caller: Caller): Proof {
		this.#limit(caller.address);
		const [scheme, token, ...rest] = (caller.authorization ?? "").split(" ");
		const wellFormed = scheme?.toLowerCase() === "bearer" && rest.length === 0;
		if (wellFormed && sameSecret(token ?? "", this.#token)) return "token";
		this.#attempts.failed(caller.address);
		throw new ApiError("unauthorized", "The bearer token is not the one of this server.", {
			hint: "It is in DATA_DIR/token on the server.",
		});
	}

	#limit(address: string): void {
		if (!this.#attempts.exhausted(address)) return;
		throw new ApiError("too-many-attempts", "Too many wrong tokens or codes came from this address.", {
			hint: "Wait a minute.",
		});
	}
}
