/** Puts the files that a firmware fetched into a folder, so that something else can go on with the boot. */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { BootError } from "./errors.ts";

/** @param prefix what is taken off the names: the serial with its slash. */
export async function saveFiles(folder: string, files: ReadonlyMap<string, Buffer>, prefix: string): Promise<void> {
	for (const [asked, content] of files) {
		const path = join(folder, plainName(asked, prefix));
		await mkdir(dirname(path), { recursive: true });
		await writeFile(path, content);
	}
}

/** The name without the serial and without doubled slashes. config.txt can name any file: none may lie outside of the folder. */
export function plainName(asked: string, prefix: string): string {
	const name = asked.startsWith(prefix) ? asked.slice(prefix.length) : asked;
	const parts = name.split("/").filter((part) => part !== "" && part !== ".");
	if (parts.length === 0 || parts.includes("..")) throw new BootError(`"${asked}" is not the name of a file`);
	return parts.join("/");
}
