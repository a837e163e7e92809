/** What can be wrong with a list, each with its own code and sentence: whether to wait, to look for the address, or for another list. */
import { errorText, isNetbootError, NetbootError } from "../../base/index.ts";
import { withoutSecrets } from "../import/request.ts";

const OTHER_LIST = "Name another list with --catalog-url.";

/** Ends all that is asked for when the patience is over. */
export function signalFor(url: string, patience: number): AbortSignal {
	const giveUp = new AbortController();
	const seconds = Math.round(patience / 1000);
	const slow = new NetbootError("catalog-unavailable", `The lists at ${url} did not come within ${seconds} seconds.`, {
		hint: "Try again later.",
	});
	setTimeout(() => giveUp.abort(slow), patience).unref();
	return giveUp.signal;
}

export function missing(url: URL, status: number): NetbootError {
	return new NetbootError("catalog-missing", `There is no list at ${withoutSecrets(url)}: the server says ${status}.`, {
		hint: `Check the address. ${OTHER_LIST}`,
	});
}

export function refusal(url: URL, status: number): NetbootError {
	return new NetbootError("catalog-unavailable", `${url.host} does not give the list: it answers ${status}.`, {
		hint: status >= 500 ? "Try again later." : OTHER_LIST,
	});
}

export function noList(url: URL, why: string): NetbootError {
	return new NetbootError("catalog-malformed", `${withoutSecrets(url)} is no list of images: ${why}.`, {
		hint: `It must be of the form that Raspberry Pi Imager reads. ${OTHER_LIST}`,
	});
}

/** What comes of the connection (not reached, certificate, redirects, address) says itself what it is. */
export function catalogError(cause: unknown): NetbootError {
	if (!isNetbootError(cause)) throw cause;
	if (cause.code.startsWith("catalog-")) return cause;
	const hint = `${cause.hint ?? ""} ${OTHER_LIST}`.trim();
	return new NetbootError("catalog-unavailable", `The catalogue cannot be had: ${errorText(cause)}`, { hint, cause });
}
