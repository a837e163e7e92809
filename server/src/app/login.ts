/** Where a browser begins: the `ready` line with its one-time code. */
import { isIPv6 } from "node:net";

/** `ready http://HOST:PORT/?code=CODE`; without a code where nobody needs to log in. */
export function readyLine(host: string, port: number, code: string | undefined): string {
	const name = isIPv6(host) ? `[${host}]` : host;
	return `ready http://${name}:${port}/${code === undefined ? "" : `?code=${code}`}`;
}
