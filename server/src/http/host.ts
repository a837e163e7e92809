/**
 * Which names a browser may call us by. A page of another site can make its own name point to our address (DNS
 * rebinding) and would then be "same origin" with us; but the Host header still carries its name.
 */

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
 * Refuses a request whose Host is not ours.
 *
 * @param header `name[:port]`, `1.2.3.4[:port]` or `[::1][:port]` (RFC 9112 section 3.2).
 * @param allowed further names, as the user configured them.
 * @throws ApiError host-refused.
 */
export function checkHost(header: string | undefined, machine: Machine, allowed: readonly string[]): void {
	const host = hostOf(header ?? "");
	if (host !== undefined && isOurs(host, machine, allowed)) return;
	throw new ApiError("host-refused", `"${(header ?? "").slice(0, 100)}" is no name of this machine.`, {
		hint: "Use its address, or start the server with --allow-host NAME.",
	});
}

function isOurs(host: string, machine: Machine, allowed: readonly string[]): boolean {
	if (host === "localhost" || host === "::1" || (isIPv4(host) && host.startsWith("127."))) return true;
	if (isIP(host) !== 0 && machine.addresses().some((address) => address.split("%")[0] === host)) return true;
	return [...namesOf(machine), ...allowed].some((name) => name.toLowerCase() === host);
}

function namesOf(machine: Machine): string[] {
	const name = machine.name();
	const short = name.split(".")[0] ?? name;
	return name === "" ? [] : [name, short, `${short}.local`];
}

/** The host without its port, lower case, or undefined for what is none. */
function hostOf(header: string): string | undefined {
	const match = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::\d{1,5})?$/i.exec(header);
	const host = match?.[1] ?? match?.[2];
	return host?.toLowerCase().replace(/\.$/, "");
}
