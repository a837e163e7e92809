import { nameToUtf8 } from "../base/index.ts";
import { readingSuite } from "./compliance.ts";
import { BYTE_NAME, fillTree, find, findParent, fullSource, type SourceEntry } from "./compliance-source.ts";
import { MemoryTree } from "./memory-tree.ts";
import type { Patch, PatchFile } from "./patch.ts";
import { PatchedTree } from "./patched-tree.ts";

readingSuite("PatchedTree without patches", () => {
	const base = new MemoryTree();
	fillTree(base);
	return { tree: new PatchedTree(base, []) };
});

/** What patches can make: no devices, no hard links, names in UTF-8. */
function canBePatched({ path, type, linkTo }: SourceEntry): boolean {
	const isLinked = linkTo !== undefined || fullSource.some((other) => other.linkTo === path);
	return !isLinked && !path.includes(BYTE_NAME) && (type === "file" || type === "symlink" || path === "vacant");
}

function patchFor({ path, type, mode, content, target }: SourceEntry): Patch {
	const owner = { mode, uid: 0, gid: 0 };
	let file: PatchFile = { type: "directory", ...owner };
	if (type === "file") file = { type, content: content ?? Buffer.alloc(0), ...owner };
	else if (type === "symlink") file = { type, target: target ?? "" };
	return { path: `/${nameToUtf8(path)}`, why: "test", change: () => file };
}

readingSuite("PatchedTree that adds, changes and removes", () => {
	const base = new MemoryTree();
	const patched = fullSource.filter(canBePatched);
	fillTree(
		base,
		fullSource.filter((entry) => !canBePatched(entry)),
	);
	// Every other one is there already, as something else.
	for (const { path } of patched.filter((_, index) => index % 2 === 0)) {
		const [parent, name] = findParent(base, path);
		base.symlink(parent, name, Buffer.from("wrong"), { mode: 0o777, uid: 9, gid: 9 });
	}
	const superfluous = ["superfluous", "directory/superfluous", "crowd/superfluous"];
	for (const path of superfluous) base.mkdir(...findParent(base, path), { mode: 0o755, uid: 0, gid: 0 });
	base.create(find(base, "superfluous"), "inside", { mode: 0o644, uid: 0, gid: 0 });
	const removals = superfluous.map((path): Patch => ({ path: `/${path}`, why: "test", change: () => "remove" }));
	return { tree: new PatchedTree(base, [...patched.map(patchFor), ...removals]) };
});
