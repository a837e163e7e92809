/**
 * The kernel's command line for a root on the network. Pure: the Pi's user edits `cmdline.txt`, we add the root when the
 * file is asked for.
 */
import { isIPv4 } from "node:net";
import { BugError } from "../base/index.ts";

/** What the command line must say about this boot. */
export interface NetbootRoot {
	readonly serverIp: string;
	/** Absolute, of the characters `A-Z a-z 0-9 . _ / -` only. */
	readonly exportPath: string;
	readonly mode: "rw" | "ro";
	/** Whether an initramfs stays: its `nfsmount` understands fewer options than the kernel. */
	readonly initramfs: boolean;
	readonly nfsPort: number;
	/** Two letters; undefined leaves what the image says. */
	readonly wifiCountry?: string | undefined;
	/** Used without an initramfs only; with one, MOUNT is found through the portmapper on port 111. */
	readonly mountPort: number;
}

const NFS_PORT = 2049;

/** fs/nfs/nfsroot.c takes no more than this of `nfsroot=`. */
const MAX_NFSROOT = 256;

/** Parameters that say where the root is, by name. */
const ROOT_NAMES = new Set([
	"root",
	"rootfstype",
	"rootflags",
	"rootwait",
	"rootdelay",
	"ro",
	"rw",
	"nfsroot",
	"nfsaddrs",
	"ip",
	"boot",
	"resize",
	"resume",
	"resume_offset",
]);

/** For the driver built in and, as modprobe reads it there too, for the module: Raspberry Pi OS sets it here as well. */
const WIFI_COUNTRY = "cfg80211.ieee80211_regdom";

/**
 * Rewrites a command line so that the kernel, or the initramfs, takes its root from us. What the user wrote stays, except
 * for what names another root, checks or resizes a disk, or runs a first-boot program that needs one.
 *
 * @param original the content of `cmdline.txt`; the firmware takes its first line.
 * @returns one line of ASCII with a newline at its end.
 * @throws BugError when our own export path cannot stand in a command line.
 */
export function netbootCmdline(original: string, boot: NetbootRoot): string {
	const [line = ""] = original.split(/[\r\n\0]/, 1);
	const words = splitCmdline(toAscii(line)).map(closeQuote);
	// Behind `--` stand arguments for init: ours must come before it.
	const end = words.includes("--") ? words.indexOf("--") : words.length;
	const country = boot.wifiCountry === undefined ? [] : [`${WIFI_COUNTRY}=${boot.wifiCountry}`];
	const isReplaced = (word: string) => country.length > 0 && word.startsWith(`${WIFI_COUNTRY}=`);
	const kept = words.slice(0, end).filter((word) => !namesAnotherRoot(word) && !isReplaced(word));
	return `${[...kept, ...country, ...rootWords(boot), ...words.slice(end)].join(" ")}\n`;
}

/**
 * The words of a kernel command line. Blanks divide them, except between double quotes, which may stand anywhere in a
 * word (lib/cmdline.c, next_arg); an open quote reaches to the end.
 */
export function splitCmdline(line: string): string[] {
	return line.match(/(?:"[^"]*(?:"|$)|[^\s"])+/g) ?? [];
}

/** An open quote would swallow the words that come behind it now. */
function closeQuote(word: string): string {
	return word.split('"').length % 2 === 0 ? `${word}"` : word;
}

/** The kernel takes bytes, the firmware and the consoles ASCII: what is neither is made visible, not dropped. */
function toAscii(text: string): string {
	return text.replace(/[^\t\x20-\x7e]/gu, "?");
}

function namesAnotherRoot(word: string): boolean {
	const [name = ""] = word.replace(/"/g, "").split("=", 1);
	if (ROOT_NAMES.has(name) || name.startsWith("fsck.") || name.startsWith("systemd.run")) return true;
	// Imager's first-boot script comes as systemd.run= with the unit that runs it in place of the system.
	if (name === "systemd.unit") return word.includes("kernel-command-line.target");
	return name === "init" && /firstboot|resize/.test(word);
}

function rootWords(boot: NetbootRoot): string[] {
	return ["root=/dev/nfs", nfsroot(boot), boot.mode, "ip=dhcp", "rootwait"];
}

/**
 * `nfsroot=` that klibc's nfsmount and the kernel both take: the kernel would begin with NFSv2 and 4 KiB; klibc knows no
 * `mountport=`, and a word that it does not know makes it give up. Without an initramfs the two ports save the kernel the
 * portmapper.
 */
function nfsroot(boot: NetbootRoot): string {
	const options = ["vers=3", "tcp", "nolock", "rsize=65536", "wsize=65536"];
	if (!boot.initramfs) options.push(`port=${boot.nfsPort}`, `mountport=${boot.mountPort}`);
	else if (boot.nfsPort !== NFS_PORT) options.push(`port=${boot.nfsPort}`);
	const value = `${boot.serverIp}:${boot.exportPath},${options.join(",")}`;
	if (!isIPv4(boot.serverIp) || !/^\/[A-Za-z0-9._/-]*$/.test(boot.exportPath) || value.length > MAX_NFSROOT) {
		throw new BugError(`boot: ${value} cannot stand in nfsroot=, expected IPv4:/path of at most ${MAX_NFSROOT} bytes`);
	}
	return `nfsroot=${value}`;
}
