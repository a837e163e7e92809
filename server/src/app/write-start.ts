/** Puts the room of writes together: packs, agents, jobs. */
import { statfs } from "node:fs/promises";
import { join } from "node:path";
import { AgentInventory } from "@pi-netboot/api";
import { errorText, type Logger, systemClock } from "../base/index.ts";
import type { DeviceRegistry } from "../devices/index.ts";
import type { ImageLibrary } from "../images/index.ts";
import { systemSource } from "../net/index.ts";
import type { Store } from "../store/index.ts";
import {
	AgentBook,
	AgentDesk,
	AgentGate,
	type AgentKeys,
	bootKeys,
	type Inventory,
	PackShelf,
	type WritableBuild,
	WriteError,
	WriteJobs,
} from "../writes/index.ts";
import { Neighbourhood } from "./neighbourhood.ts";

export interface WriteParts {
	readonly dataDir: string;
	readonly atOnce: number;
	readonly store: Store;
	readonly registry: DeviceRegistry;
	readonly library: ImageLibrary;
	/** Agents that came with no boot of ours. */
	readonly installed: AgentKeys;
	readonly log: Logger;
}

export interface Writing {
	readonly jobs: WriteJobs;
	readonly agents: AgentBook;
	readonly desk: AgentDesk;
}

/** Of the room that is left on the disk of the data, packs that no write needs may take so much at the start. */
const SHARE_OF_DISK = 0.25;

/** Takes up the writes that were not over. @param undo is told how to stop. */
export async function startWriting(parts: WriteParts, undo: (() => unknown)[]): Promise<Writing> {
	const { dataDir, store, registry, library, atOnce } = parts;
	const log = parts.log.child({ service: "writes" });
	const clock = systemClock;
	const { bavail, bsize } = await statfs(dataDir);
	// After a start it takes a while until it is known which build an image has: until then it may be any.
	const isKnown = (key: string) =>
		library.list().some(({ buildId, state }) => buildId === key || (buildId === null && state === "importing"));
	const rule = { isKnown, isInUse: (key: string) => jobs.needs(key), mostBytes: bavail * bsize * SHARE_OF_DISK };
	const packs = await PackShelf.open(join(dataDir, "packs"), { rule });
	undo.push(() => packs.close());
	const tidy = () => {
		packs.tidy().catch((error: unknown) => log.warn(`packs that nobody needs were not removed: ${errorText(error)}`));
	};
	const agents = new AgentBook({ store, registry, clock, parse: parseInventory });
	undo.push(() => agents.stop());
	const imageOf = (id: string | null) => writableBuild(library, id);
	const jobs = new WriteJobs({ store, registry, agents, packs, imageOf, atOnce: () => atOnce, clock, log });
	undo.push(() => jobs.stop());
	await agents.start();
	await jobs.start();
	// Not before: which packs the writes need is only known now.
	library.events.on("removed", tidy);
	undo.push(() => library.events.off("removed", tidy));
	const neighbours = new Neighbourhood(clock, systemSource);
	const macOf = (address: string) => neighbours.macOf(address);
	const ofBoots = bootKeys(registry);
	const keys: AgentKeys = (agentId) => ofBoots(agentId) ?? parts.installed(agentId);
	const gate = new AgentGate({ keys, registry, macOf, clock });
	return { jobs, agents, desk: new AgentDesk({ gate, book: agents, jobs, packs, log }) };
}

/** What an earlier version stored may lack something: then it is as if nothing was said. */
function parseInventory(text: string): Inventory | undefined {
	return AgentInventory.safeParse(JSON.parse(text)).data;
}

/** @returns undefined while it is arriving. @throws WriteError `image-not-found`, `image-not-ready`. */
function writableBuild(library: ImageLibrary, imageId: string | null): WritableBuild | undefined {
	const id = imageId ?? library.defaultId;
	const image = id === undefined ? undefined : library.get(id);
	if (image === undefined) {
		const message = id === undefined ? "There is no image yet." : `There is no image "${id}".`;
		throw new WriteError("image-not-found", message, "`pi-netboot images` lists them.");
	}
	const { name, state } = image;
	const built = library.choose(image.id);
	if (built === undefined || !built.build.isWhole) {
		if (state === "importing") return undefined;
		throw new WriteError("image-not-ready", `${name} cannot be read.`, "`pi-netboot images` says why.");
	}
	const { source, id: buildId, path } = built.build;
	if (source !== undefined) return { id: image.id, name, size: source.size, buildId, path };
	const hint = "Choose an image that is one file, like raspios.img.xz.";
	throw new WriteError("image-not-ready", `${name} boots from several files; it is no image of a whole disk.`, hint);
}
