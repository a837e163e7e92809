/** The assembly: makes every room and puts them together. The only place that knows them all. */
import { join } from "node:path";
import { startBoot } from "./app/boot-start.ts";
import { explainFullDisk, prepareFolder } from "./app/folders.ts";
import { readImagerSettings } from "./app/imager-settings.ts";
import { startLibrary, startRegistry } from "./app/library-start.ts";
import { explainListenError } from "./app/listeners.ts";
import { readyLine } from "./app/login.ts";
import { NetworkSettings } from "./app/network-settings.ts";
import type { Ground, Undo } from "./app/parts.ts";
import { startServices } from "./app/service-start.ts";
import { Surroundings } from "./app/surroundings.ts";
import { Tallies } from "./app/tallies.ts";
import { errorText, type Logger, settleSeries, systemClock } from "./base/index.ts";
import type { RunningServer } from "./cli/index.ts";
import type { Config } from "./config.ts";
import { AccessBook, AllowedHosts, EventHub, HttpServer, type Services } from "./http/index.ts";
import type { Logging } from "./log-setup.ts";
import { loadSecrets, openStore } from "./store/index.ts";
import { readVersion } from "./version.ts";
import { HandleCodec } from "./vfs/index.ts";

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
	const settings = new NetworkSettings(config, store.settings);
	const surroundings = new Surroundings(settings, log);
	undo.push(() => surroundings.stop());
	await surroundings.start();
	const ground = { config, store, log, surroundings };
	const library = await startLibrary(ground, undo);
	const registry = await startRegistry(ground, library, undo);
	const hub = new EventHub(log.child({ service: "http" }));
	const web = { port: config.httpPort };
	const imager = await readImagerSettings(config.dataDir);
	const parts = { ...ground, library, registry, settings, hub, tallies: new Tallies(), web, imager };
	const booting = await startBoot(parts, new HandleCodec(secrets.handleKey), undo);
	const services = await startServices(parts, booting, logging, undo);
	const http = await startHttp(ground, services, secrets.apiToken, undo);
	web.port = http.port;
	const { httpHost } = config;
	const isEverywhere = httpHost === "0.0.0.0" || httpHost === "::";
	return readyLine(isEverywhere ? surroundings.place.mainAddress : httpHost, http.port, http.createLoginCode());
}

/** The last: whoever is answered finds all else running. */
async function startHttp(
	{ config, store, log: root }: Ground,
	services: Services,
	token: string,
	undo: Undo[],
): Promise<HttpServer> {
	const { httpHost: host, httpPort: port, auth, trustedProxies } = config;
	const log = root.child({ service: "http" });
	const book = new AccessBook(store, systemClock, log, await store.tokens.list());
	const hosts = new AllowedHosts(config.allowedHosts, store);
	const access = { auth, token, book, audit: store.audit, hosts, trustedProxies };
	const http = new HttpServer({ host, port, ...access, version: readVersion(), services, log });
	undo.push(() => http.stop());
	await http.start().catch(async (error: unknown) => {
		throw await explainListenError("page and API", port, "--http-port", error);
	});
	return http;
}
