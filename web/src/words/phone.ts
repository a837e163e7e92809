/** Where a phone in the same network finds what this browser shows. */

/** What is known of a page that is shown. */
interface Place {
	/** Of the browser: `http://bench:38434`. */
	readonly origin: string;
	/** `/images` */
	readonly path: string;
}

/**
 * The address for a phone: what brought this browser here, unless that holds on this machine or for who knows its name alone.
 *
 * @param server as other machines find it; null where none does.
 * @param code undefined where nobody has to log in.
 * @returns undefined where no phone gets to.
 */
export function phoneLink(
	{ origin, path }: Place,
	server: string | null,
	code: string | undefined,
): string | undefined {
	const { protocol, hostname } = new URL(origin);
	const isLocal = hostname === "localhost" || hostname === "[::1]" || hostname.startsWith("127.");
	const isSure = protocol === "https:" || /^[\d.]+$|^\[/.test(hostname);
	const base = isSure && !isLocal ? origin : (server ?? (isLocal ? undefined : origin));
	if (base === undefined) return undefined;
	if (code === undefined) return base + path;
	const link = new URL("/", base);
	link.search = String(new URLSearchParams({ code, ...(path !== "/" && { to: path }) }));
	return link.href;
}
