/**
 * A patch makes a stock image run from the network without changing it: it is a function of the file below it, and its
 * result stands between the image and a device's layer, so what the Pi writes itself shadows it.
 */

/** What a patch sees below it, and what it can put there. */
export type PatchFile =
	| {
			readonly type: "file";
			readonly content: Buffer;
			readonly mode: number;
			readonly uid: number;
			readonly gid: number;
	  }
	| { readonly type: "symlink"; readonly target: string }
	| { readonly type: "directory"; readonly mode: number; readonly uid: number; readonly gid: number };

/** One path and what becomes of it. */
export interface Patch {
	/** Absolute, in UTF-8, without symbolic links on the way: `/etc/fstab`. Missing parents are made (root, 0755). */
	readonly path: string;
	/** One sentence for the person who asks what we changed: "fstab mounts PARTUUID=...: replaced". */
	readonly why: string;
	/**
	 * Given what is there (undefined: nothing), says what shall be: a file, `"remove"`, or undefined to leave it alone.
	 * Must be a pure function: it is called again after a restart and must give the same.
	 */
	change(below: PatchFile | undefined): PatchFile | "remove" | undefined;
}
