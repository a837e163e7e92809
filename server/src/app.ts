/** The assembly: makes every room and puts them together. The only place that knows them all. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startBootServers } from "./app/boot-servers.ts";
import { Bootstrap } from "./app/bootstrap-service.ts";
import { DeviceAnswers } from "./app/device-service.ts";
import { publishEvents } from "./app/events.ts";
import { explainFullDisk, prepareFolder } from "./app/folders.ts";
import { logImages } from "./app/image-log.ts";
import { ImageAnswers, showCatalog } from "./app/image-service.ts";
import { startSources } from "./app/image-sources.ts";
import { readImagerSettings } from "./app/imager-settings.ts";
import { explainListenError, Listeners } from "./app/listeners.ts";
import { readyLine } from "./app/login.ts";
import { LoginKeys } from "./app/login-keys.ts";
import { Neighbourhood } from "./app/neighbourhood.ts";
import type { NetworkControl } from "./app/network-control.ts";
import { NetworkSettings } from "./app/network-settings.ts";
import { startNetwork } from "./app/network-start.ts";
import { RootAnswers } from "./app/root-service.ts";
import { Surroundings } from "./app/surroundings.ts";
import { Tallies } from "./app/tallies.ts";
import { VirtualPis } from "./app/virtual-pis.ts";
import { publishWrites } from "./app/write-events.ts";
import { WriteAnswers } from "./app/write-service.ts";
import { startWriting } from "./app/write-start.ts";
import { errorText, type Logger, settleSeries, systemClock } from "./base/index.ts";
import {
	BootQueue,
	DhcpAnswers,
	FirmwareLoad,
	type ImagerSettings,
	Netconsole,
	NfsExports,
	RootKeeper,
	systemWire,
	TftpFiles,
} from "./boot/index.ts";
import type { RunningServer } from "./cli/index.ts";
import { type Config, ownUrl } from "./config.ts";
import { type Device, DeviceRegistry } from "./devices/index.ts";
import { AccessBook, AllowedHosts, EventHub, HttpServer, type Services } from "./http/index.ts";
import { ImageLibrary, inspectImage } from "./images/index.ts";
import type { Logging } from "./log-setup.ts";
import { NeighbourKeeper, systemSource } from "./net/index.ts";
import { loadSecrets, openStore, type Store } from "./store/index.ts";
import { readVersion } from "./version.ts";
import { HandleCodec } from "./vfs/index.ts";

const mainProgram = fileURLToPath(new URL("./main.ts", import.meta.url));

/** What is undone at the stop, the last first. */
type Undo = () => unknown;

/**
 * Starts the server; resolves when every service listens or has said why not.
 *
 * @throws ExternalError with a hint when it cannot work at all: its data, its folder of images, its interface, its HTTP port.
 */
export async function runServer(config: Config, log: Logger, logging: Logging): Promise<RunningServer> {
	const undo: Undo[] = [];
	const stop = () => settleSeries(undo.splice(0).reverse());
	try {
		const line = await start(config, log, logging, undo);
		return { readyLine: line, stop };
	} catch (error) {
		await stop().catch((other: unknown) => log.warn(`the start was not undone whole: ${errorText(other)}`));
		throw explainFullDisk(error, config.dataDir);
	}
}

