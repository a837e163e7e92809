/** Layers in a folder of their own, for tests. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FileTree } from "../tree.ts";
import { Layer, type LayerOptions, type LayerVolume } from "./layer.ts";

/** Where waiting for the disk takes no time, if there is such a place. */
const FOLDER = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

/** Room enough for the inodes of any base that a test makes. */
export const MAX_BASE_INO = 0x4fff_ffff;

export interface TestLayer {
	readonly layer: Layer;
	readonly path: string;
	/** Closes the layer, unless the test did, and removes its folder. */
	close(): void;
	/** Closes the layer; its files stay. */
	shut(): void;
	/** Closes the layer if it is open, and opens it again. */
	reopen(): Layer;
}

/** One volume, number 1, with the semantics of POSIX. */
export function openLayer(
	base: FileTree,
	volume: Partial<LayerVolume> = {},
	options: Partial<LayerOptions> = {},
): TestLayer {
	const folder = mkdtempSync(join(FOLDER, "layer-"));
	const path = join(folder, "layer");
	const volumes: LayerVolume[] = [{ fsid: 1, base, semantics: "posix", maxBaseIno: MAX_BASE_INO, ...volume }];
	const open = () => Layer.open({ path, volumes, ...options });
	let layer = open();
	let isOpen = true;
	const shut = () => {
		if (!isOpen) return;
		isOpen = false;
		layer.close();
	};
	return {
		get layer() {
			return layer;
		},
		path,
		shut,
		close() {
			shut();
			rmSync(folder, { recursive: true });
		},
		reopen() {
			shut();
			layer = open();
			isOpen = true;
			return layer;
		},
	};
}
