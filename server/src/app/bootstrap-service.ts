/** How an agent comes onto a Pi that was not booted from here: the script, and a secret of its own. */
import { randomBytes } from "node:crypto";
import { NetbootError } from "../base/index.ts";
import { agentConfig, type ImagerSettings, installScript } from "../boot/index.ts";
import type { DeviceRegistry } from "../devices/index.ts";
import type { BootstrapService, ImageBytes } from "../http/index.ts";
import type { ImageLibrary } from "../images/index.ts";
import type { InstalledAgent, SettingRepository } from "../store/index.ts";
import type { AgentKeys } from "../writes/index.ts";
import { openImageBytes } from "./image-bytes.ts";

export interface BootstrapParts {
	readonly library: Pick<ImageLibrary, "list" | "choose">;
	readonly registry: Pick<DeviceRegistry, "byMac" | "introduce">;
	readonly settings: Pick<SettingRepository, "get" | "set">;
	readonly imager: ImagerSettings;
	/** The MAC behind an address of the LAN. */
	readonly macOf: (address: string) => Promise<string | undefined>;
	readonly mainAddress: () => string;
	readonly port: () => number;
}

/** More Pis than a network has; the oldest goes. */
const MOST_AGENTS = 1000;

export class Bootstrap implements BootstrapService {
	readonly #parts: BootstrapParts;
	/** Settles when the last agent was kept. */
	#keeping: Promise<unknown> = Promise.resolve();

	constructor(parts: BootstrapParts) {
		this.#parts = parts;
	}

	/** Where Pis find this server. */
	get url(): string {
		return `http://${this.#parts.mainAddress()}:${this.#parts.port()}`;
	}

	installScript(server: string): string {
		return installScript(server);
	}

	/** @throws NetbootError conflict when the machine is not on a network of ours, or there are too many devices. */
	async introduce(address: string, server: string): Promise<object> {
		const { registry, macOf, imager } = this.#parts;
		const mac = await macOf(address);
		if (mac === undefined) {
			throw new NetbootError(
				"conflict",
				`${address} is not on a network of this server: its hardware address is not known.`,
				{
					hint: "Connect the Pi to the server's own network, without a router between them.",
				},
			);
		}
		if ((await registry.introduce(mac)) === undefined) {
			throw new NetbootError("conflict", "There are more devices than this server keeps.");
		}
		const agent = await this.#keep(mac);
		const url = new URL(server);
		return agentConfig({ agentId: agent.id, secret: agent.secret, server: url.origin, address: url.hostname }, imager);
	}

	/** One after the other: each change is made from what the one before has left. */
	#keep(mac: string): Promise<InstalledAgent> {
		const kept = this.#keeping.then(() => this.#add(mac));
		this.#keeping = kept.catch(() => undefined);
		return kept;
	}

	async #add(mac: string): Promise<InstalledAgent> {
		const agent = { id: randomBytes(8).toString("hex"), secret: randomBytes(32).toString("hex"), mac };
		const others = this.#installed.filter((other) => other.mac !== mac).slice(1 - MOST_AGENTS);
		await this.#parts.settings.set("installedAgents", [...others, agent]);
		return agent;
	}

	/** Whose the agents are that were installed. */
	readonly keys: AgentKeys = (agentId) => {
		const agent = this.#installed.find(({ id }) => id === agentId);
		const device = agent && this.#parts.registry.byMac(agent.mac);
		return agent && device && { secret: agent.secret, device, bootId: agent.id };
	};

	image(name: string): Promise<ImageBytes | undefined> {
		return openImageBytes(this.#parts.library, name);
	}

	get #installed(): readonly InstalledAgent[] {
		return this.#parts.settings.get("installedAgents") ?? [];
	}
}
