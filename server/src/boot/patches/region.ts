/** Time zone, locale and keyboard, as a person set them for the device. What is not set stays as the image has it. */
import { hasProgram } from "../../images/index.ts";
import { type FileTree, type Patch, resolvePath } from "../../vfs/index.ts";
import type { PatchInput } from "./input.ts";
import { editFile, editOrAddFile, enableUnit, removeFile, writeFile, writeSymlink } from "./make.ts";

export function regionPatches(input: PatchInput): Patch[] {
	return [...timeZonePatches(input), ...localePatches(input), ...keyboardPatches(input), ...wifiPatches(input)];
}

/** What was set and this image cannot take, in sentences. */
export function regionGaps(input: PatchInput): string[] {
	const { timeZone, locale, keyboard } = input.device.region ?? {};
	const gaps: string[] = [];
	if (timeZone !== undefined && !isThere(input.root, zoneFile(timeZone))) {
		gaps.push(`the image knows no time zone ${timeZone}: it has no ${zoneFile(timeZone)}`);
	}
	if (locale !== undefined && input.mode === "read-only" && needsGeneration(input, locale)) {
		gaps.push(`the locale ${locale} cannot be made on a read-only root: programs use it only if the image has it`);
	}
	if (keyboard !== undefined && keyboardFiles(input.root).length === 0) {
		gaps.push(`the image has no file that names a keyboard: ${keyboard} is not set`);
	}
	return gaps;
}

function isThere(root: FileTree, path: string): boolean {
	return resolvePath(root, path) !== undefined;
}

function zoneFile(timeZone: string): string {
	return `/usr/share/zoneinfo/${timeZone}`;
}

/** localtime(5): the link is what counts; Debian's tools up to bookworm, and BusyBox systems, also keep the name in a file. */
function timeZonePatches({ root, device }: PatchInput): Patch[] {
	const { timeZone } = device.region ?? {};
	if (timeZone === undefined || !isThere(root, zoneFile(timeZone))) return [];
	const why = `the time zone is ${timeZone}`;
	return [
		writeSymlink("/etc/localtime", why, zoneFile(timeZone)),
		editFile("/etc/timezone", why, () => `${timeZone}\n`),
	];
}

function localePatches(input: PatchInput): Patch[] {
	const { locale } = input.device.region ?? {};
	if (locale === undefined) return [];
	const why = `the language is ${locale}`;
	const setting = editOrAddFile(localeFile(input.root), why, (text) => withVariable(text, "LANG", locale));
	return needsGeneration(input, locale) && input.mode !== "read-only"
		? [setting, ...generationPatches(locale)]
		: [setting];
}

/** Debian has its own file, which trixie makes a link to that of systemd; locale.conf(5). */
function localeFile(root: FileTree): string {
	const debian = "/etc/default/locale";
	const ino = resolvePath(root, debian, { followLast: false });
	if (ino !== undefined) return root.getattr(ino).type === "file" ? debian : "/etc/locale.conf";
	return isThere(root, "/etc/default") && !isThere(root, "/etc/locale.conf") ? debian : "/etc/locale.conf";
}

function needsGeneration({ root, facts }: PatchInput, locale: string): boolean {
	return facts.init === "systemd" && hasProgram(root, "/usr/sbin/locale-gen") && !locale.startsWith("C.");
}

const GENERATOR = "netboot-locale.service";

/** locale-gen(8) makes what locale.gen lists. It takes a Pi seconds, so only a root that has not got it does it. */
function generationPatches(locale: string): Patch[] {
	const why = `the Pi makes the locale ${locale} where the image has not got it`;
	// `locale -a` calls it de_DE.utf8.
	const listed = locale.replace("UTF-8", "utf8");
	const unit = `[Unit]
Description=Make the locale ${locale}
ConditionPathIsReadWrite=/usr/lib

[Service]
Type=oneshot
ExecCondition=/bin/sh -c '! locale -a | grep -qx ${listed}'
ExecStart=/usr/sbin/locale-gen

[Install]
WantedBy=multi-user.target
`;
	const path = `/etc/systemd/system/${GENERATOR}`;
	return [
		editOrAddFile("/etc/locale.gen", why, (text) => withLine(text, `${locale} UTF-8`)),
		writeFile(path, why, unit),
		enableUnit(GENERATOR, path, "multi-user.target", why),
	];
}

/** A line of its own; one that is commented out comes into force. */
function withLine(text: string, line: string): string {
	const lines = text.split("\n");
	const at = lines.findIndex((candidate) => candidate.replace(/^#\s*/, "").trim() === line);
	if (at >= 0) return lines.with(at, line).join("\n");
	return `${text === "" || text.endsWith("\n") ? text : `${text}\n`}${line}\n`;
}

/** keyboard(5) of Debian, vconsole.conf(5) of systemd. */
function keyboardFiles(root: FileTree): string[] {
	return ["/etc/default/keyboard", "/etc/vconsole.conf"].filter((path) => isThere(root, path));
}

function keyboardPatches({ root, device }: PatchInput): Patch[] {
	const { keyboard } = device.region ?? {};
	if (keyboard === undefined) return [];
	const [, layout = keyboard, variant = ""] = /^([a-z]+)(?:\((.*)\))?$/.exec(keyboard) ?? [];
	const why = `the keyboard is ${keyboard}`;
	const edit = (text: string) => withVariable(withVariable(text, "XKBLAYOUT", layout), "XKBVARIANT", variant);
	return [
		...keyboardFiles(root).map((path) =>
			path.endsWith("vconsole.conf")
				? editFile(path, why, (text) => withVariable(edit(text), "KEYMAP", layout))
				: editFile(path, why, edit),
		),
		// The console's setup is kept ready-made from the build of the image; without it, it is made from the file above.
		removeFile("/etc/console-setup/cached_setup_keyboard.sh", why),
	];
}

/** What reads wpa_supplicant's own file goes by its country; the kernel gets it with its command line. */
function wifiPatches({ root, device }: PatchInput): Patch[] {
	const { wifiCountry } = device.region ?? {};
	const path = "/etc/wpa_supplicant/wpa_supplicant.conf";
	if (wifiCountry === undefined || !isThere(root, path)) return [];
	return [
		editFile(path, `the country of the Wi-Fi is ${wifiCountry}`, (text) => {
			const line = `country=${wifiCountry}`;
			return /^country=.*$/m.test(text) ? text.replace(/^country=.*$/m, line) : `${line}\n${text}`;
		}),
	];
}

/** `NAME="value"` of a file of shell variables. */
function withVariable(text: string, name: string, value: string): string {
	const line = `${name}="${value}"`;
	const pattern = new RegExp(`^[ \\t]*${name}=.*$`, "m");
	if (pattern.test(text)) return text.replace(pattern, () => line);
	return `${text === "" || text.endsWith("\n") ? text : `${text}\n`}${line}\n`;
}
