/** Login: a stock image has neither a user nor a running sshd, so nobody could use the Pi that it boots. */
import { nameFromUtf8, nameToUtf8 } from "../../base/index.ts";
import { findShippedUnit, isUnitEnabled, isUnitMasked, parsePasswd, type UserFacts } from "../../images/index.ts";
import { type FileTree, listDirectoryAt, type Patch, readFileAt, readTextAt, resolvePath } from "../../vfs/index.ts";
import {
	addToGroup,
	addToGshadow,
	addToPasswd,
	addToShadow,
	freeId,
	groupId,
	hasPassword,
	type NewAccount,
	setPassword,
} from "./accounts.ts";
import { isDietPi } from "./dietpi.ts";
import type { PatchInput } from "./input.ts";
import {
	addDirectory,
	addFile,
	editFile,
	editOrAddFile,
	enableUnit,
	removeFile,
	writeFile,
	writeSymlink,
} from "./make.ts";

/** What the first user of Raspberry Pi OS belongs to; those that an image does not have are left out. */
const GROUPS = "adm dialout cdrom sudo audio video plugdev games users input render netdev lpadmin gpio i2c spi".split(
	" ",
);

export function loginPatches(input: PatchInput): Patch[] {
	const { authorizedKeys, user } = input.device;
	const servers = input.facts.init === "systemd" ? sshPatches(input) : openRcPatches(input);
	if (authorizedKeys.length === 0 && user?.passwordHash === undefined && user?.name === undefined) return servers;
	const account = loginAccount(input);
	return [...servers, ...accountPatches(input, account), ...keyPatches(input, account), ...sudoPatches(input, account)];
}

/** Who logs in. An account that is to be made has no line in passwd yet. */
interface LoginAccount {
	readonly user: UserFacts;
	readonly isNew: boolean;
}

/** Where the image's own passwd(5) does not say it. */
const ROOT: UserFacts = { name: "root", uid: 0, gid: 0, home: "/root", shell: "/bin/sh" };

/** A system without systemd and sudo, as Buildroot makes it, knows no user but root. */
function loginAccount({ root, facts, device }: PatchInput): LoginAccount {
	const passwd = readTextAt(root, "/etc/passwd") ?? "";
	const wanted = device.user?.name;
	const present = wanted === undefined ? facts.firstUser : userOf(passwd, wanted);
	if (present !== undefined) return { user: present, isNew: false };
	const isRootOnly = facts.init !== "systemd" && !facts.sudo && wanted === undefined;
	if (isRootOnly) return { user: userOf(passwd, "root") ?? ROOT, isNew: false };
	const name = wanted ?? "pi";
	const group = readTextAt(root, "/etc/group") ?? "";
	const uid = freeId(passwd, group);
	const shell = resolvePath(root, "/bin/bash") === undefined ? "/bin/sh" : "/bin/bash";
	return { user: { name, uid, gid: groupId(group, name) ?? uid, home: `/home/${name}`, shell }, isNew: true };
}

function userOf(passwd: string, name: string): UserFacts | undefined {
	return parsePasswd(passwd).find((user) => user.name === name);
}

function accountPatches({ root, device }: PatchInput, { user, isNew }: LoginAccount): Patch[] {
	const hash = device.user?.passwordHash;
	if (!isNew) {
		const why = `${user.name} gets the password that was set`;
		return hash === undefined ? [] : [editFile("/etc/shadow", why, (text) => setPassword(text, user.name, hash))];
	}
	const account: NewAccount = { ...user, passwordHash: hash, groups: GROUPS };
	const why = `the image has no user ${user.name}: it is made`;
	return [
		editFile("/etc/passwd", why, (text) => addToPasswd(text, account)),
		editOrAddFile("/etc/shadow", why, (text) => addToShadow(text, account), { mode: 0o640 }),
		editOrAddFile("/etc/group", why, (text) => addToGroup(text, account)),
		editFile("/etc/gshadow", why, (text) => addToGshadow(text, account)),
		addDirectory(user.home, `the home of ${user.name}`, { mode: 0o755, uid: user.uid, gid: user.gid }),
		...skeletonPatches(root, user),
	];
}

/** What `useradd -m` copies into a new home. */
function skeletonPatches(root: FileTree, { home, uid, gid }: UserFacts): Patch[] {
	return listDirectoryAt(root, "/etc/skel").flatMap((entry) => {
		const name = nameToUtf8(entry.name);
		const content = readFileAt(root, `/etc/skel/${name}`, 65_536);
		return content === undefined
			? []
			: [addFile(`${home}/${name}`, "a new home begins with /etc/skel", content, { uid, gid })];
	});
}

