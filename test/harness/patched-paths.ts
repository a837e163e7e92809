/** Which paths of an image are not what they are in the image, by the server's own account. */
import { generateKeyPairSync } from "node:crypto";
import { whenReady } from "../../server/src/base/index.ts";
import { patchesFor } from "../../server/src/boot/patches/index.ts";
import { inspectImage } from "../../server/src/images/index.ts";
import { ImageBuild, PatchedTree } from "../../server/src/vfs/index.ts";

function hostKeys(): string[] {
	const pairs = [generateKeyPairSync("ed25519"), generateKeyPairSync("ec", { namedCurve: "P-256" })];
	return pairs.map(({ privateKey }) => privateKey.export({ type: "pkcs8", format: "pem" }).toString());
}

/** The paths that are changed for a device with this MAC, whose mode is `persistent` and for which no login key is known. */
export async function patchedPaths(image: string, mac: string): Promise<string[]> {
	const build = await ImageBuild.open(image);
	try {
		const { root, boot, bootMount, table } = build.trees();
		if (root === undefined) throw new Error(`${image} has no root`);
		const facts = await whenReady(() => inspectImage({ root: root.tree, boot: boot?.tree, bootMount, table }));
		const device = {
			hostname: "raspberrypi-0001",
			machineId: "0123456789abcdef0123456789abcdef",
			sshHostKeys: hostKeys(),
			authorizedKeys: [],
			mac,
		};
		const tree = await whenReady(() => {
			const input = { root: root.tree, boot: boot?.tree, bootMount, facts, device, mode: "persistent" as const };
			return new PatchedTree(root.tree, patchesFor(input));
		});
		return [...new Set(tree.applied.map(({ path }) => path))];
	} finally {
		await build.close();
	}
}
