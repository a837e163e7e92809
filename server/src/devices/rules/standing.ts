/** What stands in the way whatever the Pi does: the address, other servers, what people set. */
import { isLeftAlone, noTftp, SECONDS, since } from "../questions.ts";
import type { Rule } from "../scene.ts";

export const STANDING_RULES: readonly Rule[] = [
	{
		row: 10,
		code: "image-changed",
		severity: "error",
		applies: ({ attempt }) => attempt.imageChangedAt !== undefined,
		seen: ({ attempt: { imageFailure } }) =>
			imageFailure === undefined
				? "The image's file is another one than when its root was mounted."
				: "The unpacking of the image ended before all of it was there.",
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
		seen: ({ attempt }) => `Its root is mounted from ${attempt.serverMoved?.from}, which this machine no longer has.`,
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
		seen: ({ attempt }) =>
			`It asked for ${attempt.conflict?.address}, which ${attempt.conflict?.other} was seen to have.`,
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
		seen: () => "It asked, while as many Pis boot as this server lets begin at once.",
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
		seen: () => "It asked for somebody to boot from.",
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
		seen: () => "It asked for somebody to boot from.",
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
		seen: ({ attempt }) => `It asked both servers, and took the address of ${attempt.otherServer}.`,
		message: ({ attempt }) =>
			`It took its address from the DHCP server ${attempt.otherServer}, while this server gives out addresses too.`,
		fix: () => "Switch one of the two off: DHCP in that machine, or here with --dhcp proxy.",
	},
	{
		row: 2,
		code: "no-address-left",
		severity: "error",
		applies: (scene) => noTftp(scene) && scene.attempt.noAddressIn !== undefined,
		seen: ({ attempt }) => `It asked for an address, and none of ${attempt.noAddressIn} was free.`,
		message: ({ attempt }) => `It got no address: all of ${attempt.noAddressIn} are taken.`,
		fix: () =>
			"Make the range larger (--dhcp-range), or the time shorter for which addresses are given (--dhcp-lease).",
	},
	{
		row: 4,
		code: "own-disk",
		severity: "info",
		applies: ({ attempt }) => attempt.ownSystemAt !== undefined && !isLeftAlone(attempt),
		seen: () => "Linux asked for an address from its network port, and this server had sent it no kernel.",
		message: () => "It booted a system from its own disk.",
		fix: () =>
			"Take the SD card out, or put the network first: BOOT_ORDER=0xf12 in the bootloader's configuration (Pi 4 and later).",
	},
];
