/**
 * Only root can send from a port below 1024, so on a Pi only the kernel mounts our roots: an ordinary user there who
 * speaks NFS by hand, and claims to be uid 0, is refused. Loopback is left out: a virtual Pi needs no root rights.
 */
import type { Logger } from "../../base/index.ts";
import { isLoopback, type RpcCaller } from "../rpc/index.ts";

const reservedPorts = 1024;

/** How many senders of datagrams, whose addresses may be invented, are logged. */
const maxDatagramSenders = 256;

export class PortRule {
	readonly #logger: Logger;
	readonly #connections = new WeakSet<object>();
	readonly #senders = new Set<string>();

	constructor(logger: Logger) {
		this.#logger = logger;
	}

	/** Tells whether the caller may go on; a refusal is logged once per connection, or per sender of datagrams. */
	allows(caller: RpcCaller): boolean {
		if (caller.port < reservedPorts || isLoopback(caller.address)) return true;
		if (this.#isNew(caller)) {
			this.#logger.warn(
				`refused ${caller.address}: it calls from port ${caller.port}, and only ports below ${reservedPorts} prove that it is root there`,
			);
		}
		return false;
	}

	#isNew({ transport, address, connection }: RpcCaller): boolean {
		if (transport === "udp") {
			if (this.#senders.has(address) || this.#senders.size >= maxDatagramSenders) return false;
			this.#senders.add(address);
			return true;
		}
		if (this.#connections.has(connection)) return false;
		this.#connections.add(connection);
		return true;
	}
}
