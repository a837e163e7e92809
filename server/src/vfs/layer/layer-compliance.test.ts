import { complianceSuite, type Subject } from "../compliance.ts";
import { fillTree } from "../compliance-source.ts";
import { MemoryTree } from "../memory-tree.ts";
import type { WritableFileTree } from "../tree.ts";
import { openLayer } from "./testing.ts";

function subject(base: MemoryTree, prepare: (tree: WritableFileTree) => void): Subject<WritableFileTree> {
	const { layer, close } = openLayer(base);
	const tree = layer.tree(1);
	prepare(tree);
	return { tree, close };
}

complianceSuite("a layer over nothing", () => subject(new MemoryTree(), fillTree));

complianceSuite("a layer over a filled tree", () => {
	const base = new MemoryTree();
	fillTree(base);
	return subject(base, () => undefined);
});
