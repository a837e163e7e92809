/** All patches of a root, in one list. */
import { BugError } from "../../base/index.ts";
import type { ImageFacts } from "../../images/index.ts";
import type { Patch } from "../../vfs/index.ts";
import { agentPatches } from "./agent.ts";
import { cloudInitPatches } from "./cloud-init.ts";
import { dietPiPatches } from "./dietpi.ts";
import { firstBootPatches } from "./first-boot.ts";
import { fstabPatches } from "./fstab.ts";
import { identityPatches } from "./identity.ts";
import { initramfsToolsPatches } from "./initramfs-tools.ts";
import type { DeviceIdentity, PatchInput } from "./input.ts";
import { loginPatches } from "./login.ts";
import { inittabNetworkPatches, networkPatches } from "./network.ts";
import { readOnlyMemoryPatches, readOnlyPatches } from "./read-only.ts";
import { regionPatches } from "./region.ts";
import { sshHostKeyPatches } from "./ssh-host-keys.ts";
import { swapPatches } from "./swap.ts";
import { VALID } from "./valid.ts";

/** What holds for every system. */
const GENERAL = [fstabPatches, identityPatches, sshHostKeyPatches, regionPatches];

/** What is written for systemd, Debian's tools, or both. */
const FOR_SYSTEMD = [
	firstBootPatches,
	swapPatches,
	cloudInitPatches,
	networkPatches,
	loginPatches,
	initramfsToolsPatches,
	readOnlyPatches,
	dietPiPatches,
	agentPatches,
];

/** Where BusyBox, OpenRC or System V's init starts the rest. */
const FOR_INITTAB = [inittabNetworkPatches, loginPatches, readOnlyMemoryPatches, agentPatches];

const MAKERS: Readonly<Record<ImageFacts["init"], readonly ((input: PatchInput) => Patch[])[]>> = {
	systemd: [...GENERAL, ...FOR_SYSTEMD],
	busybox: [...GENERAL, ...FOR_INITTAB],
	openrc: [...GENERAL, ...FOR_INITTAB],
	sysvinit: [...GENERAL, ...FOR_INITTAB],
	other: [...GENERAL, loginPatches],
	none: GENERAL,
};

/**
 * What makes a stock image run from the network as this device. Reads the image's root and boot volume, changes neither.
 * The same input always gives the same patches; several for one path take effect in their order.
 *
 * @throws BlockFault, UnsupportedError for a host key that OpenSSH has no form for, BugError for a malformed identity.
 */
export function patchesFor(input: PatchInput): Patch[] {
	checkIdentity(input.device);
	return MAKERS[input.facts.init].flatMap((make) => make(input));
}

/** These values stand in files that root reads: none may end its line or field and begin another. */
function checkIdentity({ hostname, machineId, authorizedKeys, user, mac, region = {} }: DeviceIdentity): void {
	check("hostname", hostname, /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i);
	check("machineId", machineId, /^[0-9a-f]{32}$/);
	check("user.name", user?.name ?? "pi", VALID.userName);
	// A secret, so it is not said.
	if (!VALID.passwordHash.test(user?.passwordHash ?? "$6$x$y")) throw new BugError("patches: no password hash");
	check("timeZone", region.timeZone ?? "UTC", VALID.timeZone);
	check("locale", region.locale ?? "C.UTF-8", VALID.locale);
	check("keyboard", region.keyboard ?? "us", VALID.keyboard);
	check("wifiCountry", region.wifiCountry ?? "GB", VALID.wifiCountry);
	check("mac", mac ?? "00:00:00:00:00:00", /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i);
	for (const key of authorizedKeys) check("authorizedKeys", key, /^[^\r\n\0]+$/);
}

function check(what: string, value: string, expected: RegExp): void {
	if (!expected.test(value))
		throw new BugError(`patches: ${what} is ${JSON.stringify(value)}, expected ${expected.source}`);
}
