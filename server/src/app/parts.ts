/** What the steps of the start hand on to each other. */
import type { Logger } from "../base/index.ts";
import type { ImagerSettings } from "../boot/index.ts";
import type { Config } from "../config.ts";
import type { DeviceRegistry } from "../devices/index.ts";
import type { EventHub } from "../http/index.ts";
import type { ImageLibrary } from "../images/index.ts";
import type { Store } from "../store/index.ts";
import type { NetworkSettings } from "./network-settings.ts";
import type { Surroundings } from "./surroundings.ts";
import type { Tallies } from "./tallies.ts";

/** What is undone at the stop, the last first. */
export type Undo = () => unknown;

/** What is there before anything is served. */
export interface Ground {
	readonly config: Config;
	readonly store: Store;
	readonly log: Logger;
	readonly surroundings: Surroundings;
}

export interface Parts extends Ground {
	readonly library: ImageLibrary;
	readonly registry: DeviceRegistry;
	readonly settings: NetworkSettings;
	readonly hub: EventHub;
	readonly tallies: Tallies;
	/** The port that HTTP will have, and then has. */
	readonly web: { readonly port: number };
	readonly imager: ImagerSettings;
}
