/** Pis that run from an address which this machine had and lost: a mount does not follow. */
import type { Logger } from "../base/index.ts";
import type { BootBook } from "./boots.ts";
import type { DeviceState } from "./device.ts";
import type { DeviceDirectory } from "./directory.ts";
import type { ProgressBook } from "./progress.ts";

export interface ServerMovesParts {
	readonly boots: BootBook;
	readonly directory: DeviceDirectory;
	readonly progress: ProgressBook;
	readonly log: Logger;
}

export class ServerMoves {
	readonly #parts: ServerMovesParts;

	constructor(parts: ServerMovesParts) {
		this.#parts = parts;
	}

	/** This machine has these addresses now. @param main what a Pi that boots now would be told; undefined while there is none. */
	serverAt(addresses: readonly string[], main: string | undefined): void {
		const { boots, directory, progress } = this.#parts;
		for (const { id: bootId, deviceKey, server: from, mountedAt } of boots.all()) {
			const device = directory.byKey(deviceKey);
			if (device === undefined || from === null || mountedAt === null || from.startsWith("127.")) continue;
			const hadLost = progress.hasLostServer(device);
			const hasLost = !addresses.includes(from);
			if (hasLost) progress.fact(device, { kind: "server-moved", bootId, from, to: main });
			else if (hadLost) progress.fact(device, { kind: "server-back", bootId });
			if (hasLost && !hadLost) this.#say(device, from, main);
		}
	}

	#say({ id, name }: DeviceState, from: string, main: string | undefined): void {
		const now = main === undefined ? "this machine lost" : `this machine has ${main} and no longer has`;
		this.#parts.log.warn({ device: id }, `${name} runs from ${from}, and ${now} that address`);
	}
}
