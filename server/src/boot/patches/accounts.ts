/** The four files that make an account, edited together. See passwd(5), shadow(5), group(5), gshadow(5). Pure. */

import type { UserFacts } from "../../images/index.ts";

export interface NewAccount extends UserFacts {
	/** A crypt(3) hash, or undefined for no password: then only a key lets one in. */
	readonly passwordHash: string | undefined;
	/** Groups that it joins, where they exist. */
	readonly groups: readonly string[];
}

/** "No hash of a password can be this", which, other than `!`, does not lock the account for keys. */
const NO_PASSWORD = "*";

/** Days since 1970 at which the password was set: any but 0, which would ask for a new one at once. */
const PASSWORD_DAY = 19_000;

export function addToPasswd(text: string, { name, uid, gid, home, shell }: NewAccount): string {
	return hasName(text, name) ? text : appendLine(text, `${name}:x:${uid}:${gid}:,,,:${home}:${shell}`);
}

export function addToShadow(text: string, { name, passwordHash }: NewAccount): string {
	if (hasName(text, name)) return passwordHash === undefined ? text : setPassword(text, name, passwordHash);
	return appendLine(text, `${name}:${passwordHash ?? NO_PASSWORD}:${PASSWORD_DAY}:0:99999:7:::`);
}

/** A group of its own, unless there is one of that name, and a member of the others. */
export function addToGroup(text: string, account: NewAccount): string {
	const joined = joinGroups(text, account);
	return hasName(text, account.name) ? joined : appendLine(joined, `${account.name}:x:${account.gid}:`);
}

export function addToGshadow(text: string, account: NewAccount): string {
	const joined = joinGroups(text, account);
	return hasName(text, account.name) ? joined : appendLine(joined, `${account.name}:!::`);
}

/** The second field of a line in shadow; lines of others stay. */
export function setPassword(text: string, name: string, hash: string): string {
	return mapLine(text, name, (fields) => [name, hash, ...fields.slice(2)]);
}

/** Whether an account has a hash that a password can match. */
export function hasPassword(shadow: string, name: string): boolean {
	const [, hash = ""] = (lineOf(shadow, name) ?? "").split(":");
	return hash !== "" && !hash.startsWith("!") && !hash.startsWith("*") && hash !== "x";
}

/** The lowest number from 1000 on that is neither a user's nor a group's. */
export function freeId(passwd: string, group: string): number {
	const used = new Set(`${passwd}\n${group}`.split("\n").map((line) => line.split(":")[2]));
	let id = 1000;
	while (used.has(String(id))) id += 1;
	return id;
}

/** The number of a group, or undefined when there is none of that name. */
export function groupId(group: string, name: string): number | undefined {
	const gid = lineOf(group, name)?.split(":")[2];
	return gid !== undefined && /^\d{1,10}$/.test(gid) ? Number(gid) : undefined;
}

function lineOf(text: string, name: string): string | undefined {
	return text.split("\n").find((line) => line.startsWith(`${name}:`));
}

function hasName(text: string, name: string): boolean {
	return lineOf(text, name) !== undefined;
}

/** In group and gshadow alike the members are the fourth field. */
function joinGroups(text: string, { name, groups }: NewAccount): string {
	return groups.reduce((changed, group) => {
		return mapLine(changed, group, ([first = "", second = "", third = "", members = ""]) => {
			const all = new Set([...members.split(",").filter((member) => member !== ""), name]);
			return [first, second, third, [...all].join(",")];
		});
	}, text);
}

function mapLine(text: string, name: string, change: (fields: string[]) => string[]): string {
	const lines = text.split("\n");
	return lines.map((line) => (line.startsWith(`${name}:`) ? change(line.split(":")).join(":") : line)).join("\n");
}

function appendLine(text: string, line: string): string {
	return `${text === "" || text.endsWith("\n") ? text : `${text}\n`}${line}\n`;
}
