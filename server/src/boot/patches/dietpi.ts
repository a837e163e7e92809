/** DietPi's first boot: it grows a disk, names the machine and makes its keys by what `dietpi.txt` says. */
import { hasUnit } from "../../images/index.ts";
import { type FileTree, type Patch, readTextAt } from "../../vfs/index.ts";
import type { DeviceIdentity, PatchInput } from "./input.ts";
import { editFile, editOrAddFile, maskUnit, unitDropIn, writeFile } from "./make.ts";
import { openSshKey } from "./openssh-key.ts";

const FIRST_BOOT = "dietpi-firstboot.service";
const RESIZE = "dietpi-fs_partition_resize.service";
const FOLDER = "/usr/local/lib/netboot/own";

/** Whether this is DietPi, which calls itself Debian. */
export function isDietPi(root: FileTree): boolean {
	return hasUnit(root, "dietpi-preboot.service") || hasUnit(root, FIRST_BOOT);
}

export function dietPiPatches(input: PatchInput): Patch[] {
	if (!isDietPi(input.root)) return [];
	const resize = hasUnit(input.root, RESIZE)
		? [maskUnit(RESIZE, `${RESIZE} would resize a disk that is not there`)]
		: [];
	return [...resize, ...settingsPatches(input), ...identityPatches(input)];
}

/**
 * Its resize service also copies `dietpi.txt` from the boot volume to /boot, where that is a directory of the root: then it
 * comes from there here too. Where /boot is the boot volume itself, the file is the user's and stays.
 */
function settingsPatches({ boot, bootMount, device }: PatchInput): Patch[] {
	if (bootMount === "/boot") return [];
	const prepared = boot === undefined ? undefined : readTextAt(boot, "/dietpi.txt");
	const why = `DietPi's first boot calls the machine ${device.hostname} and makes no swap file`;
	const edit = (text: string) => {
		const before = prepared === undefined ? text : toLatin1(prepared);
		return settingsOf(device).reduce((edited, [key, value]) => withSetting(edited, key, value), before);
	};
	const path = "/boot/dietpi.txt";
	return [prepared === undefined ? editFile(path, why, edit) : editOrAddFile(path, why, edit)];
}

/** Its first boot sets all of these, over what stands in the system's own files. */
function settingsOf({ hostname, region = {} }: DeviceIdentity): [string, string][] {
	const { timeZone, locale, keyboard, wifiCountry } = region;
	const wanted: [string, string | undefined][] = [
		["AUTO_SETUP_NET_HOSTNAME", hostname],
		["AUTO_SETUP_SWAPFILE_SIZE", "0"],
		["AUTO_SETUP_TIMEZONE", timeZone],
		["AUTO_SETUP_LOCALE", locale],
		["AUTO_SETUP_KEYBOARD_LAYOUT", keyboard?.replace(/\(.*/, "")],
		["AUTO_SETUP_NET_WIFI_COUNTRY_CODE", wifiCountry],
	];
	return wanted.flatMap(([key, value]): [string, string][] => (value === undefined ? [] : [[key, value]]));
}

function toLatin1(text: string): string {
	return Buffer.from(text, "utf8").toString("latin1");
}

function withSetting(text: string, key: string, value: string): string {
	const line = `${key}=${value}`;
	const pattern = new RegExp(`^[ \\t]*${key}=.*$`, "gm");
	if (pattern.test(text)) return text.replace(pattern, () => line);
	return `${text === "" || text.endsWith("\n") ? text : `${text}\n`}${line}\n`;
}

/**
 * It removes machine-id and host keys and makes new ones, by chance: in a root that is new at each boot, new each time. It
 * also gives every account the password of `dietpi.txt`, as plain text.
 */
function identityPatches({ root, facts, device }: PatchInput): Patch[] {
	if (!hasUnit(root, FIRST_BOOT)) return [];
	const why = "DietPi's first boot makes other ids and keys: the device gets its own back";
	const keys = device.sshHostKeys.map((pem) => openSshKey(pem, `root@${device.hostname}`));
	const hash = device.user?.passwordHash;
	const user = device.user?.name ?? facts.firstUser?.name;
	const password = hash === undefined || user === undefined ? undefined : `${user}:${hash}\n`;
	const copies = [
		`cp -p ${FOLDER}/dropbear_*_host_key /etc/dropbear/`,
		`cp ${FOLDER}/machine-id /etc/machine-id`,
		...(password === undefined ? [] : [`chpasswd -e < ${FOLDER}/password`]),
	];
	return [
		...keys.map(({ type, dropbearKey }) =>
			writeFile(`${FOLDER}/dropbear_${type}_host_key`, why, dropbearKey, { mode: 0o600 }),
		),
		writeFile(`${FOLDER}/machine-id`, why, `${device.machineId}\n`, { mode: 0o444 }),
		...(password === undefined ? [] : [writeFile(`${FOLDER}/password`, why, password, { mode: 0o600 })]),
		unitDropIn(FIRST_BOOT, why, `[Service]\nExecStartPost=-/bin/sh -c '${copies.join("; ")}'\n`),
	];
}
