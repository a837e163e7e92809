/**
 * The whole root of a Pi, as NFS shows it, and the folder that it was made from, in the same words. As a program on a host of
 * the lab (`root-tree.ts ADDRESS EXPORT`) it prints the former as JSON: path and facts of each file.
 */
import { createHash } from "node:crypto";
import fs from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { NfsRoot } from "../../simulator/src/nfs-root.ts";
import { must } from "./command.ts";
import { type Lab, SERVER_ADDRESS } from "./lab.ts";
import { withRoot } from "./nfs-root.ts";
import type { FileFacts, TreeFacts } from "./tree-facts.ts";

const S_IF = { 1: 0o100000, 2: 0o040000, 3: 0o060000, 4: 0o020000, 5: 0o120000, 6: 0o140000, 7: 0o010000 } as const;

const sum = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");

async function lookAt(root: NfsRoot, path: string, found: [string, FileFacts][]): Promise<void> {
	const it = await root.look(path);
	if (it === undefined) throw new Error(`${path} is listed, but not there`);
	const [kind = 0] = Object.entries(S_IF)
		.filter(([type]) => Number(type) === it.type)
		.map(([, bits]) => bits);
	const content = kind === S_IF[1] ? sum((await root.readFile(path)) ?? Buffer.alloc(0)) : it.target;
	found.push([
		`.${path}`,
		{
			mode: (kind | it.mode).toString(8),
			owner: `${it.uid}:${it.gid}`,
			links: String(it.nlink),
			size: String(it.size),
			mtime: `${it.mtime[0]}.${String(it.mtime[1]).padStart(9, "0")}`,
			device: it.rdev.join(":"),
			ino: `${it.fsid}:${it.fileid}`,
			content,
		},
	]);
	if (kind !== S_IF[2]) return;
	for (const name of await root.list(path === "" ? "/" : path)) await lookAt(root, `${path}/${name}`, found);
}

/** As Linux puts the two numbers together, where they are below 4096 and 2^20. */
function deviceOf(rdev: bigint): string {
	return `${(rdev >> 8n) & 0xfffn}:${(rdev & 0xffn) | ((rdev >> 12n) & 0xfff00n)}`;
}

/** A folder of the host, in the words of `readTreeFacts`; times with nanoseconds. */
export function hostTree(folder: string, path = ""): TreeFacts {
	const at = join(folder, path);
	const stats = fs.lstatSync(at, { bigint: true });
	const { mode, uid, gid, nlink, size, mtimeNs, rdev, ino } = stats;
	const isDevice = stats.isBlockDevice() || stats.isCharacterDevice();
	const target = () => (stats.isSymbolicLink() ? fs.readlinkSync(at) : "");
	const facts = {
		mode: mode.toString(8),
		owner: `${uid}:${gid}`,
		links: String(nlink),
		size: String(size),
		mtime: `${mtimeNs / 1_000_000_000n}.${String(mtimeNs % 1_000_000_000n).padStart(9, "0")}`,
		device: isDevice ? deviceOf(rdev) : "0:0",
		ino: String(ino),
		content: stats.isFile() ? sum(fs.readFileSync(at)) : target(),
	};
	const below = stats.isDirectory()
		? fs.readdirSync(at).flatMap((name) => [...hostTree(folder, `${path}/${name}`)])
		: [];
	return new Map([[`.${path}`, facts], ...below]);
}

/** The root of a Pi that has booted. @param host of the lab, at the Pi's place on the cable and with its address. */
export async function nfsTree(lab: Lab, host: string, exported: string): Promise<TreeFacts> {
	const program = fileURLToPath(import.meta.url);
	const command = ["timeout", "60", process.execPath, program, SERVER_ADDRESS, exported];
	return new Map(JSON.parse(await must(lab.on(host, command), { timeout: 70_000 })));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	const [, , address = "", exported = ""] = process.argv;
	const found: [string, FileFacts][] = [];
	await withRoot(address, exported, (root) => lookAt(root, "", found));
	console.log(JSON.stringify(found));
}
