/** Whom to believe that he is a DHCP relay. */
import { IPV4_ANY, isLoopback } from "../wire/dhcp/index.ts";

/**
 * Tells whether the `giaddr` of a message is to be believed. The answer goes there, and anybody can write anything into it. So it
 * is believed from who sends from that very address, and from machines of our own networks: a relay with a leg in our network
 * sends from that leg (ISC dhcrelay does). Nobody else can have us send datagrams to a third party.
 *
 * @param isNear whether an address lies in a network that we serve.
 */
export function isBelievable(giaddr: string, source: string, isNear: (address: string) => boolean): boolean {
	return giaddr === IPV4_ANY || giaddr === source || isLoopback(source) || isNear(source);
}
