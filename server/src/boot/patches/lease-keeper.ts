/**
 * udhcpc on the interface that carries the root. As `ifup` runs it, it would first take the address away ("deconfig"), and then
 * wait for its own script from an NFS server that it can no longer reach. So `ifup` takes the interface for one that is
 * configured already, and udhcpc runs beside it with a script that only ever adds.
 */
import { ifupdownFiles, ifupdownInterfaces } from "../../images/index.ts";
import type { FileTree, Patch } from "../../vfs/index.ts";
import type { DeviceIdentity } from "./input.ts";
import { editFile, enableUnit, writeFile } from "./make.ts";

const FOLDER = "/usr/local/lib/netboot";
/** To be run for ever by the init system: it ends when udhcpc does. */
export const LEASE_KEEPER = `${FOLDER}/keep-lease`;
const LEASED = `${FOLDER}/leased`;

const WHY = "udhcpc renews the lease of the interface that carries the root, and never takes its address away";

export function leaseKeeperPatches(root: FileTree, device: DeviceIdentity): Patch[] {
	return [
		writeFile(LEASE_KEEPER, WHY, keepLease(device.mac), { mode: 0o755 }),
		writeFile(LEASED, WHY, ON_LEASE, { mode: 0o755 }),
		...rootInterfacePatches(root),
	];
}

const UNIT = "netboot-lease.service";
const UNIT_FILE = `/etc/systemd/system/${UNIT}`;

/** For systemd; without it the init system runs the script (`inittab.ts`). */
export function leaseUnitPatches(): Patch[] {
	const text = `[Unit]
Description=Renew the lease of the interface that carries the root

[Service]
ExecStart=${LEASE_KEEPER}
Restart=always
RestartSec=5

[Install]
WantedBy=multi-user.target
`;
	return [writeFile(UNIT_FILE, WHY, text), enableUnit(UNIT, UNIT_FILE, "multi-user.target", WHY)];
}

/** "device" is missing for bridges and VLANs, which may carry the MAC of the interface below them. */
function keepLease(mac: string | undefined): string {
	const isOurs =
		mac === undefined
			? `[ ! -e "$path/wireless" ] && [ "$(cat "$path/operstate")" != down ]`
			: `[ "$(cat "$path/address")" = "${mac.toLowerCase()}" ]`;
	return `#!/bin/sh
# Keeps the lease of the interface that carries the root.
PATH=/usr/sbin:/usr/bin:/sbin:/bin
for path in /sys/class/net/*; do
	[ -e "$path/device" ] || continue
	${isOurs} || continue
	interface=\${path##*/}
	address=$(ip -4 addr show dev "$interface" | sed -n 's/^ *inet \\([0-9.]*\\).*/\\1/p' | head -n 1)
	exec udhcpc -f -i "$interface" \${address:+-r "$address"} -x "hostname:$(hostname)" -s ${LEASED}
done
echo "netboot: no interface carries the root" >&2
sleep 10
exit 1
`;
}

/** See udhcpc's own script for what the variables mean. The address that is there stays, also when another one is leased. */
const ON_LEASE = `#!/bin/sh
# What udhcpc tells of the interface that carries the root. Its address is never removed: "deconfig" is not obeyed.
PATH=/usr/sbin:/usr/bin:/sbin:/bin
case $1 in bound | renew) ;; *) exit 0 ;; esac
ip addr show dev "$interface" | grep -q "inet $ip/" ||
	ip addr add "$ip/\${mask:-24}" broadcast + dev "$interface"
[ -z "$router" ] || ip route replace default via "\${router%% *}" dev "$interface"
[ -n "$dns" ] || exit 0
text=$([ -z "$domain" ] || echo "search $domain"; for server in $dns; do echo "nameserver $server"; done)
[ "$(cat /etc/resolv.conf 2>/dev/null)" = "$text" ] || echo "$text" >/etc/resolv.conf
`;

/** interfaces(5): the onboard interface, as kernel and udev call it; a USB adapter comes later. */
const ONBOARD = ["eth0", "end0"];

/** Takes the interface that carries the root away from `ifup` and `ifdown`. */
export function rootInterfacePatches(root: FileTree): Patch[] {
	const wired = ifupdownInterfaces(root).filter((name) => /^e(th|n)/.test(name));
	const name = ONBOARD.find((onboard) => wired.includes(onboard)) ?? wired[0];
	if (name === undefined) return [];
	const why = `${name} carries the root: ifup finds it configured, and leaves it`;
	return ifupdownFiles(root).map((path) => editFile(path, why, (text) => withoutMethod(text, name)));
}

/** A stanza ends where the next one begins. Its options belong to the method, so they go with it. */
function withoutMethod(text: string, name: string): string {
	let isOurs = false;
	const lines = text.split("\n").map((line) => {
		const [word = "", ...rest] = line.trim().split(/\s+/);
		if (/^(auto|allow-\S+|iface|mapping|source|source-directory|no-auto-down|no-scripts|rename|template)$/.test(word)) {
			const [stanza, family, method = ""] = rest;
			isOurs = word === "iface" && stanza === name && family === "inet" && !["manual", "loopback"].includes(method);
			return isOurs ? `# netboot: ${line}\niface ${name} inet manual` : line;
		}
		return isOurs && word !== "" && !word.startsWith("#") ? `# netboot: ${line}` : line;
	});
	return lines.join("\n");
}
