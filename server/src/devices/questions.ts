/** What the rules of the rule book ask of a scene. */
import { decodeRevision, modelOf, socOfBootFile } from "./board.ts";
import type { Scene } from "./scene.ts";

export const SECONDS = 1000;

/** Milliseconds since something was seen; -1 when it was not. */
export function since(scene: Scene, at: number | undefined): number {
	return at === undefined ? -1 : scene.now - at;
}

/** `once`, `7 times` */
export function times(count: number): string {
	return count === 1 ? "once" : `${count} times`;
}

export function noTftp({ attempt }: Scene): boolean {
	return attempt.firstTftpAt === undefined;
}

/** We answered the DISCOVER long ago, it came again, and no file was asked for. */
export function ignoresOffers(scene: Scene): boolean {
	const { attempt } = scene;
	return noTftp(scene) && attempt.discovers >= 2 && since(scene, attempt.firstOfferAt) >= 10 * SECONDS;
}

/** As `ignoresOffers`, sooner: it is known that it cannot work. */
export function asksInVain(scene: Scene): boolean {
	return noTftp(scene) && since(scene, scene.attempt.firstOfferAt) >= 5 * SECONDS;
}

export function isPi3({ firmware }: Scene): boolean {
	return firmware?.generation === "mask-rom" || firmware?.generation === "pi3";
}

export function isMaskRom({ firmware }: Scene): boolean {
	return firmware?.generation === "mask-rom";
}

/** Nobody on the LAN gives out addresses, as far as can be known. The EEPROM bootloader would have sent a REQUEST. */
export function noAddressServer({ attempt, firmware, surroundings }: Scene): boolean {
	// Who takes an address was given one, whatever was there when the LAN was asked last.
	if (surroundings.dhcpMode !== "proxy" || attempt.requestAt !== undefined) return false;
	if (surroundings.otherDhcpServers !== undefined) return surroundings.otherDhcpServers.length === 0;
	return firmware?.generation === "eeprom";
}

/** We gave up sending it a file of which it acknowledged nothing, nor of any other; in this attempt or in the one before. */
export function hearsNothing({ attempt, failed }: Scene): boolean {
	if (attempt.complete.size > 0 || attempt.acknowledged > 0) return false;
	const before = failed.at(-1);
	return attempt.timeouts >= 1 || (before !== undefined && before.timeouts >= 1 && before.acknowledged === 0);
}

/** In how many attempts it read config.txt and took no kernel. */
export function configRounds({ attempt, failed }: Scene): number {
	if (attempt.cmdlineAt !== undefined) return 0;
	return [attempt, ...failed].filter(({ complete }) => complete.has("config.txt") && !hasKernel(complete)).length;
}

export function isLeftAlone({ unanswered }: Scene["attempt"]): boolean {
	return unanswered?.why === "disk" || unanswered?.why === "ignore";
}

type Chip = ReturnType<typeof socOfBootFile>;

/** The chip that boots, for the names of the files that it cannot do without. */
function chip({ model, attempt }: Scene): Chip {
	if (model === null) return [...attempt.opened].map(socOfBootFile).find((soc) => soc !== undefined);
	const { soc } = modelOf(model);
	return soc === "BCM2711" || soc === "BCM2712" ? soc : "up to BCM2837";
}

/** What was asked for in one attempt. */
type Asked = Pick<Scene["attempt"], "missing" | "complete" | "opened">;

/**
 * The files without which it cannot boot and that are not there: of this attempt, once it says nothing more, else of the two
 * before it, for a Pi that begins anew at once.
 */
export function lostFiles(scene: Scene): string[] {
	const { attempt, failed } = scene;
	if (attempt.cmdlineAt !== undefined) return [];
	if (since(scene, attempt.lastTftpAt) >= 5 * SECONDS) return missingEssentials(scene, attempt);
	const [one, two] = failed.slice(-2).map((asked) => missingEssentials(scene, asked));
	if (one === undefined || two === undefined || one.length === 0) return [];
	return two.filter((path) => !attempt.opened.has(path) || attempt.missing.has(path));
}

/** Files that were asked for, are not there, and without which the boot ends here. */
function missingEssentials(scene: Scene, { missing, complete, opened }: Asked): string[] {
	const has = (path: string) => opened.has(path) && !missing.has(path);
	const lost = (...alternatives: string[]) =>
		alternatives.some((path) => missing.has(path)) && !alternatives.some(has) ? alternatives.slice(0, 1) : [];
	switch (chip(scene)) {
		case "up to BCM2837":
			return [...lost("bootcode.bin"), ...lost("start.elf"), ...lost("fixup.dat"), ...lostKernel(missing, opened)];
		case "BCM2711":
			return [...lost("start4.elf", "start.elf"), ...lostKernel(missing, opened)];
		case "BCM2712":
			return [...lost("config.txt"), ...lostKernel(missing, opened)];
		default:
			return complete.size === 0 ? [...missing].slice(0, 1) : [];
	}
}

/** The kernel, when each name that was tried is missing; on Pi 5 the device tree too. */
function lostKernel(missing: ReadonlySet<string>, opened: ReadonlySet<string>): string[] {
	const kernels = [...opened].filter((path) => /^kernel[^/]*\.img$/.test(path));
	const kernel = kernels.length > 0 && kernels.every((path) => missing.has(path)) ? kernels.slice(0, 1) : [];
	const trees = [...opened].filter((path) => /^bcm27[^/]*\.dtb$/.test(path));
	const tree = trees.length > 0 && trees.every((path) => missing.has(path)) ? trees.slice(0, 1) : [];
	return [...kernel, ...tree];
}

/** Firmware that counts blocks in 16 bits without starting over: 65535 blocks of a size that Pis ask for. */
export function atLastBlock(bytes: number): boolean {
	return [512, 1024, 1468].some((size) => bytes === 65535 * size || bytes === 65534 * size);
}

export function brokenTransfer({ attempt, failed }: Scene): Scene["attempt"]["broken"] {
	return attempt.broken ?? failed.at(-1)?.broken;
}

/** A file that the image should not have: the firmware loads it and ignores everything else. */
export function recovery({ attempt }: Scene): string | undefined {
	return [...attempt.complete].find((path) => /^recover[^/]*\.(elf|img|bin)$/.test(path));
}

/** How many attempts in a row, this one included, came to root and began again within five minutes. */
export function rootLoops({ attempt, failed }: Scene): number {
	const back = failed
		.toReversed()
		.findIndex((one) => one.stage !== "root" || one.endedAt - one.startedAt > 300 * SECONDS);
	const loops = back < 0 ? failed.length : back;
	return attempt.stages.has("root") ? loops + 1 : loops;
}

/**
 * The month before which a bootloader was made that is known to boot from the network once and not again. Those of the Pi 5
 * called themselves by the Pi 4's letters before 2023-10-30, those of the Pi 4 wrote theirs the other way round before 2022-03.
 */
export function oldBootloader({ firmware }: Scene): string | undefined {
	if (firmware?.revision === undefined) return undefined;
	const { soc } = decodeRevision(firmware.revision);
	if (soc === "BCM2712" && firmware.fourCC === "4iPR") return "November 2023";
	return soc === "BCM2711" && firmware.fourCC === "RPi4" ? "March 2022" : undefined;
}

export function hasKernel(complete: ReadonlySet<string>): boolean {
	return [...complete].some((path) => /^(.*\/)?(kernel|vmlinu)[^/]*$/.test(path) || path === "boot.img");
}
