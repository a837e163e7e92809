/**
 * Only root can send from a port below 1024, so on a Pi only the kernel mounts our roots: an ordinary user there who
 * speaks NFS by hand, and claims to be uid 0, is refused. Loopback is left out: a virtual Pi needs no root rights.
 */
import type { Logger } from "../../base/index.ts";
import { isLoopback, type RpcCaller } from "../rpc/index.ts";

const reservedPorts = 1024;

export class PortRule {
	readonly #logger: Logger;
	readonly #told = new WeakSet<object>();

	constructor(logger: Logger) {
		this.#logger = logger;
	}

	/** Tells whether the caller may go on; a refusal is logged once per connection. */
	allows(caller: RpcCaller): boolean {
		if (caller.port < reservedPorts || isLoopback(caller.address)) return true;
		if (!this.#told.has(caller.connection)) {
			this.#told.add(caller.connection);
			this.#logger.warn(
				`refused ${caller.address}: it calls from port ${caller.port}, and only ports below ${reservedPorts} prove that it is root there`,
			);
		}
		return false;
	}
}
