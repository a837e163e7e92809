/** Host name and machine-id: each device its own, the same at every boot. */
import type { Patch } from "../../vfs/index.ts";
import type { PatchInput } from "./input.ts";
import { editOrAddFile, writeFile, writeSymlink } from "./make.ts";

export function identityPatches({ device }: PatchInput): Patch[] {
	const { hostname, machineId } = device;
	return [
		writeFile("/etc/hostname", `the device is called ${hostname}`, `${hostname}\n`),
		editOrAddFile("/etc/hosts", `${hostname} is this machine`, (text) => withHost(text, hostname)),
		// "uninitialized" makes systemd take each boot for the first one; a shared id gives two Pis one DHCP lease.
		writeFile("/etc/machine-id", "the device has an id of its own, which stays the same", `${machineId}\n`, {
			mode: 0o444,
		}),
		machineIdForDbus(),
	];
}

/** Debian writes the host's own name behind 127.0.1.1. */
function withHost(text: string, hostname: string): string {
	const line = `127.0.1.1\t${hostname}`;
	if (/^127\.0\.1\.1\s.*$/m.test(text)) return text.replace(/^127\.0\.1\.1\s.*$/m, line);
	if (text === "") return `127.0.0.1\tlocalhost\n${line}\n`;
	return `${text.endsWith("\n") ? text : `${text}\n`}${line}\n`;
}

/** An old image may hold a copy in place of the link; D-Bus would go by that one. */
function machineIdForDbus(): Patch {
	const path = "/var/lib/dbus/machine-id";
	const link = writeSymlink(path, "D-Bus goes by the id in /etc", "/etc/machine-id");
	return { ...link, change: (below) => (below?.type === "file" ? link.change(below) : undefined) };
}
