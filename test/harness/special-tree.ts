/** Files of every kind that a root file system has, and of some that are rare. Needs root, and setcap. */
import fs from "node:fs";
import { join } from "node:path";
import { must } from "./command.ts";

/** The longest name there is; 85 letters that are three bytes each. */
const LONGEST = "漢".repeat(85);

const NAMES = ["Größe ß.txt", "naïve café", "日本語", "emoji 🥧", " blanks ", "quote'\"\\back", "-dash", LONGEST];

/** Behind it, a path is longer than the 100 bytes of tar's oldest header, and than the 256 of ustar's. */
const DEEP = ["d".repeat(90), "e".repeat(90), "f".repeat(90), "g".repeat(90)];

/** Fills `folder/special` and `folder/dev`. */
export async function fillSpecialTree(folder: string): Promise<void> {
	const at = (...names: string[]) => join(folder, "special", ...names);
	fs.mkdirSync(at("names"), { recursive: true });
	for (const name of NAMES) fs.writeFileSync(at("names", name), name);
	fs.mkdirSync(at(...DEEP), { recursive: true });
	fs.writeFileSync(at(...DEEP, "bottom"), "deep");
	fs.symlinkSync(`/${"target/".repeat(60)}end`, at("long-link"));
	fs.symlinkSync("../../../../etc/passwd", at("link-out"));
	fs.symlinkSync("nowhere", at("dangling"));
	fs.mkdirSync(at("empty"));
	fs.writeFileSync(at("nothing"), "");
	fs.writeFileSync(at("first"), "one file, three names");
	for (const name of ["second", "names/third"]) fs.linkSync(at("first"), at(name));
	const holes = fs.openSync(at("holes"), "w");
	for (const offset of [0, 1_000_000, 3_000_000]) fs.writeSync(holes, `at ${offset}`, offset);
	fs.ftruncateSync(holes, 4_000_000);
	fs.closeSync(holes);
	fs.mkdirSync(join(folder, "dev"));
	const nodes = ["c 1 3", "c 5 1", "b 179 2", "b 259 300"];
	for (const [index, node] of nodes.entries())
		await must(["mknod", join(folder, `dev/node${index}`), ...node.split(" ")]);
	await must(["mkfifo", at("fifo")]);
	fs.writeFileSync(at("capable"), "#!");
	await must(["setcap", "cap_net_raw+ep", at("capable")], {
		environment: { PATH: `${process.env.PATH}:/usr/sbin:/sbin` },
	});
	owners(at);
	// What stands in a directory is made by now.
	times(at);
}

function owners(at: (...names: string[]) => string): void {
	const files: [name: string, mode: number, uid: number, gid: number][] = [
		["setuid", 0o4755, 0, 0],
		["setgid", 0o2755, 0, 42],
		["secret", 0o600, 1000, 1000],
		["none", 0, 65_534, 65_534],
		["large-ids", 0o644, 2_000_000, 3_000_000_000],
	];
	for (const [name, mode, uid, gid] of files) {
		fs.writeFileSync(at(name), name);
		fs.chownSync(at(name), uid, gid);
		fs.chmodSync(at(name), mode);
	}
	fs.mkdirSync(at("sticky"));
	fs.chmodSync(at("sticky"), 0o1777);
	fs.mkdirSync(at("private"));
	fs.chownSync(at("private"), 1000, 1000);
	fs.chmodSync(at("private"), 0o700);
	fs.lchownSync(at("dangling"), 1000, 1001);
}

function times(at: (...names: string[]) => string): void {
	fs.utimesSync(at("nothing"), 1, 1);
	// In 2037: mke2fs copies none that is later.
	fs.utimesSync(at("secret"), 2_114_380_800, 2_114_380_800);
	// A fraction that a double holds.
	fs.utimesSync(at("setuid"), 1_700_000_000.25, 1_700_000_000.25);
	fs.utimesSync(at("empty"), 1_600_000_000, 1_600_000_000);
}
