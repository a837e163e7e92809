/** What answers the page, the API and the agents, put together out of the rooms. */
import { fileURLToPath } from "node:url";
import { systemClock } from "../base/index.ts";
import { ownUrl } from "../config.ts";
import type { Services } from "../http/index.ts";
import type { Logging } from "../log-setup.ts";
import { readVersion } from "../version.ts";
import type { Booting } from "./boot-start.ts";
import { Bootstrap } from "./bootstrap-service.ts";
import { DeviceAnswers } from "./device-service.ts";
import { publishEvents } from "./events.ts";
import { ImageAnswers, type ImageSources, showCatalog } from "./image-service.ts";
import { startSources } from "./image-sources.ts";
import type { Parts, Undo } from "./parts.ts";
import { RootAnswers } from "./root-service.ts";
import { VirtualPis } from "./virtual-pis.ts";
import { publishWrites } from "./write-events.ts";
import { WriteAnswers } from "./write-service.ts";
import { startWriting } from "./write-start.ts";

const mainProgram = fileURLToPath(new URL("../main.ts", import.meta.url));

export async function startServices(
	parts: Parts,
	{ listeners, network, roots, macOf }: Booting,
	logging: Logging,
	undo: Undo[],
): Promise<Services> {
	const { config, store, log, registry, library, hub } = parts;
	const bootstrap = bootstrapOf(parts, macOf);
	const { dataDir, writesAtOnce: atOnce } = config;
	const common = { dataDir, atOnce, store, registry, library, log };
	const writing = await startWriting({ ...common, installed: bootstrap.keys }, undo);
	const writes = new WriteAnswers({ registry, ...writing });
	const devices = new DeviceAnswers(
		registry,
		(device) => roots.care.bytesOf(device),
		(device) => writes.agentOf(device),
		(device) => roots.gapsOf(device),
	);
	const sources = await startImageSources(parts, roots, undo);
	const images = new ImageAnswers(sources);
	const told = { hub, registry, devices, library, arrivals: sources.arrivals, images, logging };
	const answers = new RootAnswers({ registry, care: roots.care, store });
	answers.onDefaults = (data) => hub.publish({ type: "defaults", data });
	undo.push(publishEvents({ ...told, log: log.child({ service: "http" }) }));
	undo.push(publishWrites({ hub, ...writing, writes, registry, devices, clock: systemClock }));
	return {
		health: { health: () => listeners.report(readVersion()) },
		network,
		images,
		uploads: sources.uploads,
		catalog: { catalog: async () => showCatalog(await sources.catalog.list()) },
		devices,
		roots: answers,
		writes,
		agents: writing.desk,
		bootstrap,
		virtualPis: virtualPisOf(parts, undo),
		logs: logging.recent,
		counters: parts.tallies,
		events: hub,
	};
}

function bootstrapOf(
	{ store, registry, library, imager, surroundings, web }: Parts,
	macOf: Booting["macOf"],
): Bootstrap {
	const mainAddress = () => surroundings.place.mainAddress;
	const pis = { library, registry, settings: store.settings, imager, macOf, mainAddress };
	return new Bootstrap({ ...pis, port: () => web.port });
}

function startImageSources(
	{ config, library, registry, log }: Parts,
	roots: Booting["roots"],
	undo: Undo[],
): Promise<ImageSources> {
	const { imagesDir: folder, catalogUrl } = config;
	return startSources({ folder, catalogUrl, library, registry, roots, log: log.child({ service: "images" }) }, undo);
}

function virtualPisOf({ config, web, log }: Parts, undo: Undo[]): VirtualPis {
	const virtualPis = new VirtualPis({
		// In development the server is watched and started anew; a virtual Pi boots once.
		program: [process.execPath, ...process.execArgv.filter((flag) => !flag.startsWith("--watch")), mainProgram],
		url: () => ownUrl(config.httpHost, web.port),
		log: log.child({ service: "virtual" }),
	});
	undo.push(() => virtualPis.stop());
	return virtualPis;
}