function keyPatches({ root, facts, device }: PatchInput, { user }: LoginAccount): Patch[] {
	if (!facts.sshServer || device.authorizedKeys.length === 0) return [];
	// Without sudo a user cannot become root, and a Pi that nobody can administer is of little use. DietPi is run as root.
	const needsRoot = user.name !== "root" && (!facts.sudo || isDietPi(root));
	const superuser = userOf(readTextAt(root, "/etc/passwd") ?? "", "root") ?? ROOT;
	return [
		...[user, ...(needsRoot ? [superuser] : [])].flatMap((who) => authorizedKeyPatches(who, device.authorizedKeys)),
		...(needsRoot || user.name === "root" ? [unlockedRoot()] : []),
	];
}

/** An account with `!` is locked: without PAM sshd takes no key for it. `*` is no password either, but is not locked. */
function unlockedRoot(): Patch {
	return editFile("/etc/shadow", "root may log in with a key", (text) => text.replace(/^root:!+\*?:/m, "root:*:"));
}

/** sshd's StrictModes: nobody else may write to the home, `.ssh` or the file. */
function authorizedKeyPatches({ name, uid, gid, home }: UserFacts, keys: readonly string[]): Patch[] {
	const why = `${name} logs in with your SSH keys`;
	const mode = name === "root" ? 0o700 : 0o755;
	// Small systems have the root directory for a home, which is there.
	const folder = home === "/" ? "" : home;
	return [
		...(folder === "" ? [] : [addDirectory(folder, `the home of ${name}`, { mode, uid, gid })]),
		addDirectory(`${folder}/.ssh`, why, { mode: 0o700, uid, gid }),
		editOrAddFile(`${folder}/.ssh/authorized_keys`, why, (text) => withKeys(text, keys), { mode: 0o600, uid, gid }),
	];
}

function withKeys(text: string, keys: readonly string[]): string {
	const present = new Set(text.split("\n").map((line) => line.trim()));
	const missing = keys.map(nameFromUtf8).filter((key) => !present.has(key));
	if (missing.length === 0) return text;
	return `${text === "" || text.endsWith("\n") ? text : `${text}\n`}${missing.join("\n")}\n`;
}

/** A user without a password can answer no question of sudo's. */
function sudoPatches({ root, facts, device }: PatchInput, { user, isNew }: LoginAccount): Patch[] {
	const shadow = readTextAt(root, "/etc/shadow") ?? "";
	const canAnswer = device.user?.passwordHash !== undefined || (!isNew && hasPassword(shadow, user.name));
	if (!facts.sudo || canAnswer) return [];
	const why = `${user.name} has no password, so sudo does not ask for one`;
	return [writeFile("/etc/sudoers.d/010_netboot", why, `${user.name} ALL=(ALL) NOPASSWD: ALL\n`, { mode: 0o440 })];
}

/** The units under which distributions have their SSH server; a socket that starts it will do. */
const SSH_UNITS = ["ssh.service", "ssh.socket", "sshd.service", "sshd.socket", "dropbear.service"];

/** OpenRC starts what its default runlevel has a link to; the numbered scripts of other inits start by being there. */
function openRcPatches({ root, facts }: PatchInput): Patch[] {
	if (facts.init !== "openrc") return [];
	const has = (path: string) => resolvePath(root, path, { followLast: false }) !== undefined;
	const script = ["sshd", "dropbear"].find((name) => has(`/etc/init.d/${name}`));
	if (script === undefined) return [];
	const path = `/etc/runlevels/default/${script}`;
	return has(path) ? [] : [writeSymlink(path, "the SSH server is switched on", `/etc/init.d/${script}`)];
}

function sshPatches({ root, facts }: PatchInput): Patch[] {
	if (!facts.sshServer) return [];
	const block = "/etc/ssh/sshd_not_to_be_run";
	const unblock = removeFile(block, "this file would keep sshd from starting");
	if (SSH_UNITS.some((unit) => isUnitEnabled(root, unit))) return [unblock];
	const [unit, file] = ["ssh.service", "sshd.service", "dropbear.service"]
		.map((name) => [name, findShippedUnit(root, name)] as const)
		.find(([, path]) => path !== undefined) ?? [undefined, undefined];
	if (unit === undefined || file === undefined) return [unblock];
	const why = "sshd is switched on: a stock image leaves it off";
	const unmask = isUnitMasked(root, unit) ? [removeFile(`/etc/systemd/system/${unit}`, why)] : [];
	return [unblock, ...unmask, enableUnit(unit, file, "multi-user.target", why)];
}
