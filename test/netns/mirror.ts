/**
 * A web server with images, as bad as they come. `node mirror.ts FOLDER` serves on port 8080, and where the folder has
 * certificates, over TLS on 8443 (`known.pem`) and 8444 (`strange.pem`); it logs a line per request.
 */
import { createReadStream, existsSync, readFileSync, statSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { basename, join } from "node:path";

const folder = process.argv[2] ?? ".";
const IMAGE = join(folder, "good.img.xz");
const { size } = statSync(IMAGE);
const half = Math.floor(size / 2);
const PLAIN = `http://${process.argv[3]}:8080`;
/** How often each place was asked for. */
const asked = new Map<string, number>();

interface Manner {
	/** Whether parts are given. */
	readonly ranges?: boolean;
	readonly etag?: string;
}

/** The file up to a place, where the connection is left as it is. */
function send(request: IncomingMessage, response: ServerResponse, until = size, manner: Manner = {}): number {
	const { ranges = true, etag = '"one"' } = manner;
	const isSame = (request.headers["if-range"] ?? etag) === etag;
	const asksFrom = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
	const from = ranges && isSame ? asksFrom : 0;
	response.writeHead(from > 0 ? 206 : 200, {
		etag,
		"content-length": size - from,
		...(from > 0 && { "content-range": `bytes ${from}-${size - 1}/${size}` }),
	});
	if (until > from) createReadStream(IMAGE, { start: from, end: until - 1 }).pipe(response, { end: until === size });
	return Math.max(from, until);
}

/** Half of it, then the connection breaks. */
function cut(request: IncomingMessage, response: ServerResponse, manner: Manner = {}): void {
	send(request, response, half, manner);
	setTimeout(() => response.destroy(), 300);
}

/** Goes on when the test has made the file `go`. */
function whenTold(response: ServerResponse, goOn: () => void): void {
	const waiting = setInterval(() => {
		if (!existsSync(join(folder, "go"))) return;
		clearInterval(waiting);
		goOn();
	}, 50);
	response.on("close", () => clearInterval(waiting));
}

/** Half of it, and the rest when it is told to. */
function hold(request: IncomingMessage, response: ServerResponse): void {
	const from = send(request, response, half);
	whenTold(response, () => createReadStream(IMAGE, { start: from }).pipe(response));
}

/** Half of it, and then not a byte; whoever comes again waits for an answer until it is told to give one. */
function stall(request: IncomingMessage, response: ServerResponse, count: number): void {
	if (count === 1) send(request, response, half);
	else whenTold(response, () => send(request, response));
}

const redirect = (location: string) => (_request: IncomingMessage, response: ServerResponse) =>
	void response.writeHead(302, { location }).end();

type Answer = (request: IncomingMessage, response: ServerResponse, count: number) => unknown;

const ANSWERS: Readonly<Record<string, Answer>> = {
	"/good.img.xz": (request, response) => send(request, response),
	"/redirect": redirect("/good.img.xz"),
	"/loop.img": redirect("/loop.img"),
	"/down.img.xz": redirect(`${PLAIN}/good.img.xz`),
	"/down.img.xz.sha256": (_request, response) => response.writeHead(404).end(),
	"/wrong.img.xz": (request, response) => send(request, response),
	"/wrong.img.xz.sha256": (_request, response) => response.end(`${"0".repeat(64)}  wrong.img.xz\n`),
	"/cut.img.xz": (request, response, count) => (count === 1 ? cut(request, response) : send(request, response)),
	"/changed.img.xz": (request, response, count) =>
		count === 1 ? cut(request, response, { etag: '"former"' }) : send(request, response),
	"/whole.img.xz": (request, response, count) =>
		count === 1 ? cut(request, response, { ranges: false }) : send(request, response, size, { ranges: false }),
	"/stall.img.xz": stall,
	"/hold.img.xz": hold,
	"/html.json": (_request, response) => response.end("<html>Please log in</html>"),
};

function answer(request: IncomingMessage, response: ServerResponse): void {
	const place = request.url ?? "";
	const count = (asked.get(place) ?? 0) + 1;
	asked.set(place, count);
	process.stdout.write(`${basename(place)} ${request.headers.range ?? "all"}\n`);
	const known = ANSWERS[place];
	const file = join(folder, basename(place));
	if (known !== undefined) known(request, response, count);
	else if (/^\/(list\.json|late\.json|SHA256SUMS)$/.test(place) && existsSync(file)) response.end(readFileSync(file));
	else response.writeHead(404).end("nothing");
}

for (const [port, name] of [
	[8443, "known"],
	[8444, "strange"],
] as const) {
	const pem = join(folder, `${name}.pem`);
	if (!existsSync(pem)) continue;
	const text = readFileSync(pem);
	createTlsServer({ key: text, cert: text }, answer).listen(port);
}
createServer(answer).listen(8080, () => process.stdout.write("listening\n"));
