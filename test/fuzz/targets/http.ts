/** HTTP requests as anybody on the LAN can send them: refused with a word, never answered with 500. */
import assert from "node:assert/strict";
import { allRoutes } from "@pi-netboot/api";
import { bearer, harness } from "../../../server/src/http/testing/harness.ts";
import { mutateBytes } from "../mutate.ts";
import type { Random } from "../random.ts";
import type { FuzzTarget } from "../target.ts";

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"] as const;

const VALUES: readonly unknown[] = [
	...[
		null,
		true,
		0,
		-1,
		1e308,
		2 ** 53,
		"",
		"x",
		"7bf18f79",
		"raspios-trixie",
		"../..",
		"a".repeat(300),
		"\0",
		"\ud800",
	],
	...[[], [[]], {}, { id: "x" }, "192.0.2.2", "999.1.1.1", "full", "proxy", "read-only", "netboot", "ignore"],
];
const KEYS = [
	...[
		"id",
		"name",
		"imageId",
		"rootMode",
		"intent",
		"confirm",
		"mode",
		"range",
		"start",
		"end",
		"serverIp",
		"interface",
	],
	...["__proto__", "constructor", "toString", "types", "level", "device", "limit", "code", "", "length"],
];

const HEADERS = [
	...[
		"host: evil.example",
		"host: [::1",
		"host: 127.0.0.1:99999",
		"host:",
		"origin: null",
		"origin: http://evil.example",
	],
	...[
		"authorization: Bearer",
		"authorization: Basic eA==",
		"cookie: session=x; session=y",
		"cookie: =;;",
		"if-none-match: *",
	],
	...[
		"sec-fetch-site: cross-site",
		"accept: text/html",
		"content-length: 99999999",
		"transfer-encoding: chunked",
		"range: bytes=9-1",
	],
];

/** `METHOD /path`, a line of JSON for the body (empty: none), and headers, each on a line. */
function compose(method: string, path: string, body: string, headers: readonly string[]): Buffer {
	return Buffer.from([`${method} ${path}`, body, ...headers].join("\n"));
}

function paths(random: Random): string {
	const [, route] = random.pick(allRoutes());
	const id = encodeURIComponent(
		String(random.pick(["7bf18f79", "raspios-trixie", "none", "%", "..", "é", "a".repeat(200)])),
	);
	const path = route.path.replace(/:\w+|\{\w+\}/g, id);
	return random.oneIn(3)
		? `${path}?${random.pick(KEYS)}=${encodeURIComponent(id)}&level=${random.pick(["debug", "9", ""])}`
		: path;
}

function value(random: Random, depth: number): unknown {
	if (depth === 0 || random.oneIn(2)) return random.pick(VALUES);
	const count = random.below(4);
	if (random.oneIn(3)) return Array.from({ length: count }, () => value(random, depth - 1));
	return Object.fromEntries(Array.from({ length: count }, () => [random.pick(KEYS), value(random, depth - 1)]));
}

function mutate(random: Random, input: Buffer, other: Buffer): Buffer {
	if (random.oneIn(4))
		return mutateBytes(random, input, other, { words: KEYS.map((key) => Buffer.from(`"${key}":`)), longest: 4000 });
	const type = random.oneIn(5)
		? [random.pick(["content-type: text/plain", "content-type: multipart/form-data", "content-type:"])]
		: [];
	const more = Array.from({ length: random.below(3) }, () => random.pick(HEADERS));
	return compose(random.pick(METHODS), paths(random), JSON.stringify(value(random, 3)) ?? "", [...type, ...more]);
}

const { http } = harness();

const KNOWN = /^\/api\/v1\/(health|network|images|devices|logs|writes|events|uploads|agent)/;

/** What no client could send is no test of the server. */
function parse(input: Buffer) {
	const [first = "", body = "", ...lines] = input.toString("utf8").split("\n");
	const [method = "", url = ""] = first.split(" ", 2);
	const headers: Record<string, string> = { host: "localhost", "content-type": "application/json", ...bearer };
	for (const line of lines) {
		const match = /^([a-z-]{1,40}):\s?([\x20-\x7e]*)$/.exec(line);
		if (match !== null) headers[match[1] ?? ""] = match[2] ?? "";
	}
	return { method: METHODS.find((each) => each === method), url: url.replace(/[^\x21-\x7e]/g, ""), body, headers };
}

export const httpRequests: FuzzTarget = {
	name: "http",
	mutate,
	shortRuns: 400,
	seeds: () =>
		allRoutes().map(([, route]) =>
			compose(route.method, route.path.replace(/:\w+|\{\w+\}/g, "7bf18f79"), route.method === "GET" ? "" : "{}", []),
		),
	async run(input) {
		const { method, url, body, headers } = parse(input);
		// The stream of events does not end; `broken` is the name at which the service behind is made to fail.
		if (
			method === undefined ||
			!url.startsWith("/") ||
			!URL.canParse(url, "http://localhost") ||
			url.includes("/events") ||
			/broken/.test(body)
		)
			return "not sent";
		const payload = method === "GET" || method === "HEAD" || body === "" ? {} : { payload: body };
		const { statusCode, body: answer } = await http.fastify.inject({ method, url, headers, ...payload });
		assert.ok(statusCode < 500, `${method} ${url} is answered with ${statusCode}: ${answer}`);
		const code = /"code":"([a-z-]+)"/.exec(answer)?.[1] ?? "";
		return `${method} ${statusCode} ${code} ${KNOWN.exec(url)?.[0] ?? ""}`;
	},
};
