/** The place of this machine, and who else gives out addresses there; both change while the server runs. */
import { type Logger, systemClock } from "../base/index.ts";
import type { NetworkSettings } from "./network-settings.ts";
import { OtherServers } from "./other-servers.ts";
import { Place } from "./place.ts";

/** Who follows the changes. */
export interface Follower {
	readonly mode: "proxy" | "full" | "off";
	/** The addresses of this machine are others. */
	moved(): void;
	/** Something is another than before. */
	changed(): void;
}

export class Surroundings {
	readonly place: Place;
	readonly others: OtherServers;
	/** There from the moment when there is somebody to be told. */
	follower: Follower | undefined;

	constructor(settings: NetworkSettings, log: Logger) {
		const common = { clock: systemClock, log: log.child({ service: "network" }) };
		this.place = new Place({
			...common,
			wish: settings.choice,
			isStrict: settings.isPlaceGiven,
			onMove: () => this.follower?.moved(),
			onChange: () => this.follower?.changed(),
		});
		this.others = new OtherServers({
			...common,
			ownAddresses: () => this.place.ownAddresses,
			onAsked: () => this.#asked(),
		});
	}

	/** @throws ExternalError when the interface or the address that the start was told is not there. */
	async start(): Promise<void> {
		await this.place.start();
	}

	stop(): void {
		this.others.stop();
		this.place.stop();
	}

	get dhcpMode(): Follower["mode"] {
		return this.follower?.mode ?? "proxy";
	}

	#asked(): void {
		const givers = this.others.list.filter(({ givesAddresses }) => givesAddresses);
		this.place.sawDhcpServers(givers.map(({ address }) => address));
		this.follower?.changed();
	}
}
