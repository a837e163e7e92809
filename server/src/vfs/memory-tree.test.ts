import { complianceSuite } from "./compliance.ts";
import { fillTree } from "./compliance-source.ts";
import { MemoryTree } from "./memory-tree.ts";

complianceSuite("MemoryTree", () => {
	const tree = new MemoryTree();
	fillTree(tree);
	return { tree };
});
