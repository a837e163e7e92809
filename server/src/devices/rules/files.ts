/** What goes wrong while the firmware fetches its files, and when its kernel should begin. */

import {
	atLastBlock,
	brokenTransfer,
	configRounds,
	hasKernel,
	hearsNothing,
	lostFiles,
	recovery,
	SECONDS,
	since,
	times,
} from "../questions.ts";
import type { Rule } from "../scene.ts";
import { FIREWALL, UPDATE_BOOTLOADER } from "./advice.ts";

export const FILE_RULES: readonly Rule[] = [
	{
		row: 12,
		code: "recovery-loaded",
		severity: "error",
		applies: (scene) => recovery(scene) !== undefined && since(scene, scene.attempt.lastFactAt) >= 10 * SECONDS,
		seen: (scene) => `It fetched ${recovery(scene)}, and no more files after it.`,
		message: (scene) => `The image holds ${recovery(scene)}: the firmware loads it and ignores config.txt.`,
		fix: () => "Delete that file from the image's boot partition.",
	},
	{
		row: 0,
		code: "file-unreadable",
		severity: "error",
		applies: (scene) => scene.attempt.broken?.outcome === "failed",
		seen: ({ attempt }) => `It asked for ${attempt.broken?.path}, and reading that failed on this machine.`,
		message: ({ attempt }) => `The server could not read ${attempt.broken?.path} out of its image.`,
		fix: () =>
			"Look at the server's log, which says why: a disk that fails, or an image that is damaged or went away. Import the image anew.",
	},
	{
		row: 7,
		code: "block-rollover",
		severity: "error",
		applies: (scene) => atLastBlock(brokenTransfer(scene)?.bytes ?? 0),
		seen: (scene) =>
			`The transfer of ${brokenTransfer(scene)?.path} ended after ${brokenTransfer(scene)?.bytes} bytes, its block 65535.`,
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
		seen: (scene) => {
			const { path, bytes, size } = brokenTransfer(scene) ?? { path: "a file", bytes: 0, size: 0 };
			return `It took ${bytes} of the ${size} bytes of ${path} in 30 seconds, and no more.`;
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
		applies: hearsNothing,
		// One that began anew just now has not asked again yet.
		seen: ({ attempt: { tftpRequests } }) =>
			`It asked for files${tftpRequests > 0 ? ` ${times(tftpRequests)}` : ""}, and acknowledged nothing of what was sent.`,
		message: () => "It asks for boot files, but our replies do not reach it.",
		fix: () => FIREWALL,
	},
	{
		row: 6,
		code: "boot-file-missing",
		severity: "error",
		applies: (scene) => lostFiles(scene).length > 0,
		seen: (scene) => `It asked for ${lostFiles(scene).join(" and ")}, and the image has nothing of that name.`,
		message: (scene) => `It cannot boot from this image: ${lostFiles(scene).join(" and ")} is not in it.`,
		fix: () => "Give it an image that is made for its model.",
	},
	{
		row: 13,
		code: "config-loop",
		severity: "error",
		applies: (scene) => configRounds(scene) >= 3,
		seen: (scene) => `It fetched config.txt in ${configRounds(scene)} boots in a row, and a kernel in none.`,
		message: ({ attempt }) => {
			const lost = [...attempt.missing].filter((path) =>
				/^(kernel|bcm27|cmdline|(?!recover).*\.(img|dtb)$)/.test(path),
			);
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
		seen: () => "It fetched its kernel and cmdline.txt; a minute later no kernel had asked for an address.",
		message: () => "It got its kernel a minute ago, and the kernel never asked for an address.",
		fix: () =>
			"Look at the Pi's screen: the kernel or initramfs may not be made for this model, or lacks its network driver.",
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
		seen: ({ attempt }) =>
			`It asked for ${attempt.opened.size === 1 ? "one file" : `${attempt.opened.size} files`}, and for nothing in the last minute.`,
		message: ({ attempt }) =>
			`It stopped asking for boot files; the last that it got whole was ${[...attempt.complete].at(-1) ?? "none"}.`,
		fix: () => "Look at its power supply, cable and screen, and power-cycle it.",
	},
];
