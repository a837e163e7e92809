/** The address in a message of a DHCP server. */
import { addressOf, Code, type DhcpMessage } from "./dhcp.ts";
import type { Lease } from "./network.ts";

/** A server that says no mask is taken at its word that there is nothing to know: the commonest one. */
export function leaseOf(message: DhcpMessage): Lease {
	return {
		address: message.yiaddr,
		mask: addressOf(message, Code.SUBNET_MASK) ?? "255.255.255.0",
		router: addressOf(message, Code.ROUTER),
	};
}
