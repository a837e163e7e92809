/**
 * The agent's folder on a Pi: a read-only volume of its own, mounted on the root. Files in the root would be shadowed by what
 * a Pi wrote over them in an earlier boot; here it always finds this server's program, and the secret of its boot.
 */
import type { Attributes, Clock, DirectoryEntry, FileSystemStatistics } from "../../base/index.ts";
import type { Boot } from "../../devices/index.ts";
import { type FileTree, MemoryTree } from "../../vfs/index.ts";
import { bootConfig, type ImagerSettings } from "./agent-config.ts";
import { AGENT_PROGRAM, agentProgram } from "./agent-files.ts";

/** Beside those of the image's volumes. */
export const AGENT_FSID = 3;

/** What the config.json of each boot is made of. */
export interface AgentPlace {
	readonly httpPort: () => number;
	readonly settings: ImagerSettings;
}

const README = `These files come from the netboot server: this version of the program, and a config.json that is made for
each boot. They cannot be changed here; imager.json in the server's data folder sets what config.json says.
`;

export class AgentVolume implements FileTree {
	readonly #place: AgentPlace;
	readonly #boot: () => Boot | undefined;
	readonly #clock: Clock;
	#made: { readonly bootId: string | undefined; readonly tree: MemoryTree };

	/** @param boot the newest boot of the root that this is mounted on: another one has another secret. */
	constructor(place: AgentPlace, boot: () => Boot | undefined, clock: Clock) {
		this.#place = place;
		this.#boot = boot;
		this.#clock = clock;
		this.#made = { bootId: undefined, tree: this.#make(undefined) };
	}

	get root(): number {
		return this.#made.tree.root;
	}

	getattr(ino: number): Attributes {
		return this.#tree().getattr(ino);
	}

	generation(ino: number): number {
		return this.#tree().generation(ino);
	}

	lookup(directory: number, name: string): number {
		return this.#tree().lookup(directory, name);
	}

	parent(directory: number): number {
		return this.#tree().parent(directory);
	}

	readlink(ino: number): Buffer {
		return this.#tree().readlink(ino);
	}

	read(ino: number, offset: number, target: Uint8Array): number {
		return this.#tree().read(ino, offset, target);
	}

	readdir(directory: number, cookie: number, visit: (entry: DirectoryEntry) => boolean): boolean {
		return this.#tree().readdir(directory, cookie, visit);
	}

	statfs(): FileSystemStatistics {
		return this.#tree().statfs();
	}

	#tree(): MemoryTree {
		const boot = this.#boot();
		if (boot?.id !== this.#made.bootId) this.#made = { bootId: boot?.id, tree: this.#make(boot) };
		return this.#made.tree;
	}

	/** Each file has the same number in all of them. */
	#make(boot: Boot | undefined): MemoryTree {
		const tree = new MemoryTree({ fsid: AGENT_FSID, clock: this.#clock });
		const add = (name: string, mode: number, content: Buffer) =>
			tree.write(tree.create(tree.root, name, { mode, uid: 0, gid: 0 }), 0, content);
		add(AGENT_PROGRAM, 0o755, agentProgram);
		add("README", 0o644, Buffer.from(README));
		if (boot === undefined) return tree;
		const config = bootConfig(boot, this.#place.httpPort(), this.#place.settings);
		add("config.json", 0o600, Buffer.from(config));
		return tree;
	}
}
