/**
 * Run as a program on a host of the lab: `root-reader.ts ADDRESS EXPORT PATH...`. Prints what files of a root hold: JSON by path,
 * null for what is not there.
 */
import { withRoot } from "./nfs-root.ts";

const [address = "", exported = "", ...paths] = process.argv.slice(2);
const found: Record<string, string | null> = {};
await withRoot(address, exported, async (root) => {
	for (const path of paths) found[path] = (await root.readFile(path))?.toString("latin1") ?? null;
});
console.log(JSON.stringify(found));
