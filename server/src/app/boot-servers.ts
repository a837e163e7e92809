/** DHCP, TFTP, NFS and the portmapper, as the settings have them. */

import { type Clock, errorText, type Logger, systemCode } from "../base/index.ts";
import type { DhcpAnswers, Netconsole, NfsExports, TftpFiles } from "../boot/index.ts";
import type { Config } from "../config.ts";
import {
	bindUdp,
	closeUdp,
	DhcpServer,
	type NeighbourKeeper,
	type RpcbindRegistration,
	RpcServer,
	registerWithRpcbind,
	TftpServer,
} from "../net/index.ts";
import {
	createMount3Program,
	createNfs3Program,
	MOUNT_PROGRAM,
	MOUNT_V3,
	NFS_PROGRAM,
	NFS_V3,
} from "../wire/nfs3/index.ts";
import {
	createPortmapProgram,
	IPPROTO_TCP,
	IPPROTO_UDP,
	PMAP_PORT,
	type PortMapping,
	RpcService,
} from "../wire/rpc/index.ts";
import type { Listeners } from "./listeners.ts";
import type { Place } from "./place.ts";
import type { Tallies } from "./tallies.ts";

export interface BootServersOptions {
	readonly config: Config;
	/** Our addresses on the interfaces to serve, as they are now. */
	readonly place: Pick<Place, "addresses" | "askedAddresses" | "isNear">;
	readonly dhcp: DhcpAnswers;
	readonly tftp: TftpFiles;
	readonly nfs: NfsExports;
	readonly netconsole: Netconsole;
	readonly neighbours: NeighbourKeeper;
	readonly tallies: Tallies;
	readonly clock: Clock;
	readonly log: Logger;
	readonly listeners: Listeners;
}

const LOOPBACK = "127.0.0.1";

/** Starts those that run in every mode. Each says in `listeners` how it went. */
export async function startBootServers(options: BootServersOptions): Promise<void> {
	await startNfs(options);
	await startPortmap(options);
	await startTftp(options);
	await startNetconsole(options);
}

/** Opens the port of DHCP; `listeners` has how it went. */
export async function startDhcp({
	config,
	place,
	dhcp,
	tallies,
	clock,
	log,
	listeners,
}: BootServersOptions): Promise<void> {
	await listeners.start({
		name: "dhcp",
		title: "DHCP",
		protocol: "udp",
		port: config.dhcpPort,
		async open(port, loopback) {
			const served = () => (loopback ? [LOOPBACK] : [...place.addresses, LOOPBACK]);
			const isNear = (address: string) => place.isNear(address);
			const service = log.child({ service: "dhcp" });
			const isKnown = (mac: string) => dhcp.isKnown(mac);
			const shared = { handler: tallies.dhcp(dhcp), isNear, isKnown, clock, log: service };
			const server = new DhcpServer({ addresses: served(), port, ...shared });
			await server.start();
			return { port: server.port, close: () => server.stop(), follow: () => server.setAddresses(served()) };
		},
	});
}

async function startTftp(options: BootServersOptions): Promise<void> {
	const { config, place, tftp, tallies, neighbours, clock, log, listeners } = options;
	await listeners.start({
		name: "tftp",
		title: "TFTP",
		protocol: "udp",
		port: config.tftpPort,
		async open(port, loopback) {
			const served = () => (loopback ? [LOOPBACK] : [...place.askedAddresses, LOOPBACK]);
			const service = log.child({ service: "tftp" });
			const files = tallies.tftp(tftp);
			const server = new TftpServer({ addresses: served(), port, files, neighbours, clock, log: service });
			await server.start();
			return { port: server.port, close: () => server.stop(), follow: () => server.setAddresses(served()) };
		},
	});
}

/** Broadcasts are heard on every interface. */
async function startNetconsole({ config, netconsole, log, listeners }: BootServersOptions): Promise<void> {
	await listeners.start({
		name: "netconsole",
		title: "netconsole",
		protocol: "udp",
		port: config.netconsolePort,
		async open(port, loopback) {
			const logger = log.child({ service: "netconsole" });
			const socket = await bindUdp({ address: loopback ? LOOPBACK : "0.0.0.0", port });
			socket.on("error", (error) => logger.warn(`its socket: ${errorText(error)}`));
			socket.on("message", (bytes, { address }) => netconsole.heard(bytes, address));
			const close = async () => {
				await closeUdp(socket);
				netconsole.stop();
			};
			return { port: socket.address().port, close };
		},
	});
}

async function startNfs({ config, nfs, tallies, clock, log, listeners }: BootServersOptions): Promise<void> {
	await listeners.start({
		name: "nfs",
		title: "NFS",
		protocol: "tcp",
		port: config.nfsPort,
		async open(port, loopback) {
			const logger = log.child({ service: "nfs" });
			const mount = tallies.rpc(createMount3Program(nfs, logger));
			const tcp = new RpcService([tallies.rpc(createNfs3Program(nfs, logger)), mount], logger);
			const server = new RpcServer({ tcp, udp: new RpcService([mount], logger), logger, clock });
			const bound = await server.listen(port, loopback ? LOOPBACK : "0.0.0.0");
			return { port: bound, close: () => server.close() };
		},
	});
}

/** What a portmapper says of us: MOUNT and NFS are on one port. */
function mappings(port: number): PortMapping[] {
	return [
		{ program: NFS_PROGRAM, version: NFS_V3, protocol: IPPROTO_TCP, port },
		{ program: MOUNT_PROGRAM, version: MOUNT_V3, protocol: IPPROTO_TCP, port },
		{ program: MOUNT_PROGRAM, version: MOUNT_V3, protocol: IPPROTO_UDP, port },
	];
}

async function startPortmap({
	config,
	nfs: exports,
	tallies,
	clock,
	log,
	listeners,
}: BootServersOptions): Promise<void> {
	const logger = log.child({ service: "portmap" });
	const nfs = listeners.health("nfs").port;
	await listeners.start({
		name: "portmap",
		title: "portmapper",
		protocol: "udp",
		port: config.portmapPort,
		async open(port, loopback) {
			try {
				const service = new RpcService(
					[tallies.rpc(createPortmapProgram(mappings(nfs), (address) => exports.portmapAsked(address)))],
					logger,
				);
				const server = new RpcServer({ tcp: service, udp: service, logger, clock });
				const bound = await server.listen(port, loopback ? LOOPBACK : "0.0.0.0");
				return { port: bound, close: () => server.close() };
			} catch (error) {
				const isOfHost = port === PMAP_PORT && systemCode(error) === "EADDRINUSE";
				// What only virtual Pis find, or nobody, is not named to the whole LAN.
				if (!isOfHost || listeners.health("nfs").state !== "running") throw error;
				return { port, close: closer(await borrowRpcbind(nfs, error, logger)) };
			}
		},
	});
}

/** The rpcbind of this machine has the port: it is asked to name us. */
async function borrowRpcbind(nfs: number, taken: unknown, log: Logger): Promise<RpcbindRegistration> {
	try {
		const registration = await registerWithRpcbind(mappings(nfs));
		log.info("registered with the rpcbind of this machine");
		return registration;
	} catch (error) {
		log.warn(`the rpcbind of this machine does not register us: ${errorText(error)}`);
		throw taken;
	}
}

function closer(registration: RpcbindRegistration): () => Promise<void> {
	return () => registration.unregister();
}
