/** SSH host keys: the device's own, so that it is the same host with every image and in every mode. */
import { nameToUtf8 } from "../../base/index.ts";
import { listDirectoryAt, type Patch } from "../../vfs/index.ts";
import type { PatchInput } from "./input.ts";
import { removeFile, writeFile } from "./make.ts";
import { openSshKey } from "./openssh-key.ts";

export function sshHostKeyPatches({ root, facts, device }: PatchInput): Patch[] {
	if (!facts.sshServer || device.sshHostKeys.length === 0) return [];
	const keys = device.sshHostKeys.map((pem) => openSshKey(pem, `root@${device.hostname}`));
	const patches = keys.flatMap(({ type, privateKey, publicKey }) => {
		const path = `/etc/ssh/ssh_host_${type}_key`;
		const why = `the device has an SSH host key of its own (${type}), which stays the same`;
		return [writeFile(path, why, privateKey, { mode: 0o600 }), writeFile(`${path}.pub`, why, publicKey)];
	});
	const own = new Set(patches.map((patch) => patch.path));
	return [
		...patches,
		...sharedKeys(root)
			.filter((path) => !own.has(path))
			.map(removeShared),
	];
}

/** Keys that lie in the image are the same on every Pi that runs it, and known to whoever has the image. */
function sharedKeys(root: PatchInput["root"]): string[] {
	return listDirectoryAt(root, "/etc/ssh")
		.map((entry) => `/etc/ssh/${nameToUtf8(entry.name)}`)
		.filter((path) => /\/ssh_host_[a-z0-9]+_key(\.pub)?$/.test(path));
}

function removeShared(path: string): Patch {
	return removeFile(path, "a host key in the image is shared by every Pi that runs it");
}
