/** Which system is in a root: its name, what it is compiled for, how it starts, and who logs in. */
import { type FileTree, readTextAt, resolvePath } from "../vfs/index.ts";
import type { Architecture, ImageFacts, OperatingSystemFacts, UserFacts } from "./inspect-facts.ts";
import { toldText } from "./inspect-told.ts";

/** Characters of a value of os-release; the longest that is known has some sixty. */
const MOST_VALUE = 100;

/** The system's name and version, or undefined when the root does not say. */
export function inspectOs(root: FileTree): OperatingSystemFacts | undefined {
	const text = readTextAt(root, "/etc/os-release") ?? readTextAt(root, "/usr/lib/os-release");
	if (text === undefined) return undefined;
	const release = parseOsRelease(text);
	const isRaspberryPiOs = resolvePath(root, "/etc/rpi-issue") !== undefined;
	const codename = release.get("VERSION_CODENAME");
	const version = release.get("VERSION_ID");
	const architecture = inspectArchitecture(root);
	const plainName = release.get("PRETTY_NAME") ?? release.get("NAME") ?? "Linux";
	return {
		id: isRaspberryPiOs ? "raspios" : (release.get("ID") ?? "linux"),
		name: isRaspberryPiOs ? `Raspberry Pi OS${codename === undefined ? "" : ` (${codename})`}` : plainName,
		...(version !== undefined && { version }),
		...(codename !== undefined && { codename }),
		...(architecture !== undefined && { architecture }),
	};
}

/** os-release(5): `NAME=value` lines, values quoted as the shell does. */
function parseOsRelease(text: string): Map<string, string> {
	const values = new Map<string, string>();
	for (const line of text.split("\n")) {
		const match = /^\s*([A-Z][A-Z0-9_]*)=(.*)$/.exec(line);
		if (match === null) continue;
		const value = (match[2] ?? "").trim().replace(/^(["'])(.*)\1$/, "$2");
		values.set(match[1] ?? "", toldText(value.replace(/\\([\\"'$`])/g, "$1"), MOST_VALUE));
	}
	return values;
}

/** `e_machine` of an ELF header: 16 bits at offset 18, in the byte order that byte 5 names. */
const ELF_MACHINES: Readonly<Record<number, Architecture>> = {
	3: "i386",
	40: "arm",
	62: "amd64",
	183: "arm64",
	243: "riscv64",
};

/** What the programs of a root are compiled for, read from one that every root has. */
function inspectArchitecture(root: FileTree): Architecture | undefined {
	for (const path of ["/bin/sh", "/sbin/init", "/bin/busybox", "/usr/bin/dash"]) {
		const ino = resolvePath(root, path);
		if (ino === undefined || root.getattr(ino).type !== "file") continue;
		const header = Buffer.alloc(20);
		if (root.read(ino, 0, header) < 20 || header.toString("latin1", 0, 4) !== "\x7fELF") continue;
		return ELF_MACHINES[header[5] === 2 ? header.readUInt16BE(18) : header.readUInt16LE(18)];
	}
	return undefined;
}

/** What the kernel starts as process 1. */
export function inspectInit(root: FileTree): ImageFacts["init"] {
	const ino = resolvePath(root, "/sbin/init") ?? resolvePath(root, "/init");
	if (ino === undefined) return "none";
	if (ino === resolvePath(root, "/lib/systemd/systemd") || ino === resolvePath(root, "/usr/lib/systemd/systemd")) {
		return "systemd";
	}
	if (resolvePath(root, "/sbin/openrc") !== undefined && resolvePath(root, "/etc/runlevels") !== undefined)
		return "openrc";
	if (ino === resolvePath(root, "/bin/busybox")) return "busybox";
	return resolvePath(root, "/etc/inittab") === undefined ? "other" : "sysvinit";
}

/** uids of people: login.defs(5) UID_MIN and UID_MAX, as every distribution for the Pi has them. */
const UID_MIN = 1000;
const UID_MAX = 60_000;

/** The user of Raspberry Pi OS desktop that runs the first-boot dialog; nobody logs in as that one. */
const WIZARD = "rpi-first-boot-wizard";

/** The person's account: the lowest uid from 1000 on that has a shell. */
export function inspectFirstUser(root: FileTree): UserFacts | undefined {
	const users = parsePasswd(readTextAt(root, "/etc/passwd") ?? "");
	return users
		.filter((user) => user.uid >= UID_MIN && user.uid <= UID_MAX && user.name !== WIZARD)
		.filter((user) => !/\/(nologin|false|sync)$/.test(user.shell))
		.sort((a, b) => a.uid - b.uid)[0];
}

/** passwd(5): name:password:uid:gid:gecos:home:shell. Lines that are not of this form are left out. */
export function parsePasswd(text: string): UserFacts[] {
	const users: UserFacts[] = [];
	for (const line of text.split("\n")) {
		const [name = "", , uid = "", gid = "", , home = "", shell] = line.split(":");
		if (shell === undefined || !/^\d{1,10}$/.test(uid) || !/^\d{1,10}$/.test(gid)) continue;
		if (!/^[a-z_][a-z0-9_.-]*\$?$/i.test(name) || !isPlainPath(home)) continue;
		users.push({ name, uid: Number(uid), gid: Number(gid), home, shell: shell === "" ? "/bin/sh" : shell });
	}
	return users;
}

/** `/`, or names behind single slashes, none of which leads up again. */
function isPlainPath(path: string): boolean {
	return /^\/([^/\0]{1,255}(\/[^/\0]{1,255})*)?$/.test(path) && !/\/\.\.?(\/|$)/.test(path);
}

/** Whether one of these paths is a file that root may execute. */
export function hasProgram(root: FileTree, ...paths: string[]): boolean {
	return paths.some((path) => {
		const ino = resolvePath(root, path);
		if (ino === undefined) return false;
		const { type, mode } = root.getattr(ino);
		return type === "file" && (mode & 0o111) !== 0;
	});
}
