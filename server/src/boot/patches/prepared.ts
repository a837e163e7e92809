/**
 * What a person prepared on the boot volume with Raspberry Pi Imager: `custom.toml` (bookworm, read by a `firstboot` that
 * cannot run without a disk) and `rpi-preseed.toml`. Both have the same sections, as rpi-imager's description of its formats
 * has them. What is set at the server counts more.
 */
import { parse } from "smol-toml";
import { errorText } from "../../base/index.ts";
import { type FileTree, readTextAt } from "../../vfs/index.ts";
import { VALID } from "./valid.ts";

/** The newest first: where both are there, that one holds. */
const FILES = ["rpi-preseed.toml", "custom.toml"];

/** Nobody prepares more; a file that is larger is not read. */
const MAX_BYTES = 65_536;

export interface PreparedSettings {
	readonly settings: {
		readonly userName?: string;
		readonly passwordHash?: string;
		readonly authorizedKeys?: readonly string[];
		readonly timeZone?: string;
		readonly keyboard?: string;
		readonly wifiCountry?: string;
	};
	/** Sentences on what is not taken, without its content: it may be a password. */
	readonly problems: readonly string[];
}

/** @throws BlockFault */
export function preparedSettings(boot: FileTree | undefined): PreparedSettings {
	if (boot === undefined) return { settings: {}, problems: [] };
	for (const file of FILES) {
		const text = readTextAt(boot, `/${file}`, MAX_BYTES);
		if (text !== undefined) return settingsOf(file, text);
	}
	return { settings: {}, problems: [] };
}

type Table = Readonly<Record<string, unknown>>;

function settingsOf(file: string, text: string): PreparedSettings {
	const problems: string[] = [];
	const found = tablesOf(file, text, problems);
	const take = (name: string, value: unknown, expected: RegExp): string | undefined => {
		if (value === undefined || value === "") return undefined;
		if (typeof value === "string" && expected.test(value)) return value;
		problems.push(`${file} on the boot volume: ${name} is not what it should be, and is left out`);
		return undefined;
	};
	const { user, ssh, wlan, locale } = found;
	const settings = {
		userName: take("user.name", user.name, VALID.userName),
		passwordHash: take("user.password", passwordOf(file, user, problems), VALID.passwordHash),
		authorizedKeys: listOf(ssh.authorized_keys).flatMap(
			(key) => take("ssh.authorized_keys", key, VALID.authorizedKey) ?? [],
		),
		timeZone: take("locale.timezone", locale.timezone, VALID.timeZone),
		keyboard: take("locale.keymap", locale.keymap, VALID.keyboard),
		wifiCountry: take("wlan.country", wlan.country, VALID.wifiCountry),
	};
	return { settings: present(settings), problems };
}

function tablesOf(file: string, text: string, problems: string[]) {
	let document: Table = {};
	try {
		document = parse(text);
	} catch (error) {
		// The first line says where and what, those behind it show the text.
		problems.push(`${file} on the boot volume cannot be read: ${errorText(error).split("\n")[0]}`);
	}
	const { user, ssh, wlan, locale } = document;
	return { user: table(user), ssh: table(ssh), wlan: table(wlan), locale: table(locale) };
}

function passwordOf(file: string, user: Table, problems: string[]): unknown {
	if (user.password === undefined || user.password_encrypted === true) return user.password;
	problems.push(`${file} on the boot volume has a password as plain text, which is not taken: prepare it encrypted`);
	return undefined;
}

function table(value: unknown): Table {
	return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}

function listOf(value: unknown): readonly unknown[] {
	return Array.isArray(value) ? value : [];
}

/** Without the fields that are not there, and without an empty list. */
function present(settings: Readonly<Record<string, string | readonly string[] | undefined>>) {
	return Object.fromEntries(
		Object.entries(settings).filter(([, value]) => value !== undefined && value.length > 0),
	) as PreparedSettings["settings"];
}
