/** SSH host keys: the device's own, so that it is the same host with every image and in every mode. */
import { nameToUtf8 } from "../../base/index.ts";
import { hasProgram } from "../../images/index.ts";
import { listDirectoryAt, type Patch } from "../../vfs/index.ts";
import type { PatchInput } from "./input.ts";
import { addDirectory, removeFile, writeFile } from "./make.ts";
import { type OpenSshKey, openSshKey } from "./openssh-key.ts";

export function sshHostKeyPatches({ root, device }: PatchInput): Patch[] {
	if (device.sshHostKeys.length === 0) return [];
	const keys = device.sshHostKeys.map((pem) => openSshKey(pem, `root@${device.hostname}`));
	return [
		...(hasProgram(root, "/usr/sbin/sshd") ? opensshPatches(root, keys) : []),
		...(hasProgram(root, "/usr/sbin/dropbear") ? dropbearPatches(root, keys) : []),
	];
}

function opensshPatches(root: PatchInput["root"], keys: readonly OpenSshKey[]): Patch[] {
	const patches = keys.flatMap(({ type, privateKey, publicKey }) => {
		const path = `/etc/ssh/ssh_host_${type}_key`;
		return [
			writeFile(path, ownKey(type), privateKey, { mode: 0o600 }),
			writeFile(`${path}.pub`, ownKey(type), publicKey),
		];
	});
	return [...patches, ...sharedKeyPatches(root, "/etc/ssh", /^ssh_host_[a-z0-9]+_key(\.pub)?$/, patches)];
}

/** Buildroot's link leads to memory, and its script turns it into an empty directory: the keys would be new at each boot. */
function dropbearPatches(root: PatchInput["root"], keys: readonly OpenSshKey[]): Patch[] {
	const why = "the host keys lie here, and stay";
	const link: Patch = {
		path: "/etc/dropbear",
		why,
		change: (below) => (below?.type === "symlink" ? "remove" : undefined),
	};
	const patches = keys.map(({ type, dropbearKey }) =>
		writeFile(`/etc/dropbear/dropbear_${type}_host_key`, ownKey(type), dropbearKey, { mode: 0o600 }),
	);
	const shared = sharedKeyPatches(root, "/etc/dropbear", /^dropbear_[a-z0-9]+_host_key(\.pub)?$/, patches);
	return [link, addDirectory("/etc/dropbear", why), ...patches, ...shared];
}

function ownKey(type: string): string {
	return `the device has an SSH host key of its own (${type}), which stays the same`;
}

/** Keys that lie in the image are the same on every Pi that runs it, and known to whoever has the image. */
function sharedKeyPatches(root: PatchInput["root"], folder: string, names: RegExp, own: readonly Patch[]): Patch[] {
	const why = "a host key in the image is shared by every Pi that runs it";
	return listDirectoryAt(root, folder)
		.map((entry) => nameToUtf8(entry.name))
		.filter((name) => names.test(name) && !own.some(({ path }) => path === `${folder}/${name}`))
		.map((name) => removeFile(`${folder}/${name}`, why));
}
