/**
 * For `folders.test.ts`: uses a folder as somebody who is not root. Prints what `prepareFolder` says of it, or `taken`. What it
 * needs is read before the rights go: others may not be allowed to read this clone.
 */
import { prepareFolder } from "./folders.ts";

const [path = "", isWritten = ""] = process.argv.slice(2);
if (process.getuid?.() === 0) {
	process.setgroups?.([]);
	process.setgid?.(65_534);
	process.setuid?.(65_534);
}
try {
	await prepareFolder(path, { flag: "--data", mode: 0o700, isWritten: isWritten === "written" });
	process.stdout.write("taken");
} catch (error) {
	process.stdout.write(error instanceof Error ? error.message : String(error));
}