async function start(config: Config, log: Logger, logging: Logging, undo: Undo[]): Promise<string> {
	await prepareFolder(config.dataDir, { flag: "--data", mode: 0o700, isWritten: true });
	await prepareFolder(config.imagesDir, { flag: "--images", mode: 0o777, isWritten: false });
	const secrets = await loadSecrets(config.dataDir);
	const store = await openStore(join(config.dataDir, "netboot.db"));
	undo.push(() => store.close());
	const httpLog = log.child({ service: "http" });
	const hub = new EventHub(httpLog);
	const tallies = new Tallies();
	const settings = new NetworkSettings(config, store.settings);
	const surroundings = new Surroundings(settings, log);
	undo.push(() => surroundings.stop());
	await surroundings.start();
	const library = await startLibrary(config, store, log, undo);
	const registry = await startRegistry({ config, store, log, library, surroundings }, undo);
	const handles = new HandleCodec(secrets.handleKey);
	const web = { port: config.httpPort };
	const imager = await readImagerSettings(config.dataDir);
	const { listeners, network, roots, macOf } = await startBoot(
		{ config, store, log, library, registry, surroundings, settings, handles, hub, web, imager, tallies },
		undo,
	);

	const { dataDir, writesAtOnce: atOnce } = config;
	const mainAddress = () => surroundings.place.mainAddress;
	const pis = { library, registry, settings: store.settings, imager, macOf, mainAddress };
	const bootstrap = new Bootstrap({ ...pis, port: () => web.port });
	const { keys: installed } = bootstrap;
	const writing = await startWriting({ dataDir, atOnce, store, registry, library, installed, log }, undo);
	const writes = new WriteAnswers({ registry, ...writing });
	const bytesOf = (device: Device) => roots.care.bytesOf(device);
	const devices = new DeviceAnswers(
		registry,
		bytesOf,
		(device) => writes.agentOf(device),
		(device) => roots.gapsOf(device),
	);
	const imagesLog = log.child({ service: "images" });
	const { imagesDir: folder, catalogUrl } = config;
	const sources = await startSources({ folder, catalogUrl, library, registry, roots, log: imagesLog }, undo);
	const { uploads, catalog } = sources;
	const images = new ImageAnswers(sources);
	const told = { hub, registry, devices, library, arrivals: sources.arrivals, images, logging, log: httpLog };
	undo.push(publishEvents(told));
	undo.push(publishWrites({ hub, ...writing, writes, registry, devices, clock: systemClock }));
	const virtualPis = new VirtualPis({
		// In development the server is watched and started anew; a virtual Pi boots once.
		program: [process.execPath, ...process.execArgv.filter((flag) => !flag.startsWith("--watch")), mainProgram],
		url: () => ownUrl(config.httpHost, web.port),
		log: log.child({ service: "virtual" }),
	});
	undo.push(() => virtualPis.stop());
	const services: Services = {
		health: { health: () => listeners.report(readVersion()) },
		network,
		images,
		uploads,
		catalog: { catalog: async () => showCatalog(await catalog.list()) },
		devices,
		roots: new RootAnswers({ registry, care: roots.care, store }),
		writes,
		agents: writing.desk,
		bootstrap,
		virtualPis,
		logs: logging.recent,
		counters: tallies,
		events: hub,
	};
	const http = new HttpServer({
		host: config.httpHost,
		port: config.httpPort,
		auth: config.auth,
		token: secrets.apiToken,
		book: new AccessBook(store, systemClock, httpLog, await store.tokens.list()),
		audit: store.audit,
		hosts: new AllowedHosts(config.allowedHosts, store),
		trustedProxies: config.trustedProxies,
		version: readVersion(),
		services,
		log: httpLog,
	});
	undo.push(() => http.stop());
	await http.start().catch(async (error: unknown) => {
		throw await explainListenError("page and API", config.httpPort, "--http-port", error);
	});
	web.port = http.port;
	const isEverywhere = config.httpHost === "0.0.0.0" || config.httpHost === "::";
	return readyLine(isEverywhere ? surroundings.place.mainAddress : config.httpHost, http.port, http.createLoginCode());
}

async function startLibrary(config: Config, store: Store, log: Logger, undo: Undo[]): Promise<ImageLibrary> {
	const library = new ImageLibrary({
		folder: config.imagesDir,
		unpackedFolder: join(config.dataDir, "unpacked"),
		records: store.images,
		inspect: inspectImage,
		defaults: {
			get: () => store.settings.get("defaultImageId"),
			set: (id) => store.settings.set("defaultImageId", id),
		},
		forgotten: {
			get: () => store.settings.get("forgottenImages") ?? [],
			set: (marks) => store.settings.set("forgottenImages", marks),
		},
		origins: {
			get: () => store.settings.get("imageOrigins") ?? [],
			set: (notes) => store.settings.set("imageOrigins", notes),
		},
		log: log.child({ service: "images" }),
	});
	undo.push(() => library.stop());
	await library.start();
	undo.push(logImages(library, config.imagesDir, log.child({ service: "images" })));
	return library;
}

