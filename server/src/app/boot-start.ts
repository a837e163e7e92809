/** Everything that Pis boot from: their roots, DHCP, TFTP, NFS, the netconsole, and the network that they are in. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Network } from "@pi-netboot/api";
import { systemClock } from "../base/index.ts";
import {
	BootQueue,
	DhcpAnswers,
	FirmwareLoad,
	Netconsole,
	NfsExports,
	RootKeeper,
	systemWire,
	TftpFiles,
} from "../boot/index.ts";
import { NeighbourKeeper, systemSource } from "../net/index.ts";
import type { HandleCodec } from "../vfs/index.ts";
import { startBootServers } from "./boot-servers.ts";
import { Listeners } from "./listeners.ts";
import { LoginKeys } from "./login-keys.ts";
import { Neighbourhood } from "./neighbourhood.ts";
import type { NetworkControl } from "./network-control.ts";
import { startNetwork } from "./network-start.ts";
import type { Parts, Undo } from "./parts.ts";

export interface Booting {
	readonly listeners: Listeners;
	readonly network: NetworkControl;
	readonly roots: RootKeeper;
	/** The MAC behind an address of the LAN. */
	readonly macOf: (address: string) => Promise<string | undefined>;
}

/** Resolves when every service listens or has said why not. */
export async function startBoot(parts: Parts, handles: HandleCodec, undo: Undo[]): Promise<Booting> {
	const { config, log, registry, library: images, surroundings, settings, hub, tallies } = parts;
	const clock = systemClock;
	const neighbourhood = new Neighbourhood(clock, systemSource);
	const macOf = (address: string) => neighbourhood.macOf(address);
	const common = { registry, images, clock, log: log.child({ service: "boot" }) };
	const roots = await startRoots(parts, handles, undo);
	const nfs = new NfsExports({ ...common, roots, handles, macOf });
	const load = new FirmwareLoad(clock);
	const queue = new BootQueue(clock, load);
	const neighbours = new NeighbourKeeper({ clock });
	const wire = systemWire(clock, neighbours);
	const dhcp = new DhcpAnswers({ ...common, leases: parts.store.leases, queue, wire });
	undo.push(() => dhcp.stop());
	await dhcp.start();
	const listeners = new Listeners(log);
	undo.push(() => listeners.stop());
	const tftp = new TftpFiles({ ...common, roots, macOf, queue, load, nfsPort: () => listeners.health("nfs").port });
	const netconsole = new Netconsole({ registry, clock, log: log.child({ service: "netconsole" }) });
	const answering = { dhcp, tftp, nfs, netconsole, neighbours };
	const servers = { config, place: surroundings.place, ...answering, tallies, clock, log, listeners };
	await startBootServers(servers);
	const page = { show: (data: Network) => hub.publish({ type: "network", data }) };
	const network = await startNetwork({ settings, surroundings, registry, servers, log, ...page });
	return { listeners, network, roots, macOf };
}

async function startRoots(parts: Parts, handles: HandleCodec, undo: Undo[]): Promise<RootKeeper> {
	const { config, store, registry, library: images, web, imager } = parts;
	const log = parts.log.child({ service: "boot" });
	const keys = new LoginKeys(config.dataDir, log);
	await keys.load();
	const folder = join(config.dataDir, "roots");
	await mkdir(folder, { recursive: true, mode: 0o700 });
	const agent = { httpPort: () => web.port, settings: imager };
	const authorizedKeys = () => keys.current();
	const clock = systemClock;
	const roots = new RootKeeper({ registry, images, clock, log, folder, store, handles, agent, authorizedKeys });
	undo.push(() => roots.stop());
	await roots.care.clearLeftovers();
	roots.start();
	return roots;
}
