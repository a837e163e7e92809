/**
 * Which names a browser may call us by. A page of another site can make its own name point to our address (DNS
 * rebinding) and would then be "same origin" with us; but the Host header still carries its name.
 */
import type { IncomingMessage } from "node:http";
import { isIP, isIPv4 } from "node:net";
import { hostname, networkInterfaces } from "node:os";
import { ApiError } from "./errors.ts";

/** The names and addresses of this machine, asked at each request since they change. */
export interface Machine {
	addresses(): readonly string[];
	name(): string;
}

export const thisMachine: Machine = {
	addresses: () => Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map((one) => one.address)),
	name: () => hostname(),
};

/**
 * Refuses a request that names a host which is not ours, in its Host headers or in its target (`GET http://HOST/path`).
 *
 * @param allowed further names, as the user wants them.
 * @throws ApiError host-refused.
 */
export function checkHosts(request: IncomingMessage, machine: Machine, allowed: readonly string[]): void {
	const headers = request.rawHeaders.filter(
		(_, index, all) => all[index - 1]?.toLowerCase() === "host" && index % 2 === 1,
	);
	const [, target] = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(request.url ?? "") ?? [];
	const named = target === undefined ? headers : [...headers, target];
	if (named.length === 0) throw refused("");
	for (const host of named) checkHost(host, machine, allowed);
}

/** @param header `name[:port]`, `1.2.3.4[:port]` or `[::1][:port]` (RFC 9112 section 3.2). */
function checkHost(header: string, machine: Machine, allowed: readonly string[]): void {
	const host = hostOf(header);
	if (host === undefined || !isOurs(host, machine, allowed)) throw refused(header);
}

function refused(header: string): ApiError {
	const message =
		header === "" ? "The request names no host." : `"${header.slice(0, 100)}" is no name of this machine.`;
	return new ApiError("host-refused", message, {
		hint: "Use its address, or allow the name: `pi-netboot hosts add NAME`, the settings of the page, or --allow-host NAME.",
	});
}

/** @param host lower case, without a port. */
export function isOurs(host: string, machine: Machine, allowed: readonly string[]): boolean {
	if (isLoopback(host)) return true;
	if (isIP(host) !== 0 && machine.addresses().some((address) => address.split("%")[0] === host)) return true;
	return [...namesOf(machine), ...allowed].some((name) => name.toLowerCase() === host);
}

/** Whether only this machine can call itself so. */
export function isLoopback(host: string): boolean {
	return host === "localhost" || host === "::1" || (isIPv4(host) && host.startsWith("127."));
}

/** Names that nobody has to allow. */
export function namesOf(machine: Machine): string[] {
	const name = machine.name();
	const short = name.split(".")[0] ?? name;
	return name === "" ? [] : [name, short, `${short}.local`];
}

/** The host without its port, lower case, or undefined for what is none. */
export function hostOf(header: string): string | undefined {
	const match = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::\d{1,5})?$/i.exec(header);
	const host = match?.[1] ?? match?.[2];
	return host?.toLowerCase().replace(/\.$/, "");
}
