/** A command line was asked for: what keeps the kernel, its root and its init. */
import { rootLoops, SECONDS, since } from "../questions.ts";
import type { Rule } from "../scene.ts";

export const SYSTEM_RULES: readonly Rule[] = [
	{
		row: 9,
		code: "cmdline-refused",
		severity: "error",
		applies: ({ attempt }) => attempt.cmdlineRefusedTo !== undefined && attempt.cmdlineAt === undefined,
		seen: ({ attempt }) =>
			`cmdline.txt was asked for from ${attempt.cmdlineRefusedTo}; neither a lease nor the neighbour table says that this is the Pi.`,
		message: ({ attempt }) =>
			`${attempt.cmdlineRefusedTo} asked for this Pi's command line, and nothing proves that it is this Pi.`,
		fix: () => "Put the Pi on the same network segment as this server: behind a router its address cannot be checked.",
	},
	{
		row: 9,
		code: "mount-refused",
		severity: "error",
		applies: ({ attempt }) => attempt.refusedMount !== undefined && attempt.mountAt === undefined,
		seen: ({ attempt }) => `It asked for ${attempt.refusedMount?.path} over NFS.`,
		message: ({ attempt }) => `Its root ${attempt.refusedMount?.path} was refused: ${attempt.refusedMount?.reason}.`,
		fix: () => "Power-cycle the Pi, so that it gets a fresh command line.",
	},
	{
		row: 9,
		code: "portmap-only",
		severity: "error",
		applies: (scene) => scene.attempt.mountAt === undefined && since(scene, scene.attempt.portmapAt) >= 20 * SECONDS,
		seen: () => "Its initramfs asked the portmapper for the NFS server; 20 seconds later nothing had come there.",
		message: () => "It found the portmapper, but never asked for its root.",
		fix: () => "Open TCP and UDP 111 and 2049 in this machine's firewall.",
	},
	{
		row: 9,
		code: "no-mount",
		severity: "error",
		applies: (scene) =>
			scene.attempt.mountAt === undefined &&
			scene.attempt.portmapAt === undefined &&
			since(scene, scene.attempt.linuxDhcpAt) >= 20 * SECONDS,
		seen: ({ attempt }) =>
			`Its ${attempt.initramfs ? "initramfs" : "kernel"} asked for an address; 20 seconds later it had not asked for its root.`,
		message: ({ attempt }) =>
			attempt.initramfs
				? "Its initramfs has an address, but nothing came to the portmapper (port 111) or the NFS server."
				: "Its kernel has an address, but never asked for its root.",
		fix: () =>
			"Open TCP and UDP 111 and 2049 in this machine's firewall, and see on the page Network that the portmapper and NFS are running.",
	},
	{
		row: 10,
		code: "reboot-loop",
		severity: "error",
		applies: (scene) => rootLoops(scene) >= 3,
		seen: (scene) => `${rootLoops(scene)} times it mounted its root, and asked to boot again within five minutes.`,
		message: (scene) => `It mounted its root ${rootLoops(scene)} times in a row and started again each time.`,
		fix: () => "Reset its root; if that does not help, look at the image's findings and at the Pi's screen.",
	},
	{
		row: 10,
		code: "no-userspace",
		severity: "warning",
		applies: (scene) => since(scene, scene.attempt.mountAt) >= 60 * SECONDS,
		seen: () => "Its root was mounted a minute ago, and nothing that an init system begins with was read from it.",
		message: () => "It mounted its root, and no init system starts from it.",
		fix: () => "Look at the Pi's screen: the root may lack /sbin/init, or belong to another architecture.",
	},
];
