/** The forms that patches come in. Text is handled as bytes (latin1), so that what we do not touch stays as it is. */
import type { Patch, PatchFile } from "../../vfs/index.ts";

interface Ownership {
	readonly mode?: number;
	readonly uid?: number;
	readonly gid?: number;
}

/** A file with this content, whatever was there. */
export function writeFile(path: string, why: string, text: string | Buffer, owner: Ownership = {}): Patch {
	const content = typeof text === "string" ? Buffer.from(text, "utf8") : text;
	const { mode = 0o644, uid = 0, gid = 0 } = owner;
	return { path, why, change: () => ({ type: "file", content, mode, uid, gid }) };
}

/** The same, where there is nothing yet. */
export function addFile(path: string, why: string, content: Buffer, owner: Ownership = {}): Patch {
	const { mode = 0o644, uid = 0, gid = 0 } = owner;
	const file: PatchFile = { type: "file", content, mode, uid, gid };
	return { path, why, change: (below) => (below === undefined ? file : undefined) };
}

/** Another text for a file that is there; owner and mode stay. `edit` gives the same text to leave it alone. */
export function editFile(path: string, why: string, edit: (text: string) => string): Patch {
	return {
		path,
		why,
		change(below) {
			if (below?.type !== "file") return undefined;
			const text = below.content.toString("latin1");
			const edited = edit(text);
			return edited === text ? undefined : { ...below, content: Buffer.from(edited, "latin1") };
		},
	};
}

/** As `editFile`, and a file that is missing is made from the empty text. */
export function editOrAddFile(path: string, why: string, edit: (text: string) => string, owner: Ownership = {}): Patch {
	const editing = editFile(path, why, edit);
	const { mode = 0o644, uid = 0, gid = 0 } = owner;
	const made = (): PatchFile => ({ type: "file", content: Buffer.from(edit(""), "latin1"), mode, uid, gid });
	return { path, why, change: (below) => (below === undefined ? made() : editing.change(below)) };
}

export function writeSymlink(path: string, why: string, target: string): Patch {
	return { path, why, change: () => ({ type: "symlink", target }) };
}

/** A directory, where there is nothing yet. */
export function addDirectory(path: string, why: string, owner: Ownership = {}): Patch {
	const { mode = 0o755, uid = 0, gid = 0 } = owner;
	return { path, why, change: (below) => (below === undefined ? { type: "directory", mode, uid, gid } : undefined) };
}

export function removeFile(path: string, why: string): Patch {
	return { path, why, change: (below) => (below === undefined ? undefined : "remove") };
}

/** systemd.unit(5): a unit file that is a link to /dev/null is masked: nothing can start it. */
export function maskUnit(unit: string, why: string): Patch {
	return writeSymlink(`/etc/systemd/system/${unit}`, why, "/dev/null");
}

/** Starts a unit with `target`, as `systemctl enable` does. @param file where the unit's own file is. */
export function enableUnit(unit: string, file: string, target: string, why: string): Patch {
	return writeSymlink(`/etc/systemd/system/${target}.wants/${unit}`, why, file);
}

/** Settings laid over a unit's own. */
export function unitDropIn(unit: string, why: string, text: string): Patch {
	return writeFile(`/etc/systemd/system/${unit}.d/netboot.conf`, why, text);
}
