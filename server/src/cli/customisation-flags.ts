/** The flags that say what a device's system gets, for one device and for all. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { CustomisationChanges } from "@pi-netboot/api";
import { type Command, InvalidArgumentError } from "commander";
import { errorText } from "../base/index.ts";
import { CommandError, exitCodes } from "./command-error.ts";

export interface CustomisationFlags {
	readonly user?: string;
	readonly passwordFile?: string;
	readonly passwordHashFile?: string;
	readonly sshKeys?: string;
	readonly timezone?: string;
	readonly locale?: string;
	readonly keyboard?: string;
	readonly wifiCountry?: string;
	readonly userData?: string;
}

/** Takes a setting away. */
const DEFAULT = "default";

export function addCustomisationFlags(command: Command): Command {
	return command
		.option("--user <name>", "the account that logs in")
		.option(
			"--password-file <file>",
			"a file with its password in one line, of which the server keeps a hash (- = input)",
		)
		.option(
			"--password-hash-file <file>",
			"a file with its password's hash, as `openssl passwd -6` makes it (- = input)",
		)
		.option("--ssh-keys <file>", "public keys that may log in, a line each (- = input)")
		.option("--timezone <zone>", "like Europe/Berlin")
		.option("--locale <locale>", "like de_DE.UTF-8")
		.option("--keyboard <layout>", "like de, or ch(fr)")
		.option("--wifi-country <country>", "two letters, like DE")
		.option("--user-data <file>", "for images with cloud-init (- = input)")
		.addHelpText("after", "\nThe word `default` in place of a value takes a setting away.");
}

/**
 * What the flags ask for; undefined when none is given.
 *
 * @throws CommandError that names the flag; never with what a file holds.
 */
export function customisationOf(flags: CustomisationFlags): CustomisationChanges | undefined {
	const keys = fromFile("--ssh-keys", flags.sshKeys);
	const wanted = {
		userName: orNull(flags.user),
		password: fromFile("--password-file", flags.passwordFile)?.replace(/\r?\n$/, ""),
		passwordHash: fromFile("--password-hash-file", flags.passwordHashFile)?.trim() ?? noPassword(flags),
		authorizedKeys: keys === undefined ? nullIf(flags.sshKeys) : linesOf(keys),
		timeZone: orNull(flags.timezone),
		locale: orNull(flags.locale),
		keyboard: orNull(flags.keyboard),
		wifiCountry: orNull(flags.wifiCountry),
		userData: fromFile("--user-data", flags.userData) ?? nullIf(flags.userData),
	};
	const given = Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined));
	if (Object.keys(given).length === 0) return undefined;
	const checked = CustomisationChanges.safeParse(given);
	if (checked.success) return checked.data;
	const [issue] = checked.error.issues;
	throw new CommandError(exitCodes.usage, `${issue?.path.join(".")}: ${issue?.message}`);
}

function orNull(text: string | undefined): string | null | undefined {
	return text === DEFAULT ? null : text;
}

function noPassword({ passwordFile, passwordHashFile }: CustomisationFlags): null | undefined {
	return nullIf(passwordFile === DEFAULT ? passwordFile : passwordHashFile);
}

function nullIf(text: string | undefined): null | undefined {
	return text === DEFAULT ? null : undefined;
}

function fromFile(flag: string, path: string | undefined): string | undefined {
	if (path === undefined || path === DEFAULT) return undefined;
	try {
		return readFileSync(path === "-" ? 0 : resolve(path), "utf8");
	} catch (error) {
		throw new CommandError(exitCodes.usage, `${flag}: ${errorText(error)}`, { cause: error });
	}
}

function linesOf(text: string): string[] {
	const lines = text.split(/\r?\n/).map((line) => line.trim());
	return lines.filter((line) => line !== "" && !line.startsWith("#"));
}

const UNITS: Readonly<Record<string, number>> = { "": 1, k: 1e3, m: 1e6, g: 1e9, t: 1e12 };

/** Bytes, in decimal units as disks have them: `500M`, `4G`. */
export function parseSize(text: string): number {
	const [, digits = "", unit = ""] = /^(\d+(?:\.\d+)?)\s*([kmgt]?)b?$/i.exec(text) ?? [];
	const bytes = Math.round(Number(digits) * (UNITS[unit.toLowerCase()] ?? Number.NaN));
	if (digits !== "" && Number.isSafeInteger(bytes)) return bytes;
	throw new InvalidArgumentError("Expected a size like 500M or 4G.");
}

/** A quota: a size, `none`, or `default`. Commander takes null for a value that is missing. */
export function parseQuota(text: string): number | "default" {
	if (text === DEFAULT) return DEFAULT;
	return text === "none" ? 0 : parseSize(text);
}
