/**
 * NetworkManager on the interface that carries the root. Left alone it would see an address that it did not make, call the
 * connection external and never renew the lease; told to activate a profile it would first remove the address, and then
 * wait for its own pages from an NFS server that it can no longer reach.
 *
 * What it does right is to take over: when a state file in /run says that a profile was active on an interface, it adopts
 * addresses as they are and starts DHCP beside them. It writes these files itself for its own restarts, and dracut's
 * initramfs leaves them for the same purpose.
 */
import { createHash } from "node:crypto";
import type { Patch } from "../../vfs/index.ts";
import type { DeviceIdentity } from "./input.ts";
import { enableUnit, unitDropIn, writeFile } from "./make.ts";

const UNIT = "netboot-network.service";
const UNIT_FILE = `/etc/systemd/system/${UNIT}`;
const SCRIPT = "/usr/local/lib/netboot/hand-over-interface";

export function networkManagerPatches(device: DeviceIdentity): Patch[] {
	const uuid = profileUuid(device.machineId);
	const why = "NetworkManager takes over the interface that carries the root, keeps its address and renews the lease";
	return [
		writeFile("/etc/NetworkManager/system-connections/netboot.nmconnection", why, profile(uuid, device.mac), {
			mode: 0o600,
		}),
		writeFile("/etc/NetworkManager/conf.d/90-netboot.conf", why, settings(device.mac)),
		writeFile(SCRIPT, why, handOver(uuid, device.mac), { mode: 0o755 }),
		writeFile(UNIT_FILE, why, HAND_OVER_UNIT),
		enableUnit(UNIT, UNIT_FILE, "NetworkManager.service", why),
		unitDropIn(
			"NetworkManager-wait-online.service",
			"the network is up already: nothing fails or waits for long",
			WAIT_ONLINE,
		),
	];
}

/** A UUID of version 8 (RFC 9562, 5.8), the same for the same device. */
function profileUuid(machineId: string): string {
	const digits = createHash("sha256").update(`netboot profile of ${machineId}`).digest("hex");
	const version = `8${digits.slice(13, 16)}`;
	return [digits.slice(0, 8), digits.slice(8, 12), version, `8${digits.slice(17, 20)}`, digits.slice(20, 32)].join("-");
}

/** nm-settings-keyfile(5). The client id is that of the firmware and the kernel, so that the lease stays the same one. */
function profile(uuid: string, mac: string | undefined): string {
	return `[connection]
id=netboot
uuid=${uuid}
type=ethernet
autoconnect-priority=999
autoconnect-retries=0

[ethernet]
${mac === undefined ? "" : `mac-address=${mac.toUpperCase()}\n`}
[ipv4]
method=auto
dhcp-client-id=mac
dhcp-timeout=2147483647

[ipv6]
method=auto
`;
}

/** NetworkManager.conf(5): an unplugged cable must not take the address with it. */
function settings(mac: string | undefined): string {
	return `[device-netboot]
match-device=${mac === undefined ? "type:ethernet" : `mac:${mac.toUpperCase()}`}
ignore-carrier=yes
keep-configuration=yes
`;
}

function handOver(uuid: string, mac: string | undefined): string {
	const isOurs =
		mac === undefined
			? `[ ! -e "$interface/wireless" ] && [ "$(cat "$interface/operstate")" != down ]`
			: `[ "$(cat "$interface/address")" = "${mac.toLowerCase()}" ]`;
	return `#!/bin/sh
# Tells NetworkManager that its profile "netboot" is active on the interface that carries the root.
set -eu
umask 022
mkdir -p /run/NetworkManager/devices
for interface in /sys/class/net/*; do
	[ -e "$interface/device" ] || continue
	${isOurs} || continue
	state=/run/NetworkManager/devices/$(cat "$interface/ifindex")
	[ -e "$state" ] || printf '[device]\\nmanaged=true\\nconnection-uuid=${uuid}\\n' >"$state"
done
`;
}

const HAND_OVER_UNIT = `[Unit]
Description=Hand the interface that carries the root to NetworkManager
DefaultDependencies=no
After=local-fs.target
Before=NetworkManager.service shutdown.target
Conflicts=shutdown.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=${SCRIPT}

[Install]
WantedBy=NetworkManager.service
`;

/** The dash makes a failure count as success. */
const WAIT_ONLINE = `[Service]
ExecStart=
ExecStart=-/usr/bin/nm-online -s -q --timeout=30
`;
