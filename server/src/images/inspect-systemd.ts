/** What systemd would find in a root: its unit files, and which of them start at boot. */
import { nameToUtf8 } from "../base/index.ts";
import { type FileTree, listDirectoryAt, resolvePath } from "../vfs/index.ts";

/** Where units lie, in the order in which systemd prefers them; the last is where Debian had them before /usr was merged. */
const UNIT_DIRECTORIES = [
	"/etc/systemd/system",
	"/usr/local/lib/systemd/system",
	"/usr/lib/systemd/system",
	"/lib/systemd/system",
];

/** The path of a unit's file, or undefined when it is not installed. A link, also one to /dev/null, counts as its file. */
export function findUnit(root: FileTree, unit: string): string | undefined {
	return UNIT_DIRECTORIES.map((directory) => `${directory}/${unit}`).find(
		(path) => resolvePath(root, path, { followLast: false }) !== undefined,
	);
}

/** The path of the file that a distribution ships for a unit: what links under /etc point at. */
export function findShippedUnit(root: FileTree, unit: string): string | undefined {
	return UNIT_DIRECTORIES.slice(1)
		.map((directory) => `${directory}/${unit}`)
		.find((path) => resolvePath(root, path) !== undefined);
}

/** Whether a unit is installed, as a unit file or as an init script that systemd makes a unit of. */
export function hasUnit(root: FileTree, unit: string): boolean {
	const script = `/etc/init.d/${unit.replace(/\.service$/, "")}`;
	return findUnit(root, unit) !== undefined || resolvePath(root, script) !== undefined;
}

/** Whether something pulls a unit in at boot: a link in a `.wants` or `.requires` directory, of the system or of a package. */
export function isUnitEnabled(root: FileTree, unit: string): boolean {
	if (isUnitMasked(root, unit)) return false;
	return UNIT_DIRECTORIES.some((directory) =>
		listDirectoryAt(root, directory)
			.map((entry) => nameToUtf8(entry.name))
			.filter((name) => /\.(wants|requires)$/.test(name))
			.some((name) => resolvePath(root, `${directory}/${name}/${unit}`, { followLast: false }) !== undefined),
	);
}

/** The names of all unit files that end in `suffix`, wherever they lie. */
export function unitsOfType(root: FileTree, suffix: string): string[] {
	const names = UNIT_DIRECTORIES.flatMap((directory) => listDirectoryAt(root, directory)).map(({ name }) =>
		nameToUtf8(name),
	);
	return [...new Set(names.filter((name) => name.endsWith(suffix)))].sort();
}

/** Whether a unit is masked: its file under /etc is a link to /dev/null, or empty. */
export function isUnitMasked(root: FileTree, unit: string): boolean {
	const ino = resolvePath(root, `/etc/systemd/system/${unit}`, { followLast: false });
	if (ino === undefined) return false;
	const { type, size } = root.getattr(ino);
	return type === "symlink" ? root.readlink(ino).toString() === "/dev/null" : type === "file" && size === 0;
}
