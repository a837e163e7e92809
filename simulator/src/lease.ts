/** The address in a message of a DHCP server. */
import { addressOf, Code, type DhcpMessage } from "./dhcp.ts";
import type { Lease } from "./network.ts";

/** Without a subnet mask it is that of a class C network. */
export function leaseOf(message: DhcpMessage): Lease {
	return {
		address: message.yiaddr,
		mask: addressOf(message, Code.SUBNET_MASK) ?? "255.255.255.0",
		router: addressOf(message, Code.ROUTER),
	};
}
