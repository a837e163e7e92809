/**
 * The page: the login form from the folder `page/`, and the browser's program as Vite built it from `web/`. Its styles come
 * with a nonce, since the components make style elements of their own; scripts come from files alone.
 */
import { createHash, randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { systemCode } from "../base/index.ts";

export interface PageFile {
	readonly type: string;
	readonly content: Buffer;
	readonly etag: string;
	/** Made when it is asked for first; undefined for what does not get smaller. */
	readonly packed: (() => Promise<Buffer>) | undefined;
}

const types: Readonly<Record<string, string>> = {
	".html": "text/html; charset=utf-8",
	".js": "text/javascript; charset=utf-8",
	".css": "text/css; charset=utf-8",
	".svg": "image/svg+xml",
	".woff2": "font/woff2",
	".webmanifest": "application/manifest+json",
};

/** What of the form is for where a password was set. */
const PASSWORD_PART = /<!-- password -->.*<!-- \/password -->\s*/s;

/** Where the build puts it; the assets' names hold their hash. */
export const builtPage = fileURLToPath(new URL("../../../web/dist", import.meta.url));

/** Nothing from elsewhere, nothing inline: a name or a log line that holds markup stays text. */
function contentSecurityPolicy(styles: string): string {
	return [
		"default-src 'none'",
		"script-src 'self'",
		`style-src ${styles}`,
		"img-src 'self' data:",
		"font-src 'self'",
		"connect-src 'self'",
		"manifest-src 'self'",
		"form-action 'self'",
		"base-uri 'none'",
		"frame-ancestors 'none'",
	].join("; ");
}

/** Sent with every answer. `no-referrer` keeps login codes out of other servers' logs. */
export const securityHeaders: Readonly<Record<string, string>> = {
	"content-security-policy": contentSecurityPolicy("'self'"),
	"x-content-type-options": "nosniff",
	"referrer-policy": "no-referrer",
	"cross-origin-resource-policy": "same-origin",
	"x-frame-options": "DENY",
};

/** The login form and what belongs to it, read once: they do not change while the server runs. */
export function readLoginFiles() {
	const path = (name: string) => fileURLToPath(new URL(`./page/${name}`, import.meta.url));
	const form = readFileSync(path("login.html"), "utf8");
	return {
		"login.html": pageFile("login.html", Buffer.from(form)),
		"login-without-password.html": pageFile("login.html", Buffer.from(form.replace(PASSWORD_PART, ""))),
		"login.css": readPageFile(path("login.css")),
		"icon.svg": readPageFile(path("icon.svg")),
	};
}

/** The program that runs in the browser. */
export class BuiltPage {
	readonly #index: string;
	readonly #assets: ReadonlyMap<string, PageFile>;

	private constructor(index: string, assets: ReadonlyMap<string, PageFile>) {
		this.#index = index;
		this.#assets = assets;
	}

	/** Reads it once. @returns undefined when nothing was built. */
	static read(folder: string): BuiltPage | undefined {
		try {
			const index = readFileSync(join(folder, "index.html"), "utf8");
			const names = readdirSync(join(folder, "assets"));
			return new BuiltPage(index, new Map(names.map((name) => [name, readPageFile(join(folder, "assets", name))])));
		} catch (error) {
			if (systemCode(error) === "ENOENT") return undefined;
			throw error;
		}
	}

	asset(name: string): PageFile | undefined {
		return this.#assets.get(name);
	}

	/** The document for one answer, and the policy that goes with it. */
	document(): { readonly html: string; readonly policy: string } {
		const nonce = randomBytes(16).toString("base64");
		return {
			html: this.#index.replaceAll("%CSP_NONCE%", nonce),
			policy: contentSecurityPolicy(`'self' 'nonce-${nonce}'`),
		};
	}
}

function readPageFile(path: string): PageFile {
	return pageFile(path, readFileSync(path));
}

function pageFile(name: string, content: Buffer): PageFile {
	const type = types[extname(name)] ?? "application/octet-stream";
	const etag = `"${createHash("sha256").update(content).digest("base64url").slice(0, 22)}"`;
	return { type, content, etag, packed: type.startsWith("font/") ? undefined : packOnce(content) };
}

function packOnce(content: Buffer): () => Promise<Buffer> {
	let packed: Promise<Buffer> | undefined;
	return () => {
		packed ??= promisify(gzip)(content, { level: 9 });
		return packed;
	};
}
