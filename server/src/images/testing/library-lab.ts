/** A library of images on a folder that a test fills. */
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, afterEach } from "node:test";
import { ManualClock, whenReady } from "../../base/index.ts";
import { makePiImage, PI_ROOT } from "../../vfs/image/testing/images.ts";
import { readTextAt } from "../../vfs/index.ts";
import type { ImageFacts, InspectedTrees } from "../inspect-facts.ts";
import { ImageLibrary } from "../library.ts";
import type { ImageLibraryOptions } from "../library-options.ts";
import { MemoryImageRecords } from "../records.ts";
import type { BuiltImage } from "../shelf.ts";

export const work = fs.mkdtempSync(path.join(os.tmpdir(), "images-"));
/** Two images whose `/etc/which` says which of them it is. */
export const OLD = makePiImage(work, { name: "old", root: { ...PI_ROOT, "etc/which": "old" } });
export const NEW = makePiImage(work, { name: "new", root: { ...PI_ROOT, "etc/which": "new" } });
const running: ImageLibrary[] = [];

afterEach(async () => {
	for (const library of running.splice(0)) await library.stop();
});
after(() => fs.rmSync(work, { recursive: true }));

export interface Lab {
	readonly library: ImageLibrary;
	readonly clock: ManualClock;
	readonly folder: string;
	readonly told: string[];
	/** Lets time pass, and the library look. */
	pass(milliseconds: number): Promise<void>;
	/** Stops this library and starts another one on the same folder and records. */
	restart(): Promise<Lab>;
}

/** A library on a folder of its own, stopped after the test. */
export async function startLab(
	fill: (folder: string) => void = () => {},
	options: Partial<ImageLibraryOptions> = {},
): Promise<Lab> {
	const folder = options.folder ?? fs.mkdtempSync(path.join(work, "folder-"));
	fill(folder);
	const clock = options.clock instanceof ManualClock ? options.clock : new ManualClock(Date.now());
	let chosen: string | undefined;
	const set = async (id: string | undefined) => {
		chosen = id;
	};
	const defaults = { get: () => chosen, set };
	const records = new MemoryImageRecords();
	const all = { folder, clock, records, defaults, inspect, watch: false, ...options };
	const library = new ImageLibrary(all);
	const told: string[] = [];
	for (const event of ["added", "changed", "removed"] as const) {
		library.events.on(event, ({ id, state }) => told.push(`${event} ${id} ${state}`));
	}
	running.push(library);
	await library.start();
	const pass = async (milliseconds: number) => {
		clock.advance(milliseconds);
		await library.refresh();
	};
	const restart = async () => {
		await library.stop();
		return startLab(undefined, all);
	};
	return { library, clock, folder, told, pass, restart };
}

export function inspect(_trees: InspectedTrees): ImageFacts {
	const network = {
		networkManager: false,
		networkd: false,
		dhcpcd: false,
		ifupdown: false,
		udhcpc: false,
		networkdInstalled: false,
	};
	return {
		init: "systemd",
		network: { ...network, netplan: false, cloudInit: false },
		sshServer: true,
		sudo: true,
		python3: true,
		kernels: [],
		models: [],
		findings: [{ code: "said", severity: "info", message: "It was looked at." }],
	};
}

/** Root may read everything: for a while it is somebody else, for whom the test's folder is open. */
export function withoutRights(): Disposable {
	if (process.geteuid?.() !== 0) return { [Symbol.dispose]() {} };
	fs.chmodSync(work, 0o777);
	process.setegid?.(65_534);
	process.seteuid?.(65_534);
	return {
		[Symbol.dispose]() {
			process.seteuid?.(0);
			process.setegid?.(0);
		},
	};
}

/** Puts an image there that nobody has touched for an hour. */
export function place(from: string, to: string): void {
	fs.mkdirSync(path.dirname(to), { recursive: true });
	fs.copyFileSync(from, to);
	const hourAgo = new Date(Date.now() - 3_600_000);
	fs.utimesSync(to, hourAgo, hourAgo);
}

/** Which of the two an image is. */
export function which(image: BuiltImage | undefined): Promise<string | undefined> {
	const root = image?.build.trees().root;
	assert.ok(root !== undefined);
	return whenReady(() => readTextAt(root.tree, "/etc/which"));
}

export function ids(library: ImageLibrary): string[] {
	return library.list().map(({ id }) => id);
}
