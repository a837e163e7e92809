/** The kernel's command line, as far as it says where the root is. */
import { isIPv4 } from "node:net";
import { BootError } from "./errors.ts";

export interface NfsRootOptions {
	readonly server: string;
	readonly path: string;
	readonly nfsPort: number | undefined;
	readonly mountPort: number | undefined;
	readonly rsize: number | undefined;
	readonly readWrite: boolean;
}

/** What klibc's `nfsmount` understands; it stops at anything else. */
const KLIBC_VALUES = new Set(
	"port nfsvers vers rsize wsize timeo retrans acregmin acregmax acdirmin acdirmax".split(" "),
);
const KLIBC_FLAGS = new Set(
	"soft hard intr nointr posix noposix cto nocto ac noac lock nolock acl noacl v2 v3 udp tcp broken_suid ro rw".split(
		" ",
	),
);

/** fs/nfs/nfsroot.c */
const MAX_KERNEL_OPTIONS = 256;

/**
 * @param reader who reads it: the kernel itself, or `nfsmount` in an initramfs.
 * @throws BootError when this reader would not mount a root over NFSv3 and TCP with it.
 */
export function parseNfsRoot(cmdline: string, reader: "kernel" | "klibc"): NfsRootOptions {
	const words = cmdline.split(/\s+/).filter((word) => word !== "");
	const parameter = (name: string) => words.findLast((word) => word.startsWith(`${name}=`))?.slice(name.length + 1);
	const root = parameter("root");
	if (root !== "/dev/nfs") throw new BootError(`the command line has root=${root ?? ""}, not the root on the network`);
	if (reader === "kernel" && parameter("ip") === undefined) {
		throw new BootError("the command line has no ip=: the kernel would not ask for an address");
	}
	const nfsroot = parameter("nfsroot");
	const [, server, path, options = ""] = /^([\d.]+):(\/[^,]*)(?:,(.*))?$/.exec(nfsroot ?? "") ?? [];
	if (server === undefined || path === undefined || !isIPv4(server)) {
		throw new BootError(`the command line has nfsroot=${nfsroot ?? ""}, expected ADDRESS:/PATH`);
	}
	const mount = parseOptions(options, reader);
	const mode = words.findLast((word) => word === "rw" || word === "ro");
	return {
		server,
		path,
		nfsPort: mount.get("port"),
		mountPort: mount.get("mountport"),
		rsize: mount.get("rsize"),
		readWrite: mode === "rw",
	};
}

function parseOptions(text: string, reader: "kernel" | "klibc"): Map<string, number> {
	if (reader === "kernel" && text.length > MAX_KERNEL_OPTIONS) {
		throw new BootError(`nfsroot= has options of ${text.length} characters; the kernel takes ${MAX_KERNEL_OPTIONS}`);
	}
	const words = text.split(",").filter((word) => word !== "");
	const values = new Map<string, number>();
	for (const word of words) {
		const [name = "", value] = word.split("=", 2);
		if (reader === "klibc" && !(value === undefined ? KLIBC_FLAGS : KLIBC_VALUES).has(name)) {
			throw new BootError(`nfsmount: bad option '${word}'`);
		}
		if (value !== undefined && /^\d+$/.test(value)) values.set(name, Number(value));
	}
	checkVersion(words, values, reader);
	return values;
}

/** A Pi's kernel begins with "vers=2,tcp,rsize=4096,wsize=4096"; nfsmount begins with version 3 and TCP. */
function checkVersion(words: readonly string[], values: ReadonlyMap<string, number>, reader: "kernel" | "klibc"): void {
	const stock = reader === "kernel" ? 2 : 3;
	const version = values.get("vers") ?? values.get("nfsvers") ?? (words.includes("v3") ? 3 : stock);
	if (version !== 3) throw new BootError(`nfsroot= leads to NFS version ${version}; version 3 needs vers=3`);
	if (words.includes("udp")) throw new BootError("nfsroot= asks for UDP");
}
