/** Disk images out of the layouts that the tests beside the code use: a table of paths for the root, one for the boot volume. */
import {
	chmodSync,
	chownSync,
	cpSync,
	mkdirSync,
	mkdtempSync,
	renameSync,
	rmSync,
	symlinkSync,
	writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { makeDiskImage, makeExtImage, makeFatImage } from "../../server/src/disk/testdata/index.ts";
import type { Entries, Entry } from "../../server/src/images/testing/tree.ts";

export interface Layout {
	/** The image is called `NAME.img`. */
	readonly name: string;
	/** Undefined: the image has no second partition's file system to speak of. */
	readonly root: Entries | undefined;
	readonly boot: Entries;
	/** A folder that is copied into the root first: programs that run. */
	readonly base?: string;
	/** As mke2fs takes it; 24M if not given. */
	readonly rootSize?: string;
}

/** The folders that the image was made from. */
export interface LayoutImage {
	readonly boot: string;
	readonly root: string;
}

/** Makes the image in a folder, which may be the server's own: it appears there whole. Its sources stay in `work`. Needs root. */
export function makeLayoutImage(folder: string, work: string, layout: Layout): LayoutImage {
	const place = mkdtempSync(join(work, `${layout.name}-`));
	const [boot, root] = [join(place, "boot"), join(place, "root")];
	mkdirSync(boot);
	mkdirSync(root);
	if (layout.base !== undefined) cpSync(layout.base, root, { recursive: true, verbatimSymlinks: true });
	for (const [path, entry] of Object.entries(layout.root ?? {})) write(join(root, path), entry);
	for (const [path, entry] of Object.entries(layout.boot)) write(join(boot, path), entry);
	const fat = makeFatImage(place, { sizeKiB: 64 * 1024, sourceDir: boot });
	const ext = makeExtImage(place, { size: layout.rootSize ?? "24M", sourceDir: root });
	if (layout.root === undefined) writeFileSync(ext, Buffer.alloc(1024 * 1024));
	const made = makeDiskImage(place, { boot: fat, root: ext, table: "mbr" });
	rmSync(fat);
	rmSync(ext);
	renameSync(made, join(folder, `${layout.name}.img`));
	return { boot, root };
}

function write(path: string, entry: Entry): void {
	mkdirSync(dirname(path), { recursive: true });
	if (typeof entry === "string" || Buffer.isBuffer(entry)) writeFileSync(path, entry);
	else if ("link" in entry) {
		rmSync(path, { force: true });
		symlinkSync(entry.link, path);
	} else if ("directory" in entry) {
		mkdirSync(path, { recursive: true });
		chmodSync(path, entry.mode ?? 0o755);
	} else {
		writeFileSync(path, entry.text);
		chownSync(path, entry.uid ?? 0, entry.gid ?? 0);
		chmodSync(path, entry.mode ?? 0o644);
	}
}
