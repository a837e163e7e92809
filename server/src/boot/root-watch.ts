/** What the use of a root tells of its boot: that it is in use, that an init system is at work, that its image is gone. */
import { BlockFault, type Clock, errorText, type Logger } from "../base/index.ts";
import type { DeviceRegistry } from "../devices/index.ts";
import type { NfsNode } from "../wire/nfs3/index.ts";
import type { OpenRoot } from "./open-root.ts";
import type { RootKeeper } from "./root-keeper.ts";

export interface RootWatchOptions {
	readonly registry: DeviceRegistry;
	readonly roots: RootKeeper;
	readonly clock: Clock;
	readonly log: Logger;
}

/** What is told, the boot aside. */
type RootFact =
	| { readonly kind: "nfs" | "os-release"; readonly bytes: number }
	| { readonly kind: "image-changed"; readonly failure: string | undefined };

/** How often a device that reads its root says so to the stages. */
const FACT_MS = 15_000;

export class RootWatch {
	readonly #options: RootWatchOptions;

	constructor(options: RootWatchOptions) {
		this.#options = options;
	}

	/** A boot begins with this root: the first use of `/etc/os-release` will tell that an init system is at work. */
	mounted(open: OpenRoot): void {
		open.signs.isWatched = true;
		try {
			open.signs.osRelease = open.osRelease();
		} catch (error) {
			this.#lookAgain(open, error);
		}
	}

	/** The root is used by a connection for the first time, maybe since the server was started again. */
	opened(open: OpenRoot): void {
		if (!open.signs.isWatched) this.mounted(open);
		this.#seeImage(open);
	}

	/** What cannot be found only leaves a stage untold. */
	#lookAgain(open: OpenRoot, error: unknown): void {
		if (error instanceof BlockFault) {
			void error.ready.then(() => {
				if (!open.isClosed) this.mounted(open);
			});
		} else {
			this.#options.log.debug(`/etc/os-release is not watched: ${errorText(error)}`);
		}
	}

	/** A file of it is used: this is on the way of every call. @param now as the clock's `monotonic` has it. */
	used(open: OpenRoot, node: NfsNode, now: number): void {
		const { signs } = open;
		if (node.ino === signs.osRelease && node.tree === open.root.root.tree) {
			signs.osRelease = undefined;
			this.#tell(open, { kind: "os-release", bytes: signs.bytesRead });
		} else if (now - signs.toldAt >= FACT_MS) {
			this.#tell(open, { kind: "nfs", bytes: signs.bytesRead });
		}
		if (!open.isImageValid) this.#seeImage(open);
	}

	#seeImage(open: OpenRoot): void {
		if (open.isImageValid || open.signs.saidChanged) return;
		open.signs.saidChanged = true;
		this.#tell(open, { kind: "image-changed", failure: open.imageFailure });
	}

	#tell(open: OpenRoot, fact: RootFact): void {
		const { registry, roots, clock } = this.#options;
		open.signs.toldAt = clock.monotonic();
		if ("bytes" in fact) open.signs.bytesRead = 0;
		const device = registry.byKey(open.deviceKey);
		const boot = roots.bootOf(open.id);
		if (device !== undefined && boot !== undefined) registry.fact(device, { ...fact, bootId: boot.id });
	}
}
