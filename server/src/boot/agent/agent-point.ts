/** The directory of a root that the agent's volume is mounted on. */
import { FileError, nameFromUtf8, whenReady } from "../../base/index.ts";
import { type FileTree, type Layer, resolvePath, type WritableFileTree } from "../../vfs/index.ts";
import { AGENT_FOLDER } from "./agent-files.ts";

/**
 * Patches make the directory; where a layer has an `/opt` of its own, it is made there as well.
 *
 * @param patched the root below the layer. @param tree the root as the device sees it.
 * @returns undefined where the system cannot run the agent, or something else stands in the way.
 */
export async function findAgentPoint(
	patched: FileTree,
	tree: WritableFileTree,
	layer: Layer | undefined,
): Promise<number | undefined> {
	if ((await whenReady(() => agentFolder(patched))) === undefined) return undefined;
	const found = await whenReady(() => agentFolder(tree));
	if (found !== undefined || layer === undefined) return found;
	try {
		await whenReady(() => layer.transaction(() => makeFolder(tree)));
	} catch (error) {
		// Of a root that is full, or has a file there, the rest is served all the same.
		if (!(error instanceof FileError)) throw error;
	}
	return whenReady(() => agentFolder(tree));
}

function agentFolder(tree: FileTree): number | undefined {
	const ino = resolvePath(tree, AGENT_FOLDER);
	return ino !== undefined && tree.getattr(ino).type === "directory" ? ino : undefined;
}

function makeFolder(tree: WritableFileTree): void {
	let path = "";
	let directory = tree.root;
	for (const name of AGENT_FOLDER.split("/").slice(1)) {
		path += `/${name}`;
		const there = resolvePath(tree, path);
		directory = there ?? tree.mkdir(directory, nameFromUtf8(name), { mode: 0o755, uid: 0, gid: 0 });
	}
}
