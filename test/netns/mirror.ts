/** A web server with images, as bad as they come. `node mirror.ts FOLDER` serves on port 8080; it logs a line per request. */
import { createReadStream, existsSync, readFileSync, statSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { basename, join } from "node:path";

const folder = process.argv[2] ?? ".";
const IMAGE = join(folder, "good.img.xz");
/** How often each place was asked for. */
const asked = new Map<string, number>();

function send(request: IncomingMessage, response: ServerResponse, most = Number.POSITIVE_INFINITY): void {
	const { size } = statSync(IMAGE);
	const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
	response.writeHead(from > 0 ? 206 : 200, {
		etag: '"one"',
		"content-length": size - from,
		...(from > 0 && { "content-range": `bytes ${from}-${size - 1}/${size}` }),
	});
	const end = Math.min(size, from + most) - 1;
	createReadStream(IMAGE, { start: from, end }).pipe(response, { end: end === size - 1 });
}

function answer(place: string, count: number, request: IncomingMessage, response: ServerResponse): void {
	const half = Math.floor(statSync(IMAGE).size / 2);
	if (place === "/redirect") response.writeHead(302, { location: "/good.img.xz" }).end();
	else if (place === "/good.img.xz" || place === "/wrong.img.xz") send(request, response);
	else if (place === "/wrong.img.xz.sha256") response.end(`${"0".repeat(64)}  wrong.img.xz\n`);
	else if (place === "/cut.img.xz" && count === 1) {
		send(request, response, half);
		setTimeout(() => response.destroy(), 300);
	} else if (place === "/cut.img.xz") send(request, response);
	else if (place === "/slow.img.xz") send(request, response, existsSync(join(folder, "hurry")) ? undefined : half);
	else if (place === "/list.json") response.end(readFileSync(join(folder, "list.json")));
	else response.writeHead(404).end("nothing");
}

createServer((request, response) => {
	const place = request.url ?? "";
	const count = (asked.get(place) ?? 0) + 1;
	asked.set(place, count);
	process.stdout.write(`${basename(place)} ${request.headers.range ?? "all"}\n`);
	answer(place, count, request, response);
}).listen(8080, () => process.stdout.write("listening\n"));
