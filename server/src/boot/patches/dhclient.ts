/**
 * dhclient on the interface that carries the root. It adds to the address that is there and sends no client id, which suits;
 * but it would remove the address when the lease runs out, when another one is leased, and when it is stopped. See
 * dhclient-script(8).
 */
import type { Patch } from "../../vfs/index.ts";
import type { DeviceIdentity } from "./input.ts";
import { writeFile } from "./make.ts";

/** The script sources what lies here before it acts; without an old address it has nothing to remove. */
const HOOK = "/etc/dhcp/dhclient-enter-hooks.d/netboot";

export function dhclientPatches({ mac }: DeviceIdentity): Patch[] {
	const isOurs =
		mac === undefined ? "true" : `[ "$(cat "/sys/class/net/$interface/address")" = "${mac.toLowerCase()}" ]`;
	const text = `# The address of the interface that carries the root stays, whatever becomes of its lease.
if ${isOurs}; then
	case $reason in
		EXPIRE | FAIL | RELEASE | STOP) unset old_ip_address alias_ip_address ;;
		# Nobody answers: the script would try the old lease, and remove all addresses when the router does not answer either.
		TIMEOUT) reason=NETBOOT ;;
		*) [ "$old_ip_address" = "$new_ip_address" ] || unset old_ip_address ;;
	esac
fi
`;
	return [writeFile(HOOK, "dhclient keeps the address that the root is reached with", text)];
}
