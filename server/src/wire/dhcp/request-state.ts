/** What a REQUEST wants, told by which fields are filled: RFC 2131 section 4.3.2, and the table in section 4.3.6. */
import { IPV4_ANY } from "./addresses.ts";
import { OptionCode } from "./constants.ts";
import { addressOption, type DhcpPacket } from "./packet.ts";

export type RequestState =
	/** Takes the offer of that server. */
	| { readonly kind: "selecting"; readonly server: string; readonly address: string }
	/** Started again, and asks whether it may keep what it had. */
	| { readonly kind: "init-reboot"; readonly address: string }
	/** Has the address and wants it for longer: RENEWING when it asks us alone, REBINDING when it asks everybody. */
	| { readonly kind: "extending"; readonly address: string };

/** Reads it, or gives undefined for a REQUEST that says no address. @throws MalformedError. */
export function requestState(packet: DhcpPacket): RequestState | undefined {
	const server = addressOption(packet, OptionCode.SERVER_IDENTIFIER);
	const requested = addressOption(packet, OptionCode.REQUESTED_IP_ADDRESS);
	if (server !== undefined) {
		return requested === undefined ? undefined : { kind: "selecting", server, address: requested };
	}
	if (packet.ciaddr !== IPV4_ANY) return { kind: "extending", address: packet.ciaddr };
	return requested === undefined ? undefined : { kind: "init-reboot", address: requested };
}
