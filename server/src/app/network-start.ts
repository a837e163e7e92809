/** DHCP, and all that follows the network while the server runs. */
import type { Network } from "@pi-netboot/api";
import type { Logger } from "../base/index.ts";
import type { DeviceRegistry } from "../devices/index.ts";
import { type BootServersOptions, startDhcp } from "./boot-servers.ts";
import { showLeases } from "./leases.ts";
import { type DhcpPort, NetworkControl } from "./network-control.ts";
import type { NetworkSettings } from "./network-settings.ts";
import type { Surroundings } from "./surroundings.ts";

export interface NetworkParts {
	readonly settings: NetworkSettings;
	readonly surroundings: Surroundings;
	readonly registry: DeviceRegistry;
	readonly servers: BootServersOptions;
	readonly log: Logger;
	/** Shows it on the page. */
	readonly show: (network: Network) => void;
}

/** Resolves when DHCP runs in its mode, or has said why not. */
export async function startNetwork(parts: NetworkParts): Promise<NetworkControl> {
	const { settings, surroundings, registry, servers, log, show } = parts;
	const { place, others } = surroundings;
	const network = new NetworkControl({
		settings,
		place,
		others,
		dhcp: servers.dhcp,
		leases: () => showLeases(servers.dhcp.leases(), registry),
		port: dhcpPort(servers),
		clock: servers.clock,
		log: log.child({ service: "network" }),
		onChange: () => show(network.network()),
	});
	await network.start();
	const moved = () => {
		void servers.listeners.follow();
		registry.serverAt(place.ownAddresses, place.addresses[0]);
		others.moved();
	};
	surroundings.follower = {
		get mode() {
			return network.mode;
		},
		changed: () => network.replan(),
		moved,
	};
	// What came or went since the sockets were bound, and since the server ran last.
	moved();
	others.start(() => place.served);
	return network;
}

function dhcpPort(servers: BootServersOptions): DhcpPort {
	const { listeners, config } = servers;
	return {
		get isOpen() {
			return listeners.health("dhcp").state === "running";
		},
		async open() {
			await listeners.close("dhcp", config.dhcpPort);
			await startDhcp(servers);
			return listeners.health("dhcp").error;
		},
		close: () => listeners.close("dhcp", config.dhcpPort),
	};
}
