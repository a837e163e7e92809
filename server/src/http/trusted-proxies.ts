/**
 * The reverse proxies that are believed: for whom they ask (`X-Forwarded-For`), and whether that was by https
 * (`X-Forwarded-Proto`). Anybody else could write these headers too.
 */
import { BlockList, isIP, isIPv6 } from "node:net";
import type { FastifyRequest } from "fastify";
import { ApiError } from "./errors.ts";

export class TrustedProxies {
	readonly #list = new BlockList();

	/** @param addresses addresses, and subnets as `10.0.0.0/8`. */
	constructor(addresses: readonly string[]) {
		for (const text of addresses) {
			const [address = "", bits] = text.split("/");
			const family = isIPv6(address) ? "ipv6" : "ipv4";
			if (bits === undefined) this.#list.addAddress(address, family);
			else this.#list.addSubnet(address, Number(bits), family);
		}
	}

	/** An IPv4 address is found in its IPv6 form too (`::ffff:192.0.2.1`), as sockets of both have it. */
	has(address: string): boolean {
		return isIP(address) !== 0 && this.#list.check(address, isIPv6(address) ? "ipv6" : "ipv4");
	}
}

/**
 * Refuses what a proxy says in place of an address: all that goes by addresses would count it as one.
 *
 * @throws ApiError invalid-request.
 */
export function checkForwarded({ ip, headers }: FastifyRequest): void {
	if (headers["x-forwarded-for"] === undefined || isIP(ip) !== 0) return;
	throw new ApiError(
		"invalid-request",
		`The proxy says that "${String(ip).slice(0, 100)}" asks, which is no address.`,
		{
			hint: "Have it send the bare address in X-Forwarded-For, without a port.",
		},
	);
}
