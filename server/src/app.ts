/** The assembly: makes every room and puts them together. The only place that knows them all. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { startBootServers } from "./app/boot-servers.ts";
import { DeviceAnswers } from "./app/device-service.ts";
import { publishEvents } from "./app/events.ts";
import { prepareFolder } from "./app/folders.ts";
import { logImages } from "./app/image-log.ts";
import { ImageAnswers } from "./app/image-service.ts";
import { explainListenError, Listeners } from "./app/listeners.ts";
import { readyLine } from "./app/login.ts";
import { LoginKeys } from "./app/login-keys.ts";
import { networkService, Place } from "./app/place.ts";
import { errorText, type Logger, settleSeries, systemClock } from "./base/index.ts";
import { DhcpAnswers, NfsExports, RootKeeper, TftpFiles } from "./boot/index.ts";
import type { RunningServer } from "./cli/index.ts";
import type { Config } from "./config.ts";
import { DeviceRegistry } from "./devices/index.ts";
import { EventHub, HttpServer, type Services } from "./http/index.ts";
import { ImageLibrary, inspectImage } from "./images/index.ts";
import type { Logging } from "./log-setup.ts";
import { loadSecrets, openStore, type Store } from "./store/index.ts";
import { readVersion } from "./version.ts";
import { HandleCodec } from "./vfs/index.ts";

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
		throw error;
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
	const network = log.child({ service: "network" });
	const place = new Place(config, systemClock, network, () => hub.publish({ type: "network", data: place.network() }));
	undo.push(() => place.stop());
	await place.start();
	const library = await startLibrary(config, store, log, undo);
	const registry = await startRegistry({ config, store, log, library, place }, undo);
	const handles = new HandleCodec(secrets.handleKey);
	const listeners = await startBoot({ config, store, log, library, registry, place, handles }, undo);

	const devices = new DeviceAnswers(registry);
	const images = new ImageAnswers(library);
	undo.push(publishEvents({ hub, registry, devices, library, images, logging, log: httpLog }));
	const services: Services = {
		health: { health: () => listeners.report(readVersion()) },
		network: networkService(place),
		images,
		devices,
		logs: logging.recent,
		events: hub,
	};
	const http = new HttpServer({
		host: config.httpHost,
		port: config.httpPort,
		auth: config.auth,
		token: secrets.apiToken,
		allowedHosts: config.allowedHosts,
		version: readVersion(),
		services,
		log: httpLog,
	});
	undo.push(() => http.stop());
	await http.start().catch(async (error: unknown) => {
		throw await explainListenError("page and API", config.httpPort, "--http-port", error);
	});
	place.askAgainAndAgain();
	return readyLine(place.mainAddress, http.port, http.createLoginCode());
}

async function startLibrary(config: Config, store: Store, log: Logger, undo: Undo[]): Promise<ImageLibrary> {
	const library = new ImageLibrary({
		folder: config.imagesDir,
		records: store.images,
		inspect: inspectImage,
		defaults: {
			get: () => store.settings.get("defaultImageId"),
			set: (id) => store.settings.set("defaultImageId", id),
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
	readonly place: Place;
}

async function startRegistry({ config, store, log, library, place }: Parts, undo: Undo[]): Promise<DeviceRegistry> {
	const registry = new DeviceRegistry({
		store,
		clock: systemClock,
		log: log.child({ service: "devices" }),
		imageExists: (id) => library.get(id) !== undefined,
		surroundings: () => ({ dhcpMode: config.dhcp, otherDhcpServers: place.otherDhcpServers }),
	});
	undo.push(() => registry.stop());
	await registry.start();
	return registry;
}

interface BootParts extends Parts {
	readonly registry: DeviceRegistry;
	readonly handles: HandleCodec;
}

async function startBoot(parts: BootParts, undo: Undo[]): Promise<Listeners> {
	const { config, store, log, library: images, registry, place, handles } = parts;
	const bootLog = log.child({ service: "boot" });
	const keys = new LoginKeys(config.dataDir, bootLog);
	await keys.load();
	const folder = join(config.dataDir, "roots");
	await mkdir(folder, { recursive: true, mode: 0o700 });
	const macOf = (address: string) => place.macOf(address);
	const common = { registry, images, clock: systemClock, log: bootLog };
	const roots = new RootKeeper({ ...common, folder, store, handles, authorizedKeys: () => keys.current() });
	undo.push(() => roots.stop());
	roots.start();
	const nfs = new NfsExports({ ...common, roots, handles, macOf });
	const listeners = new Listeners(log);
	undo.push(() => listeners.stop());
	const tftp = new TftpFiles({
		...common,
		roots,
		macOf,
		serverAddress: (client) => place.addressFor(client),
		nfsPort: () => listeners.health("nfs").port,
	});
	const dhcp = new DhcpAnswers(common);
	const { addresses } = place;
	await startBootServers({ config, addresses, dhcp, tftp, nfs, clock: systemClock, log, listeners });
	return listeners;
}
