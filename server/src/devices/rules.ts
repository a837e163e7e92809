/** The rules of the rule book, in the order in which they are asked. */
import { decodeRevision, modelOf, socOfBootFile } from "./board.ts";
import type { Rule, Scene } from "./scene.ts";

const SECONDS = 1000;

/** Milliseconds since something was seen; -1 when it was not. */
function since(scene: Scene, at: number | undefined): number {
	return at === undefined ? -1 : scene.now - at;
}

function noTftp({ attempt }: Scene): boolean {
	return attempt.firstTftpAt === undefined;
}

/** We answered the DISCOVER long ago, it came again, and no file was asked for. */
function ignoresOffers(scene: Scene): boolean {
	const { attempt } = scene;
	return noTftp(scene) && attempt.discovers >= 2 && since(scene, attempt.firstOfferAt) >= 10 * SECONDS;
}

/** As `ignoresOffers`, sooner: it is known that it cannot work. */
function asksInVain(scene: Scene): boolean {
	return noTftp(scene) && since(scene, scene.attempt.firstOfferAt) >= 5 * SECONDS;
}

function isPi3({ firmware }: Scene): boolean {
	return firmware?.generation === "mask-rom" || firmware?.generation === "pi3";
}

function isMaskRom({ firmware }: Scene): boolean {
	return firmware?.generation === "mask-rom";
}

/** Nobody on the LAN gives out addresses, as far as can be known. The EEPROM bootloader would have sent a REQUEST. */
function noAddressServer({ attempt, firmware, surroundings }: Scene): boolean {
	if (surroundings.dhcpMode !== "proxy") return false;
	if (surroundings.otherDhcpServers !== undefined) return surroundings.otherDhcpServers.length === 0;
	return firmware?.generation === "eeprom" && attempt.requestAt === undefined;
}

type Chip = ReturnType<typeof socOfBootFile>;

/** The chip that boots, for the names of the files that it cannot do without. */
function chip({ model, attempt }: Scene): Chip {
	if (model === null) return [...attempt.opened].map(socOfBootFile).find((soc) => soc !== undefined);
	const { soc } = modelOf(model);
	return soc === "BCM2711" || soc === "BCM2712" ? soc : "up to BCM2837";
}

/** Files that were asked for, are not there, and without which the boot ends here. */
function missingEssentials(scene: Scene): string[] {
	const { missing, complete, opened } = scene.attempt;
	const has = (path: string) => opened.has(path) && !missing.has(path);
	const lost = (...alternatives: string[]) =>
		alternatives.some((path) => missing.has(path)) && !alternatives.some(has) ? alternatives.slice(0, 1) : [];
	switch (chip(scene)) {
		case "up to BCM2837":
			return [...lost("bootcode.bin"), ...lost("start.elf"), ...lost("fixup.dat"), ...lostKernel(scene)];
		case "BCM2711":
			return [...lost("start4.elf", "start.elf"), ...lostKernel(scene)];
		case "BCM2712":
			return [...lost("config.txt"), ...lostKernel(scene)];
		default:
			return complete.size === 0 ? [...missing].slice(0, 1) : [];
	}
}

/** The kernel, when each name that was tried is missing; on Pi 5 the device tree too. */
function lostKernel({ attempt: { missing, opened } }: Scene): string[] {
	const kernels = [...opened].filter((path) => /^kernel[^/]*\.img$/.test(path));
	const kernel = kernels.length > 0 && kernels.every((path) => missing.has(path)) ? kernels.slice(0, 1) : [];
	const trees = [...opened].filter((path) => /^bcm27[^/]*\.dtb$/.test(path));
	const tree = trees.length > 0 && trees.every((path) => missing.has(path)) ? trees.slice(0, 1) : [];
	return [...kernel, ...tree];
}

/** Firmware that counts blocks in 16 bits without starting over: 65535 blocks of a size that Pis ask for. */
function atLastBlock(bytes: number): boolean {
	return [512, 1024, 1468].some((size) => bytes === 65535 * size || bytes === 65534 * size);
}

function brokenTransfer({ attempt, failed }: Scene): Scene["attempt"]["broken"] {
	return attempt.broken ?? failed.at(-1)?.broken;
}

/** A file that the image should not have: the firmware loads it and ignores everything else. */
function recovery({ attempt }: Scene): string | undefined {
	return [...attempt.complete].find((path) => /^recover[^/]*\.(elf|img|bin)$/.test(path));
}

