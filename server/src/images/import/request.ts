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

/** The last part of an address, as it is: it need not be fit for a name. */
export function nameOfAddress(url: URL): string {
	const last = url.pathname.split("/").findLast((part) => part !== "") ?? "";
	try {
		return decodeURIComponent(last);
	} catch {
		return last;
	}
}

/**
 * Asks for a file, following redirects. The caller reads the body, or destroys it.
 *
 * @param headers with lower-case names. @param isKnown whether it is known what the file has to be, so that it may come over http.
 * @throws ImportError `download-unreachable` (to be tried again), `download-untrusted`, `download-redirects`, `download-address`;
 * the reason of `signal`.
 */
export async function request(
	start: URL,
	headers: Readonly<Record<string, string>>,
	signal: AbortSignal,
	isKnown = false,
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
		url = nextAddress(url, location, isKnown);
	}
	const message = `${withoutSecrets(start)} leads on and on: more than ${MOST_REDIRECTS} redirects.`;
	throw new ImportError("download-redirects", message, { hint: "Find the address of the file itself." });
}

/** Where a redirect leads. @throws ImportError `download-redirects` when it gives up https, `download-address`. */
export function nextAddress(from: URL, location: string, isKnown: boolean): URL {
	const to = parseAddress(location, from);
	if (isKnown || from.protocol !== "https:" || to.protocol === "https:") return to;
	throw new ImportError(
		"download-redirects",
		`${withoutSecrets(from)} leads from https to ${withoutSecrets(to)}, where anybody on the way could change the file.`,
		{ hint: "Give its checksum (sha256, --sha256), or the http address itself if you mean it." },
	);
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
			reject(signal.aborted ? signal.reason : (untrusted(url, error) ?? unreachable(url, error)));
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
	EPROTO: "it does not speak TLS there",
	ERR_SSL_WRONG_VERSION_NUMBER: "it does not speak TLS there",
	ERR_SSL_PACKET_LENGTH_TOO_LONG: "it does not speak TLS there",
};

/** What Node calls certificates that prove nothing. */
const CERTIFICATES: Readonly<Record<string, string>> = {
	CERT_HAS_EXPIRED: "its certificate has expired",
	CERT_NOT_YET_VALID: "its certificate is not valid yet",
	CERT_REVOKED: "its certificate was revoked",
	DEPTH_ZERO_SELF_SIGNED_CERT: "it has signed its certificate itself",
	SELF_SIGNED_CERT_IN_CHAIN: "its certificate comes from an authority that this machine does not know",
	UNABLE_TO_GET_ISSUER_CERT: "its certificate comes from an authority that this machine does not know",
	UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "its certificate comes from an authority that this machine does not know",
	UNABLE_TO_VERIFY_LEAF_SIGNATURE: "its certificate comes from an authority that this machine does not know",
	ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another name",
};

/** Trying again would not help. */
function untrusted(url: URL, error: unknown): ImportError | undefined {
	const reason = CERTIFICATES[systemCode(error) ?? ""];
	if (reason === undefined) return undefined;
	return new ImportError("download-untrusted", `${url.host} cannot be trusted: ${reason}.`, {
		hint: "Check the clock of this machine and the address; NODE_EXTRA_CA_CERTS names a file with further authorities.",
		cause: error,
	});
}

export function unreachable(url: URL, error: unknown): ImportError {
	const cause = CAUSES[systemCode(error) ?? ""] ?? errorText(error);
	const hint = "Check the address, and that this machine reaches it.";
	return new ImportError("download-unreachable", `${url.host} cannot be reached: ${cause}.`, {
		hint,
		cause: error,
		retry: true,
	});
}