interface Parts {
	readonly config: Config;
	readonly store: Store;
	readonly log: Logger;
	readonly library: ImageLibrary;
	readonly surroundings: Surroundings;
}

async function startRegistry({ store, log, library, surroundings }: Parts, undo: Undo[]): Promise<DeviceRegistry> {
	const registry = new DeviceRegistry({
		store,
		clock: systemClock,
		log: log.child({ service: "devices" }),
		imageExists: (id) => library.get(id) !== undefined,
		surroundings: () => ({ dhcpMode: surroundings.dhcpMode, otherDhcpServers: surroundings.others.addresses }),
	});
	undo.push(() => registry.stop());
	await registry.start();
	return registry;
}

interface BootParts extends Parts {
	readonly registry: DeviceRegistry;
	readonly handles: HandleCodec;
	readonly settings: NetworkSettings;
	readonly hub: EventHub;
	readonly tallies: Tallies;
	/** The port that HTTP will have, and then has. */
	readonly web: { readonly port: number };
	readonly imager: ImagerSettings;
}

interface Booting {
	readonly listeners: Listeners;
	readonly network: NetworkControl;
	readonly roots: RootKeeper;
	/** The MAC behind an address of the LAN. */
	readonly macOf: (address: string) => Promise<string | undefined>;
}

async function startBoot(parts: BootParts, undo: Undo[]): Promise<Booting> {
	const { config, store, log, library: images, registry, surroundings, handles } = parts;
	const { place } = surroundings;
	const bootLog = log.child({ service: "boot" });
	const keys = new LoginKeys(config.dataDir, bootLog);
	await keys.load();
	const folder = join(config.dataDir, "roots");
	await mkdir(folder, { recursive: true, mode: 0o700 });
	const neighbours = new Neighbourhood(systemClock, systemSource);
	const macOf = (address: string) => neighbours.macOf(address);
	const common = { registry, images, clock: systemClock, log: bootLog };
	const agent = { httpPort: () => parts.web.port, settings: parts.imager };
	const authorizedKeys = () => keys.current();
	const roots = new RootKeeper({ ...common, folder, store, handles, agent, authorizedKeys });
	undo.push(() => roots.stop());
	await roots.care.clearLeftovers();
	roots.start();
	const nfs = new NfsExports({ ...common, roots, handles, macOf });
	const load = new FirmwareLoad(systemClock);
	const queue = new BootQueue(systemClock, load);
	const keeper = new NeighbourKeeper({ clock: systemClock });
	const wire = systemWire(systemClock, keeper);
	const dhcp = new DhcpAnswers({ ...common, leases: store.leases, queue, wire });
	undo.push(() => dhcp.stop());
	await dhcp.start();
	const listeners = new Listeners(log);
	undo.push(() => listeners.stop());
	const tftp = new TftpFiles({ ...common, roots, macOf, queue, load, nfsPort: () => listeners.health("nfs").port });
	const netconsole = new Netconsole({ registry, clock: systemClock, log: log.child({ service: "netconsole" }) });
	const servers = {
		config,
		place,
		dhcp,
		tftp,
		nfs,
		netconsole,
		neighbours: keeper,
		tallies: parts.tallies,
		clock: systemClock,
		log,
		listeners,
	};
	await startBootServers(servers);
	const network = await startNetwork({
		settings: parts.settings,
		surroundings,
		registry,
		servers,
		log,
		show: (data) => parts.hub.publish({ type: "network", data }),
	});
	return { listeners, network, roots, macOf };
}