/** How many attempts in a row, this one included, came to root and began again within five minutes. */
function rootLoops({ attempt, failed }: Scene): number {
	const back = failed
		.toReversed()
		.findIndex((one) => one.stage !== "root" || one.endedAt - one.startedAt > 300 * SECONDS);
	const loops = back < 0 ? failed.length : back;
	return attempt.stages.has("root") ? loops + 1 : loops;
}

/** Pi 5 bootloaders before 2023-10-30 call themselves by the Pi 4's letters. */
function oldPi5Bootloader({ firmware }: Scene): boolean {
	if (firmware?.fourCC !== "4iPR" || firmware.revision === undefined) return false;
	return decodeRevision(firmware.revision).soc === "BCM2712";
}

const UPDATE_BOOTLOADER =
	"Update the bootloader: boot Raspberry Pi OS from a card once and run `sudo rpi-eeprom-update -a`.";
const FIREWALL =
	"Open UDP 67 and 69 and the ports above 1024 in this machine's firewall, and stop other TFTP servers on it.";

export const RULES: readonly Rule[] = [
	{
		row: 10,
		code: "image-changed",
		severity: "error",
		applies: ({ attempt }) => attempt.imageChangedAt !== undefined,
		message: ({ attempt: { imageFailure } }) =>
			imageFailure === undefined
				? "The image that it runs from was overwritten or deleted: it waits for files that are gone."
				: `It was booted while its image was still being unpacked, and the rest never came: ${imageFailure}`,
		fix: ({ attempt: { imageFailure } }) =>
			imageFailure === undefined
				? "Reboot it: it takes the image as it is now. Replace images by rename, and running Pis go on."
				: "Bring the image in again, or give the Pi another one; then reboot it.",
	},
	{
		row: 9,
		code: "server-moved",
		severity: "error",
		applies: ({ attempt }) => attempt.serverMoved !== undefined,
		message: ({ attempt }) =>
			attempt.serverMoved?.to === undefined
				? `The server lost its address ${attempt.serverMoved?.from}, which this Pi's root hangs on.`
				: `The server's address changed from ${attempt.serverMoved.from} to ${attempt.serverMoved.to} while this Pi was running.`,
		fix: ({ attempt }) =>
			attempt.serverMoved?.to === undefined
				? "Plug the server's network in again: the Pi goes on as soon as the address is back."
				: "Reboot it. Reserve an address for the server in the router, or set a fixed one, and it does not happen again.",
	},
	{
		row: 11,
		code: "address-conflict",
		severity: "error",
		applies: ({ attempt }) => attempt.conflict !== undefined,
		message: ({ attempt }) => `It shares the address ${attempt.conflict?.address} with ${attempt.conflict?.other}.`,
		fix: () =>
			"Let one DHCP server alone give out addresses, and power-cycle both Pis. Pi 3s get mixed up when they start together.",
	},
	{
		row: 0,
		code: "waits-for-its-turn",
		severity: "info",
		applies: (scene) =>
			scene.attempt.waitsBehind !== undefined && since(scene, scene.attempt.lastDiscoverAt) < 15 * SECONDS,
		message: ({ attempt: { waitsBehind } }) =>
			waitsBehind === 0 || waitsBehind === undefined
				? "Many Pis boot at this moment: it is the next one."
				: `Many Pis boot at this moment: it waits for its turn, with ${waitsBehind} before it.`,
		fix: () => "Nothing has to be done: it begins by itself, and each of them boots sooner than if all began at once.",
	},
	{
		row: 2,
		code: "no-address-left",
		severity: "error",
		applies: (scene) => noTftp(scene) && scene.attempt.noAddressIn !== undefined,
		message: ({ attempt }) => `It got no address: all of ${attempt.noAddressIn} are given out.`,
		fix: () =>
			"Make the range larger (--dhcp-range), or the time shorter for which addresses are given (--dhcp-lease).",
	},
	{
		row: 4,
		code: "own-disk",
		severity: "info",
		applies: ({ attempt }) => attempt.ownSystemAt !== undefined,
		message: () => "It booted a system from its own disk.",
		fix: () =>
			"Take the SD card out, or put the network first: BOOT_ORDER=0xf12 in the bootloader's configuration (Pi 4 and later).",
	},
	{
		row: 12,
		code: "recovery-loaded",
		severity: "error",
		applies: (scene) => recovery(scene) !== undefined && since(scene, scene.attempt.lastFactAt) >= 10 * SECONDS,
		message: (scene) => `The image holds ${recovery(scene)}: the firmware loads it and ignores config.txt.`,
		fix: () => "Delete that file from the image's boot partition.",
	},
	{
		row: 9,
		code: "cmdline-refused",
		severity: "error",
		applies: ({ attempt }) => attempt.cmdlineRefusedTo !== undefined && attempt.cmdlineAt === undefined,
		message: ({ attempt }) =>
			`${attempt.cmdlineRefusedTo} asked for this Pi's command line, and nothing proves that it is this Pi.`,
		fix: () => "Put the Pi on the same network segment as this server: behind a router its address cannot be checked.",
	},
	{
		row: 9,
		code: "mount-refused",
		severity: "error",
		applies: ({ attempt }) => attempt.refusedMount !== undefined && attempt.mountAt === undefined,
		message: ({ attempt }) => `Its root ${attempt.refusedMount?.path} was refused: ${attempt.refusedMount?.reason}.`,
		fix: () => "Power-cycle the Pi, so that it gets a fresh command line.",
	},
	{
		row: 9,
		code: "portmap-only",
		severity: "error",
		applies: (scene) => scene.attempt.mountAt === undefined && since(scene, scene.attempt.portmapAt) >= 20 * SECONDS,
		message: () => "It found the portmapper, but never asked for its root.",
		fix: () => "Open TCP and UDP 111 and 2049 in this machine's firewall.",
	},
	{
		row: 9,
		code: "no-mount",
		severity: "error",
		applies: (scene) => scene.attempt.mountAt === undefined && since(scene, scene.attempt.linuxDhcpAt) >= 20 * SECONDS,
		message: ({ attempt }) =>
			attempt.initramfs
				? "Its initramfs has an address, but nothing came to the portmapper (port 111) or the NFS server."
				: "Its kernel has an address, but never asked for its root.",
		fix: () =>
			"Open TCP and UDP 111 and 2049 in this machine's firewall, and see that `/api/v1/health` shows both as listening.",
	},
	{
		row: 10,
		code: "reboot-loop",
		severity: "error",
		applies: (scene) => rootLoops(scene) >= 3,
		message: (scene) => `It mounted its root ${rootLoops(scene)} times in a row and started again each time.`,
		fix: () => "Reset its root; if that does not help, look at the image's findings and at the Pi's screen.",
	},
	{
		row: 10,
		code: "no-userspace",
		severity: "warning",
		applies: (scene) => since(scene, scene.attempt.mountAt) >= 90 * SECONDS,
		message: () => "It mounted its root 90 seconds ago, and no init system has started from it.",
		fix: () => "Look at the Pi's screen: the root may lack /sbin/init, or belong to another architecture.",
	},
	{
		row: 7,
		code: "block-rollover",
		severity: "error",
		applies: (scene) => atLastBlock(brokenTransfer(scene)?.bytes ?? 0),
		message: (scene) =>
			`Its bootloader gave up ${brokenTransfer(scene)?.path} at block 65535: the file is too large for it.`,
		fix: () => `Make the file smaller. ${UPDATE_BOOTLOADER}`,
	},
	{
		row: 7,
		code: "file-timeout",
		severity: "error",
		applies: (scene) => {
			const broken = brokenTransfer(scene);
			return broken !== undefined && broken.bytes > 0 && broken.took >= 25 * SECONDS && broken.took <= 40 * SECONDS;
		},
		message: (scene) => {
			const { path, bytes, size } = brokenTransfer(scene) ?? { path: "a file", bytes: 0, size: 0 };
			return `Its bootloader gave up ${path} after 30 seconds, with ${bytes} of ${size} bytes.`;
		},
		fix: () =>
			"Look for a slow or lossy link, make the file smaller, or set TFTP_FILE_TIMEOUT=300000 in the bootloader's configuration.",
	},
	{
		row: 8,
		code: "replies-lost",
		severity: "error",
		applies: ({ attempt }) => attempt.timeouts >= 1 && attempt.complete.size === 0,
		message: () => "It asks for boot files, but our replies do not reach it.",
		fix: () => FIREWALL,
	},
	{
		row: 6,
		code: "boot-file-missing",
		severity: "error",
		applies: (scene) =>
			scene.attempt.cmdlineAt === undefined &&
			since(scene, scene.attempt.lastTftpAt) >= 5 * SECONDS &&
			missingEssentials(scene).length > 0,
		message: (scene) => `It cannot boot from this image: ${missingEssentials(scene).join(" and ")} is not in it.`,
		fix: () => "Give it an image that is made for its model.",
	},
	{
		row: 13,
		code: "config-loop",
		severity: "error",
		applies: ({ attempt, failed }) =>
			attempt.cmdlineAt === undefined &&
			[attempt, ...failed].filter(({ complete }) => complete.has("config.txt") && !hasKernel(complete)).length >= 3,
		message: ({ attempt }) => {
			const lost = [...attempt.missing].filter((path) => /^(kernel|bcm27|cmdline)/.test(path));
			return `It reads config.txt over and over and loads no kernel${lost.length > 0 ? `: ${lost.join(", ")} is missing` : ""}.`;
		},
		fix: () => "Check that config.txt names files that the image has.",
	},
	{
		row: 9,
		code: "kernel-silent",
		severity: "error",
		applies: (scene) =>
			!scene.attempt.stages.has("kernel") &&
			scene.attempt.cmdlineAt !== undefined &&
			hasKernel(scene.attempt.complete) &&
			since(scene, scene.attempt.lastTftpAt) >= 60 * SECONDS,
		message: () => "It got its kernel a minute ago, and the kernel never asked for an address.",
		fix: () =>
			"Look at the Pi's screen: the kernel or initramfs may not be made for this model, or lacks its network driver.",
	},
	{
		row: 14,
		code: "old-bootloader",
		severity: "warning",
		applies: (scene) => oldPi5Bootloader(scene) && scene.attempt.cmdlineAt === undefined && ignoresOffers(scene),
		message: () => "Its bootloader is older than 2023-10-30: such a Pi 5 boots from the network once, and not again.",
		fix: () => UPDATE_BOOTLOADER,
	},
	{
		row: 3,
		code: "relayed-pi3",
		severity: "error",
		applies: (scene) => scene.attempt.relay !== undefined && isPi3(scene) && asksInVain(scene),
		message: ({ attempt }) =>
			`It is behind the DHCP relay ${attempt.relay}, and a Pi 3 takes the relay for the server that it boots from.`,
		fix: () => "Plug it into a network that this server is in itself. A Pi 4 and later works behind a relay.",
	},
	{
		row: 3,
		code: "mask-rom",
		severity: "warning",
		applies: (scene) => isMaskRom(scene) && ignoresOffers(scene),
		message: () => "The ROM of this Pi 3B hears us badly, which is a fault of that ROM.",
		fix: () => "If it fails again, put an SD card into it that holds nothing but a current bootcode.bin.",
	},
	{
		row: 2,
		code: "no-address-server",
		severity: "error",
		applies: (scene) => ignoresOffers(scene) && noAddressServer(scene),
		message: () => "No DHCP server on this network gives it an address.",
		fix: () =>
			"Start the server with --dhcp full, so that it gives out addresses itself; or connect the Pi to your router's network.",
	},
	{
		row: 1,
		code: "offers-ignored",
		severity: "error",
		applies: ignoresOffers,
		message: ({ attempt }) =>
			attempt.requestAt === undefined
				? "It asks for an address again and again and does not react to our answers."
				: "It got an address from another DHCP server, but our boot answer does not reach it.",
		fix: () => `Make sure that nothing between it and this server filters DHCP. ${FIREWALL}`,
	},
	{
		row: 8,
		code: "firmware-stopped",
		severity: "error",
		applies: (scene) =>
			scene.attempt.firstTftpAt !== undefined &&
			!scene.attempt.stages.has("kernel") &&
			!hasKernel(scene.attempt.complete) &&
			since(scene, scene.attempt.lastTftpAt) >= 60 * SECONDS,
		message: ({ attempt }) =>
			`It stopped asking for boot files; the last that it got whole was ${[...attempt.complete].at(-1) ?? "none"}.`,
		fix: () => "Look at its power supply, cable and screen, and power-cycle it.",
	},
];

function hasKernel(complete: ReadonlySet<string>): boolean {
	return [...complete].some((path) => /^(.*\/)?(kernel|vmlinu)[^/]*$/.test(path) || path === "boot.img");
}
