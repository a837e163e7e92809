/** Whether the image has a Python that runs the agent, which writes disks. */
import { nameToUtf8 } from "../base/index.ts";
import { type FileTree, listDirectoryAt, resolvePath } from "../vfs/index.ts";
import { hasProgram } from "./inspect-os.ts";

/** The agent's path to it, in every image. */
const PROGRAM = "/usr/bin/python3";

/** Python 3.9: the oldest one that the agent runs with. */
const OLDEST_MINOR = 9;

/** Parts of the standard library that the agent needs, and that small systems may have left out. */
const MODULES = ["ctypes/__init__", "http/server", "json/__init__"];

/** @returns what the agent misses, as the beginning of a sentence; undefined where it runs. */
export function pythonLack(root: FileTree): string | undefined {
	if (!hasProgram(root, PROGRAM)) return "There is no python3";
	const minor = minorVersion(root);
	if (minor === undefined) return undefined;
	if (minor < OLDEST_MINOR) return `The image has Python 3.${minor}, which is older than 3.${OLDEST_MINOR}`;
	const library = `/usr/lib/python3.${minor}`;
	// Where it is one archive, or lies elsewhere, nothing speaks against it.
	if (resolvePath(root, library) === undefined) return undefined;
	const missing = MODULES.filter((module) => !hasModule(root, library, module));
	if (missing.length === 0) return undefined;
	return `The image's Python comes without ${missing.map((module) => module.replace(/\/.*/, "")).join(", ")}`;
}

/** Of the program, as the link says; else of the newest standard library that is there. */
function minorVersion(root: FileTree): number | undefined {
	const link = resolvePath(root, PROGRAM, { followLast: false });
	const target = link !== undefined && root.getattr(link).type === "symlink" ? root.readlink(link).toString() : "";
	const [, linked] = /python3\.(\d{1,3})$/.exec(target) ?? [];
	if (linked !== undefined) return Number(linked);
	const minors = listDirectoryAt(root, "/usr/lib").flatMap(({ name }) => {
		const [, minor] = /^python3\.(\d{1,3})$/.exec(nameToUtf8(name)) ?? [];
		return minor === undefined ? [] : [Number(minor)];
	});
	return minors.length === 0 ? undefined : Math.max(...minors);
}

/** Buildroot has the compiled files only. */
function hasModule(root: FileTree, library: string, module: string): boolean {
	return ["py", "pyc"].some((suffix) => resolvePath(root, `${library}/${module}.${suffix}`) !== undefined);
}
