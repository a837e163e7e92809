/**
 * Which page a stranger asked for, so that the login leads there. A link that somebody got from the server's machine does not
 * know it, so the browser keeps it: in a cookie, while the form is before the person.
 */
import { cookieValues } from "./sessions.ts";

/** As long as a link works. */
const LIFETIME_SECONDS = 15 * 60;

/** Nothing that a browser could take for the address of another server, or for one that is no page: no `//`, no `/..`. */
const ADDRESS = /^\/(?!api(?:\/|$)|login$)[A-Za-z0-9][A-Za-z0-9._-]*(?:\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$/;
const LONGEST = 200;

/** An address of the page, without its query; undefined for the first page, and for what is none. */
export function pageIn(url: unknown): string | undefined {
	if (typeof url !== "string") return undefined;
	const path = url.split("?", 1)[0] ?? "";
	return path.length <= LONGEST && ADDRESS.test(path) ? path : undefined;
}

export class AskedPage {
	readonly #cookieName: string;

	constructor(port: number) {
		this.#cookieName = `pi-netboot-${port}-page`;
	}

	/** Where the login leads. @param cookies the request's `Cookie` header. */
	in(cookies: string | undefined): string | undefined {
		return cookieValues(cookies ?? "", this.#cookieName).map(pageIn)[0];
	}

	/** The `Set-Cookie` header that keeps an address; undefined where there is nothing to keep, or to forget. */
	keep(url: string, cookies: string | undefined): string | undefined {
		const page = pageIn(url);
		if (page !== undefined) return this.#header(page, LIFETIME_SECONDS);
		return this.in(cookies) === undefined ? undefined : this.forget;
	}

	/** The `Set-Cookie` header that takes it away. */
	get forget(): string {
		return this.#header("", 0);
	}

	/** Lax: a link from a chat comes from another site. */
	#header(page: string, seconds: number): string {
		return `${this.#cookieName}=${page}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${seconds}`;
	}
}
