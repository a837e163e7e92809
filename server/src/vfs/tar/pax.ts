/** The records that pax puts in front of a member: what its header has no room for. `LENGTH KEY=VALUE\n`, LENGTH of all of it. */
import { type FileTime, MalformedError } from "../../base/index.ts";
import type { TarHeader } from "./header.ts";

/** In the order in which they stand: GNU's oldest map of a sparse file repeats its keys. */
export type PaxRecords = readonly (readonly [key: string, value: string])[];

/** @throws MalformedError (`tar`). */
export function parsePax(bytes: Buffer): PaxRecords {
	const records: [string, string][] = [];
	for (let at = 0; at < bytes.length && bytes[at] !== 0; ) {
		const blank = bytes.indexOf(0x20, at);
		const digits = bytes.toString("latin1", at, blank === -1 ? at : Math.min(blank, at + 20));
		const end = at + Number(digits);
		const equals = bytes.indexOf(0x3d, blank);
		const isWhole = /^[1-9]\d*$/.test(digits) && end <= bytes.length && bytes[end - 1] === 0x0a;
		if (!isWhole || equals === -1 || equals >= end) {
			throw new MalformedError("tar", `tar: no pax record at byte ${at} of the extended header`);
		}
		records.push([bytes.toString("latin1", blank + 1, equals), bytes.toString("latin1", equals + 1, end - 1)]);
		at = end;
	}
	return records;
}

/** What the records say of a member. */
export interface PaxFields {
	readonly name?: string;
	readonly linkName?: string;
	readonly size?: number;
	readonly uid?: number;
	readonly gid?: number;
	readonly mtime?: FileTime;
	readonly atime?: FileTime;
	readonly ctime?: FileTime;
}

/** The last record with a key counts. An empty value takes a global one back. @throws MalformedError (`tar`). */
export function paxFields(records: PaxRecords): PaxFields {
	const last = new Map(records.filter(([, value]) => value !== ""));
	for (const [key, value] of records) if (value === "") last.delete(key);
	const name = last.get("GNU.sparse.name") ?? last.get("path");
	const linkName = last.get("linkpath");
	const whole = (key: string) => wholeNumber(key, last.get(key));
	const time = (key: string) => timeOf(key, last.get(key));
	const fields = { name, linkName, size: whole("size"), uid: whole("uid"), gid: whole("gid") };
	const times = { mtime: time("mtime"), atime: time("atime"), ctime: time("ctime") };
	return withoutUndefined({ ...fields, ...times });
}

function withoutUndefined(fields: { readonly [Key in keyof PaxFields]: PaxFields[Key] | undefined }): PaxFields {
	return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** A header with what the records say instead. */
export function extended(header: TarHeader, { name, linkName, size, uid, gid }: PaxFields): TarHeader {
	return {
		...header,
		name: name ?? header.name,
		linkName: linkName ?? header.linkName,
		size: size ?? header.size,
		uid: uid ?? header.uid,
		gid: gid ?? header.gid,
	};
}

/** @throws MalformedError (`tar`) for what is not a whole number below 2^53. */
export function wholeNumber(key: string, value: string): number;
export function wholeNumber(key: string, value: string | undefined): number | undefined;
export function wholeNumber(key: string, value: string | undefined): number | undefined {
	if (value === undefined) return undefined;
	const number = Number(value);
	if (/^\d+$/.test(value) && Number.isSafeInteger(number)) return number;
	throw new MalformedError("tar", `tar: ${key}=${value.slice(0, 40)} in an extended header is no number`);
}

/** `1700000000.123456789`, possibly below zero. */
function timeOf(key: string, value: string | undefined): FileTime | undefined {
	if (value === undefined) return undefined;
	const parts = /^(-?)(\d{1,12})(?:\.(\d+))?$/.exec(value);
	if (parts === null)
		throw new MalformedError("tar", `tar: ${key}=${value.slice(0, 40)} in an extended header is no time`);
	const [, sign, whole = "0", fraction = ""] = parts;
	const sec = Number(whole);
	const nsec = Number(fraction.slice(0, 9).padEnd(9, "0"));
	if (sign !== "-") return { sec, nsec };
	return nsec === 0 ? { sec: -sec, nsec } : { sec: -sec - 1, nsec: 1e9 - nsec };
}
