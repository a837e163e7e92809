/** It is answered, and asks for no file. */

import { asksInVain, ignoresOffers, isMaskRom, isPi3, noAddressServer, oldBootloader, times } from "../questions.ts";
import type { Rule } from "../scene.ts";
import { FIREWALL, UPDATE_BOOTLOADER } from "./advice.ts";

export const ANSWER_RULES: readonly Rule[] = [
	{
		row: 14,
		code: "old-bootloader",
		severity: "warning",
		applies: (scene) =>
			oldBootloader(scene) !== undefined && scene.attempt.cmdlineAt === undefined && ignoresOffers(scene),
		seen: ({ attempt, firmware }) =>
			`It asked ${times(attempt.discovers)}, was answered, and signs as ${firmware?.fourCC}, as its bootloaders did until then.`,
		message: (scene) =>
			`Its bootloader is older than ${oldBootloader(scene)}: some of those boot from the network once, and not again.`,
		fix: () => UPDATE_BOOTLOADER,
	},
	{
		row: 3,
		code: "relayed-pi3",
		severity: "error",
		applies: (scene) => scene.attempt.relay !== undefined && isPi3(scene) && asksInVain(scene),
		seen: ({ attempt }) => `It asked by the relay ${attempt.relay}, was answered, and asked for no file.`,
		message: ({ attempt }) =>
			`It is behind the DHCP relay ${attempt.relay}, and a Pi 3 takes the relay for the server that it boots from.`,
		fix: () => "Plug it into a network that this server is in itself. A Pi 4 and later works behind a relay.",
	},
	{
		row: 3,
		code: "mask-rom",
		severity: "warning",
		applies: (scene) => isMaskRom(scene) && ignoresOffers(scene),
		seen: ({ attempt }) =>
			`It asked ${times(attempt.discovers)}, was answered in the way that its ROM needs, and asked for no file.`,
		message: () => "The ROM of this Pi 3B hears us badly, which is a fault of that ROM.",
		fix: () => "If it fails again, put an SD card into it that holds nothing but a current bootcode.bin.",
	},
	{
		row: 2,
		code: "no-address-server",
		severity: "error",
		applies: (scene) => ignoresOffers(scene) && noAddressServer(scene),
		seen: ({ attempt }) => `It asked ${times(attempt.discovers)}; we answered, and no DHCP server did.`,
		message: () => "No DHCP server on this network gives it an address.",
		fix: () =>
			"Start the server with --dhcp full, so that it gives out addresses itself; or connect the Pi to your router's network.",
	},
	{
		row: 1,
		code: "offers-ignored",
		severity: "error",
		applies: ignoresOffers,
		seen: ({ attempt }) => `It asked ${times(attempt.discovers)}, was answered, and asked for no file.`,
		message: ({ attempt }) =>
			attempt.requestAt === undefined
				? "Our answers do not reach it: it asks for an address again and again."
				: "It got an address from another DHCP server, but our boot answer does not reach it.",
		fix: () => `Make sure that nothing between it and this server filters DHCP. ${FIREWALL}`,
	},
];
