/** Debian's own dhclient-script keeps the address of the interface that carries the root, with the hook that DietPi gets; in namespaces. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { DEVICE, patchedText } from "../../server/src/boot/testing/patched.ts";
import { DIETPI_ROOT } from "../../server/src/images/testing/dietpi.ts";
import { must } from "../harness/command.ts";
import { lacks } from "../harness/needs.ts";

const HOOK = "/etc/dhcp/dhclient-enter-hooks.d/netboot";
const skip = await lacks(["ip", "unshare", "dhclient-script"]);
let folder = "";

before(async () => {
	folder = await mkdtemp(join(tmpdir(), "hook-"));
	await writeFile(join(folder, "hook"), patchedText({ root: DIETPI_ROOT }, HOOK));
});
after(() => rm(folder, { recursive: true }));

/** What is left of 192.0.2.5 after dhclient has called its script so. @param mac of the interface. */
async function addressesAfter(mac: string, variables: Readonly<Record<string, string>>): Promise<string[]> {
	const script = `set -e
		mount -t sysfs sysfs /sys
		mount -t tmpfs tmpfs /etc/dhcp
		mkdir /etc/dhcp/dhclient-enter-hooks.d
		cp ${folder}/hook ${HOOK}
		mount -t tmpfs tmpfs /var/lib/dhcp
		ip link add eth0 type veth peer name far
		ip link set eth0 address ${mac} up
		ip addr add 192.0.2.5/24 dev eth0
		cp /etc/resolv.conf /var/lib/dhcp/resolv.conf
		mount --bind /var/lib/dhcp/resolv.conf /etc/resolv.conf
		env interface=eth0 ${Object.entries(variables)
			.map(([name, value]) => `${name}=${value}`)
			.join(" ")} PATH=$PATH:/usr/sbin:/sbin dhclient-script >&2 || true
		ip -4 -o addr show dev eth0`;
	const said = await must(["unshare", "--net", "--mount", "sh", "-c", script], {
		timeout: 20_000,
		environment: { PATH: `${process.env.PATH}:/usr/sbin:/sbin` },
	});
	return [...said.matchAll(/inet ([\d.]+)/g)].map(([, address]) => address ?? "");
}

const MAC = DEVICE.mac ?? "";
const OLD = { old_ip_address: "192.0.2.5" };

for (const reason of ["EXPIRE", "FAIL", "RELEASE", "STOP"]) {
	test(`keeps it at ${reason}`, { skip }, async () => {
		assert.deepEqual(await addressesAfter(MAC, { reason, ...OLD }), ["192.0.2.5"]);
	});
}

test("keeps it when nobody answers, and when another address is leased", { skip }, async () => {
	const other = { new_ip_address: "192.0.2.77", new_subnet_mask: "255.255.255.0" };
	assert.deepEqual(await addressesAfter(MAC, { reason: "TIMEOUT", ...other }), ["192.0.2.5"]);
	assert.deepEqual(await addressesAfter(MAC, { reason: "REBOOT", ...OLD, ...other }), ["192.0.2.5", "192.0.2.77"]);
});

test("leaves any other interface to the script, which removes the address", { skip }, async () => {
	assert.deepEqual(await addressesAfter("02:00:00:00:00:09", { reason: "EXPIRE", ...OLD }), []);
});
