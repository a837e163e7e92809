/** A stock image with the patches of a device over it. */
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { inspectImage } from "../../images/index.ts";
import { TABLE } from "../../images/testing/stock.ts";
import { type Entries, makeTree } from "../../images/testing/tree.ts";
import { PatchedTree, readTextAt, resolvePath } from "../../vfs/index.ts";
import { type DeviceIdentity, patchesFor, type RootMode } from "../patches/index.ts";

const PEM = { type: "pkcs8", format: "pem" } as const;

export const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIG me@home";

export const DEVICE: DeviceIdentity = {
	hostname: "pi-7f3a",
	machineId: "0123456789abcdef0123456789abcdef",
	sshHostKeys: [generateKeyPairSync("ed25519").privateKey.export(PEM).toString()],
	authorizedKeys: [KEY],
	mac: "DC:A6:32:01:02:03",
};

export interface PatchedImage {
	readonly root: Entries;
	readonly boot?: Entries;
	readonly device?: Partial<DeviceIdentity>;
	readonly mode?: RootMode;
}

/** The root as the device sees it. Every patch found its place. */
export function patchedTree(image: PatchedImage): PatchedTree {
	const root = makeTree(image.root);
	const boot = makeTree(image.boot ?? {});
	const bootMount = "/boot/firmware";
	// Patches go by what the root tells; kernels would have to be waited for.
	const facts = inspectImage({ root, bootMount, table: TABLE });
	const device = { ...DEVICE, ...image.device };
	const patches = patchesFor({ root, boot, bootMount, facts, device, mode: image.mode ?? "persistent" });
	for (const patch of patches) assert.match(patch.why, /\S{2}/);
	const tree = new PatchedTree(root, patches);
	assert.deepEqual(tree.skipped, []);
	return tree;
}

/** The text of a file of that root; "" when there is none. */
export function patchedText(image: PatchedImage, path: string): string {
	return readTextAt(patchedTree(image), path) ?? "";
}

/** Where a link leads, or undefined when there is none at this path. */
export function linkTarget(tree: PatchedTree, path: string): string | undefined {
	const ino = resolvePath(tree, path, { followLast: false });
	return ino === undefined || tree.getattr(ino).type !== "symlink" ? undefined : tree.readlink(ino).toString();
}

/** Mode and owner of a file: `600 0:0`. */
export function ownership(tree: PatchedTree, path: string): string | undefined {
	const ino = resolvePath(tree, path, { followLast: false });
	if (ino === undefined) return undefined;
	const { mode, uid, gid } = tree.getattr(ino);
	return `${mode.toString(8)} ${uid}:${gid}`;
}
