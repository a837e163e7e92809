/**
 * Changes that a page of another site makes a browser send. `Sec-Fetch-Site` says where the request came from; browsers
 * without it send `Origin` with every request that is not GET or HEAD.
 */
import type { IncomingHttpHeaders } from "node:http";
import type { Proof } from "./access.ts";
import { ApiError } from "./errors.ts";

/**
 * Refuses a change that was not sent by our own page or by a program. With a token there is nothing to check: no page
 * of another site has it.
 *
 * @throws ApiError cross-site.
 */
export function checkOrigin(method: string, proof: Proof, headers: IncomingHttpHeaders): void {
	if (method === "GET" || method === "HEAD" || proof === "token") return;
	if (fromOurPage(headers) ?? proof === "none-needed") return;
	throw new ApiError("cross-site", "This change was sent by a page of another site.", {
		hint: "Programs send `Authorization: Bearer TOKEN`.",
	});
}

/** Undefined when the headers do not say: then it is no browser of our time. */
function fromOurPage({ host, origin, "sec-fetch-site": site }: IncomingHttpHeaders): boolean | undefined {
	if (site !== undefined) return site === "same-origin";
	if (origin === undefined) return undefined;
	const ours = [`http://${host}`, `https://${host}`];
	return ours.some((one) => one.toLowerCase() === origin.toLowerCase());
}
