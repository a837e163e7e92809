/** What of the list can be booted from the network, as far as the list itself tells. */
import { isImportableName } from "../import/image-name.ts";

/** Models whose bootloader or boot ROM asks the network, by the tags of the list (`pi4-64bit`). */
const MODELS = ["pi3", "pi4", "pi5"];

/** Systems whose root is nothing that an NFS server can give file by file, or that need a disk of their own. */
const KINDS: readonly (readonly [RegExp, string])[] = [
	[/bootloader|eeprom/i, "It writes the bootloader of the Pi from a card; it has no root file system."],
	[/\berase\b|format card/i, "It erases a card."],
	[/libreelec|coreelec/i, "Its root is one packed file that it wants on a disk of its own."],
	[/home assistant/i, "Its root is a packed partition that it wants on a disk of its own."],
	[/ubuntu core/i, "Its root is made of snaps, which need a disk of their own."],
	[/risc ?os/i, "RISC OS has no root on the network."],
	[/android|lineageos|emteria/i, "Android has no root on the network."],
];

/** Models that the tags name and that can boot from the network. Empty where there are no tags. */
export function modelsFor(devices: readonly string[] | undefined): string[] {
	const tags = devices ?? [];
	return MODELS.filter((model) => tags.some((tag) => tag === model || tag.startsWith(`${model}-`)));
}

export interface Offer {
	readonly name: string;
	readonly category: readonly string[];
	/** Empty when it has no address that can be downloaded. */
	readonly fileName: string;
	readonly devices: readonly string[] | undefined;
	readonly models: readonly string[];
}

/** Why it cannot be booted from the network; undefined when nothing speaks against it. */
export function whyNot({ name, category, fileName, devices, models }: Offer): string | undefined {
	const known = KINDS.find(([pattern]) => [name, ...category].some((text) => pattern.test(text)));
	if (known !== undefined) return known[1];
	if (fileName === "") return "It is part of Raspberry Pi Imager itself: there is nothing to download.";
	if (!isImportableName(fileName)) return `${fileName} is no image that can be unpacked here.`;
	if (devices !== undefined && models.length === 0) return "It is for models that cannot boot from the network.";
	return undefined;
}
