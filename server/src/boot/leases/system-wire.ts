/** The wire, as full DHCP looks at it: who has an address, and who is going to have one. */
import type { Clock } from "../../base/index.ts";
import { type AddressHolder, AddressProbe, type Neighbour, type NeighbourKeeper, type Told } from "../../net/index.ts";

/** What full DHCP does on the wire besides answering; tests bring their own. */
export interface LeaseWire {
	/** Looks for somebody else than `mac` who has the address. */
	findHolder(address: string, mac: string): Promise<AddressHolder>;
	/** Tells the kernel who is going to have an address. */
	tellNeighbour(neighbour: Neighbour): Promise<Told>;
}

/** @param clock times the looks at the table. */
export function systemWire(clock: Clock, neighbours: NeighbourKeeper): LeaseWire {
	const probe = new AddressProbe(clock);
	return {
		findHolder: (address, mac) => neighbours.findHolder(address, mac, () => probe.find(address, mac)),
		tellNeighbour: (neighbour) => neighbours.tell(neighbour),
	};
}
