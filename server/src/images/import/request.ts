/**
 * One GET, by node:http itself: `fetch` would unpack what a server calls `Content-Encoding: gzip`, which many say of a `.gz`,
 * and then no length, range or checksum is that of the file.
 */
import { get as getHttp, type IncomingMessage } from "node:http";
import { get as getHttps } from "node:https";
import { errorText, systemCode } from "../../base/index.ts";
import { ImportError } from "./import-error.ts";

/** As many as browsers follow, about. */
const MOST_REDIRECTS = 10;

export interface Answer {
	/** Where the answer came from, after all redirects. */
	readonly url: URL;
	readonly status: number;
	readonly headers: Readonly<Record<string, string | undefined>>;
	readonly body: IncomingMessage;
}

/** @throws ImportError `download-address` for what is not an http or https address. */
export function parseAddress(text: string, from?: URL): URL {
	const url = URL.parse(text, from);
	if (url !== null && /^https?:$/.test(url.protocol)) return url;
	throw new ImportError(
		"download-address",
		`${text} is no address that can be downloaded: it must begin with http:// or https://.`,
	);
}

/** An address as a log or a page may show it: without what a person put in to be let in. */
export function withoutSecrets({ protocol, host, pathname }: URL): string {
	return `${protocol}//${host}${pathname}`;
}

/**
 * Asks for a file, following redirects. The caller reads the body, or destroys it.
 *
 * @param headers with lower-case names.
 * @throws ImportError `download-unreachable` (to be tried again), `download-redirects`, `download-address`; the reason of `signal`.
 */
export async function request(
	start: URL,
	headers: Readonly<Record<string, string>>,
	signal: AbortSignal,
): Promise<Answer> {
	let url = start;
	for (let hops = 0; hops <= MOST_REDIRECTS; hops++) {
		const body = await getOnce(url, headers, signal);
		const status = body.statusCode ?? 0;
		const { location } = body.headers;
		if (![301, 302, 303, 307, 308].includes(status) || location === undefined) {
			return { url, status, headers: body.headers as Answer["headers"], body };
		}
		body.destroy();
		url = parseAddress(location, url);
	}
	throw new ImportError("download-redirects", `${start} leads on and on: more than ${MOST_REDIRECTS} redirects.`);
}

function getOnce(url: URL, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<IncomingMessage> {
	const get = url.protocol === "https:" ? getHttps : getHttp;
	const options = {
		headers: { "accept-encoding": "identity", "user-agent": "pi-netboot", ...headers },
		signal,
		agent: false,
	};
	return new Promise((resolve, reject) => {
		get(url, options, resolve).on("error", (error) => {
			reject(signal.aborted ? signal.reason : unreachable(url, error));
		});
	});
}

const CAUSES: Readonly<Record<string, string>> = {
	ENOTFOUND: "there is no such host",
	EAI_AGAIN: "its name cannot be looked up now",
	ECONNREFUSED: "it refuses the connection",
	ECONNRESET: "it closed the connection",
	ETIMEDOUT: "it does not answer",
	EHOSTUNREACH: "there is no way to it",
	ENETUNREACH: "there is no way to it",
};

export function unreachable(url: URL, error: unknown): ImportError {
	const cause = CAUSES[systemCode(error) ?? ""] ?? errorText(error);
	const hint = "Check the address, and that this machine reaches it.";
	return new ImportError("download-unreachable", `${url.host} cannot be reached: ${cause}.`, {
		hint,
		cause: error,
		retry: true,
	});
}
