/** The page and what belongs to it, from the folder `page/`. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

export interface PageFile {
	readonly type: string;
	readonly content: Buffer;
	readonly etag: string;
}

const types = {
	"index.html": "text/html; charset=utf-8",
	"login.html": "text/html; charset=utf-8",
	"app.js": "text/javascript; charset=utf-8",
	"app.css": "text/css; charset=utf-8",
	"icon.svg": "image/svg+xml",
} as const;

export type PageName = keyof typeof types;

/** Nothing from elsewhere, nothing inline: a name or a log line that holds markup stays text. */
const contentSecurityPolicy = [
	"default-src 'none'",
	"script-src 'self'",
	"style-src 'self'",
	"img-src 'self'",
	"connect-src 'self'",
	"form-action 'self'",
	"base-uri 'none'",
	"frame-ancestors 'none'",
].join("; ");

/** Sent with every answer. `no-referrer` keeps login codes out of other servers' logs. */
export const securityHeaders: Readonly<Record<string, string>> = {
	"content-security-policy": contentSecurityPolicy,
	"x-content-type-options": "nosniff",
	"referrer-policy": "no-referrer",
	"cross-origin-resource-policy": "same-origin",
};

/** Reads the files once; they do not change while the server runs. */
export function readPages(): Readonly<Record<PageName, PageFile>> {
	return {
		"index.html": read("index.html"),
		"login.html": read("login.html"),
		"app.js": read("app.js"),
		"app.css": read("app.css"),
		"icon.svg": read("icon.svg"),
	};
}

function read(name: PageName): PageFile {
	const content = readFileSync(new URL(`./page/${name}`, import.meta.url));
	const etag = `"${createHash("sha256").update(content).digest("base64url").slice(0, 22)}"`;
	return { type: types[name], content, etag };
}
