/** The rules of the rule book, in the order in which they are asked. */
import {
	asksInVain,
	atLastBlock,
	brokenTransfer,
	hasKernel,
	ignoresOffers,
	isLeftAlone,
	isMaskRom,
	isPi3,
	missingEssentials,
	noAddressServer,
	noTftp,
	oldBootloader,
	recovery,
	rootLoops,
	SECONDS,
	since,
} from "./questions.ts";
import type { Rule } from "./scene.ts";

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
		row: 0,
		code: "left-alone",
		severity: "info",
		applies: ({ attempt }) => isLeftAlone(attempt),
		message: ({ attempt }) =>
			attempt.unanswered?.why === "disk"
				? "It is set to boot from its own disk, so it is not answered."
				: "It is set to be left alone, so it is not answered.",
		fix: () => "Set it to boot from the network (`pi-netboot devices set NAME --intent netboot`), and power-cycle it.",
	},
	{
		row: 0,
		code: "no-image",
		severity: "error",
		applies: ({ attempt }) => attempt.unanswered?.why === "no-image" && attempt.firstTftpAt === undefined,
		message: ({ attempt: { unanswered } }) =>
			unanswered?.why === "no-image" && unanswered.imageId !== null
				? `It is not answered: its image ${unanswered.imageId} is not ready.`
				: "It is not answered: there is no image that is ready.",
		fix: () =>
			"Put an image into the images folder, or look at `pi-netboot images`: what is wrong with one is said there.",
	},
	{
		row: 11,
		code: "two-dhcp-servers",
		severity: "error",
		applies: ({ attempt }) => attempt.otherServer !== undefined,
		message: ({ attempt }) =>
			`It took its address from the DHCP server ${attempt.otherServer}, while this server gives out addresses too.`,
		fix: () => "Switch one of the two off: DHCP in that machine, or here with --dhcp proxy.",
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
		applies: ({ attempt }) => attempt.ownSystemAt !== undefined && !isLeftAlone(attempt),
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
		row: 0,
		code: "file-unreadable",
		severity: "error",
		applies: (scene) => scene.attempt.broken?.outcome === "failed",
		message: ({ attempt }) => `The server could not read ${attempt.broken?.path} out of its image.`,
		fix: () =>
			"Look at the server's log, which says why: a disk that fails, or an image that is damaged or went away. Import the image anew.",
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
		applies: (scene) =>
			oldBootloader(scene) !== undefined && scene.attempt.cmdlineAt === undefined && ignoresOffers(scene),
		message: (scene) =>
			`Its bootloader is older than ${oldBootloader(scene)}: some of those boot from the network once, and not again.`,
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
