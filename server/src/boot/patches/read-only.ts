/** A read-only root, shared by several Pis: what must be written at run time goes to memory, and is gone at power-off. */
import { hasUnit } from "../../images/index.ts";
import { type FileTree, type Patch, resolvePath } from "../../vfs/index.ts";
import type { PatchInput } from "./input.ts";
import { addDirectory, editOrAddFile, maskUnit, writeSymlink } from "./make.ts";

/** Directories that services write to. Not /home and /var/spool: what lies there in the image is meant to be used. */
const VOLATILE = [
	"/tmp",
	"/var/tmp",
	"/var/log",
	"/var/cache",
	"/var/lib/alsa",
	"/var/lib/bluetooth",
	"/var/lib/dhcp",
	"/var/lib/dhcpcd",
	"/var/lib/lightdm",
	"/var/lib/logrotate",
	"/var/lib/NetworkManager",
	"/var/lib/private",
	"/var/lib/sudo",
	"/media",
];

/** Made where they are missing, because systemd's own services fail when they cannot make them. */
const SYSTEMD_STATE = ["backlight", "coredump", "rfkill", "timesync"].map((name) => `/var/lib/systemd/${name}`);

/** Jobs that write to the root at some hour, and would fail then. */
const WRITERS = [
	"apt-daily.timer",
	"apt-daily-upgrade.timer",
	"dpkg-db-backup.timer",
	"man-db.timer",
	"e2scrub_all.timer",
	"fake-hwclock-save.timer",
];

export function readOnlyPatches(input: PatchInput): Patch[] {
	const { root, facts, mode } = input;
	if (mode !== "read-only") return [];
	return [
		...memoryPatches(root),
		...WRITERS.filter((unit) => hasUnit(root, unit)).map((unit) =>
			maskUnit(unit, `the root is read-only: ${unit} would fail`),
		),
		...(facts.network.networkManager ? [resolvConf()] : []),
	];
}

/** Where systemd does not start the rest, these directories are all. */
export function readOnlyMemoryPatches({ root, mode }: PatchInput): Patch[] {
	return mode === "read-only" ? memoryPatches(root) : [];
}

function memoryPatches(root: FileTree): Patch[] {
	const hasState = isDirectory(root, "/var/lib/systemd");
	const present = VOLATILE.filter((path) => isDirectory(root, path));
	const why = "the root is read-only: this is kept in memory";
	const lines = [...present, ...(hasState ? SYSTEMD_STATE : [])].map((path) => tmpfsLine(root, path));
	return [
		...(hasState ? SYSTEMD_STATE.map((path) => addDirectory(path, why)) : []),
		editOrAddFile(
			"/etc/fstab",
			why,
			(text) => `${text === "" || text.endsWith("\n") ? text : `${text}\n`}${lines.join("")}`,
		),
	];
}

/** A directory of its own: a link would lead the mount to another place. */
function isDirectory(root: FileTree, path: string): boolean {
	const ino = resolvePath(root, path, { followLast: false });
	return ino !== undefined && root.getattr(ino).type === "directory";
}

function tmpfsLine(root: FileTree, path: string): string {
	const ino = resolvePath(root, path);
	const { mode, uid, gid } = ino === undefined ? { mode: 0o755, uid: 0, gid: 0 } : root.getattr(ino);
	return `tmpfs ${path} tmpfs nosuid,nodev,mode=${mode.toString(8).padStart(4, "0")},uid=${uid},gid=${gid} 0 0\n`;
}

/** NetworkManager writes the name servers under /run in any case. */
function resolvConf(): Patch {
	const why = "the root is read-only: the name servers stand in /run";
	const link = writeSymlink("/etc/resolv.conf", why, "/run/NetworkManager/resolv.conf");
	return { ...link, change: (below) => (below?.type === "symlink" ? undefined : link.change(below)) };
}
