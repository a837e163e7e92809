/**
 * The boards: what a revision code says (raspberrypi.com/documentation, revision-codes), the models, and how each of them
 * boots from the network, if at all.
 */

export type Soc = "BCM2835" | "BCM2836" | "BCM2837" | "BCM2711" | "BCM2712";

/**
 * Who asks for the boot files. `card`: only a bootcode.bin on an SD card can. `rom`: the mask ROM, once a fuse is set.
 * `rom-enabled`: the mask ROM, as it leaves the factory. `eeprom`: the bootloader in the SPI EEPROM. `none`: nobody.
 */
export type NetbootWay = "none" | "card" | "rom" | "rom-enabled" | "eeprom";

export interface Model {
	readonly id: ModelId;
	/** As it is printed on the box. */
	readonly name: string;
	/** The T field of its revision code. */
	readonly type: number;
	readonly soc: Soc;
	readonly netboot: NetbootWay;
}

const models = {
	pi1a: { name: "Raspberry Pi Model A", type: 0x00, soc: "BCM2835", netboot: "none" },
	pi1b: { name: "Raspberry Pi Model B", type: 0x01, soc: "BCM2835", netboot: "card" },
	pi1ap: { name: "Raspberry Pi Model A+", type: 0x02, soc: "BCM2835", netboot: "none" },
	pi1bp: { name: "Raspberry Pi Model B+", type: 0x03, soc: "BCM2835", netboot: "card" },
	pi2b: { name: "Raspberry Pi 2 Model B", type: 0x04, soc: "BCM2836", netboot: "card" },
	cm1: { name: "Raspberry Pi Compute Module 1", type: 0x06, soc: "BCM2835", netboot: "none" },
	pi3b: { name: "Raspberry Pi 3 Model B", type: 0x08, soc: "BCM2837", netboot: "rom" },
	pizero: { name: "Raspberry Pi Zero", type: 0x09, soc: "BCM2835", netboot: "none" },
	cm3: { name: "Raspberry Pi Compute Module 3", type: 0x0a, soc: "BCM2837", netboot: "none" },
	pizerow: { name: "Raspberry Pi Zero W", type: 0x0c, soc: "BCM2835", netboot: "none" },
	pi3bp: { name: "Raspberry Pi 3 Model B+", type: 0x0d, soc: "BCM2837", netboot: "rom-enabled" },
	pi3ap: { name: "Raspberry Pi 3 Model A+", type: 0x0e, soc: "BCM2837", netboot: "none" },
	cm3p: { name: "Raspberry Pi Compute Module 3+", type: 0x10, soc: "BCM2837", netboot: "none" },
	pi4: { name: "Raspberry Pi 4 Model B", type: 0x11, soc: "BCM2711", netboot: "eeprom" },
	zero2w: { name: "Raspberry Pi Zero 2 W", type: 0x12, soc: "BCM2837", netboot: "none" },
	pi400: { name: "Raspberry Pi 400", type: 0x13, soc: "BCM2711", netboot: "eeprom" },
	cm4: { name: "Raspberry Pi Compute Module 4", type: 0x14, soc: "BCM2711", netboot: "eeprom" },
	cm4s: { name: "Raspberry Pi Compute Module 4S", type: 0x15, soc: "BCM2711", netboot: "none" },
	pi5: { name: "Raspberry Pi 5 Model B", type: 0x17, soc: "BCM2712", netboot: "eeprom" },
	cm5: { name: "Raspberry Pi Compute Module 5", type: 0x18, soc: "BCM2712", netboot: "eeprom" },
	pi500: { name: "Raspberry Pi 500", type: 0x19, soc: "BCM2712", netboot: "eeprom" },
	cm5l: { name: "Raspberry Pi Compute Module 5 Lite", type: 0x1a, soc: "BCM2712", netboot: "eeprom" },
	cm0: { name: "Raspberry Pi Compute Module 0", type: 0x1b, soc: "BCM2837", netboot: "none" },
} as const satisfies Record<string, Omit<Model, "id">>;

export type ModelId = keyof typeof models;

/** Tells whether a word is the id of a model. */
export function isModelId(id: string): id is ModelId {
	return Object.hasOwn(models, id);
}

export const MODELS: readonly Model[] = Object.keys(models)
	.filter(isModelId)
	.map((id) => ({ id, ...models[id] }));

/** The model of an id. */
export function modelOf(id: ModelId): Model {
	return { id, ...models[id] };
}

/** What a revision code says. What it says of an unknown board is undefined, not guessed. */
export interface Board {
	readonly model: ModelId | undefined;
	readonly soc: Soc | undefined;
	/** Bytes; undefined for codes that we do not know. */
	readonly memory: number | undefined;
	/** `1.2`; undefined for codes of the old style. */
	readonly revision: string | undefined;
	/** How this very board boots from the network: a 2B v1.2 has the ROM of a 3B. */
	readonly netboot: NetbootWay | undefined;
}

const MIB = 1024 * 1024;

/** The P field, bits 12 to 15. */
const SOCS: readonly Soc[] = ["BCM2835", "BCM2836", "BCM2837", "BCM2711", "BCM2712"];

/** Codes of the time before the fields: model and MiB. */
const OLD_CODES = new Map<number, readonly [ModelId, number]>([
	[0x02, ["pi1b", 256]],
	[0x03, ["pi1b", 256]],
	[0x04, ["pi1b", 256]],
	[0x05, ["pi1b", 256]],
	[0x06, ["pi1b", 256]],
	[0x07, ["pi1a", 256]],
	[0x08, ["pi1a", 256]],
	[0x09, ["pi1a", 256]],
	[0x0d, ["pi1b", 512]],
	[0x0e, ["pi1b", 512]],
	[0x0f, ["pi1b", 512]],
	[0x10, ["pi1bp", 512]],
	[0x11, ["cm1", 512]],
	[0x12, ["pi1ap", 256]],
	[0x13, ["pi1bp", 512]],
	[0x14, ["cm1", 512]],
	// Made with either 256 or 512 MiB.
	[0x15, ["pi1ap", 256]],
]);

/**
 * Decodes a board revision: `NOQu uuWu FMMM CCCC PPPP TTTT TTTT RRRR`, or an old code when F is 0.
 *
 * @param code 32 bits, as option 97 and /proc/cpuinfo have it.
 */
export function decodeRevision(code: number): Board {
	return (code & (1 << 23)) === 0 ? decodeOldCode(code) : decodeFields(code);
}

function decodeOldCode(code: number): Board {
	// The bits above are warranty flags.
	const known = OLD_CODES.get(code & 0xffff);
	if (known === undefined) {
		return { model: undefined, soc: undefined, memory: undefined, revision: undefined, netboot: undefined };
	}
	const [model, mebibytes] = known;
	return { model, soc: "BCM2835", memory: mebibytes * MIB, revision: undefined, netboot: models[model].netboot };
}

function decodeFields(code: number): Board {
	const memory = (code >>> 20) & 7;
	const type = (code >>> 4) & 0xff;
	const soc = SOCS[(code >>> 12) & 15];
	const model = MODELS.find((candidate) => candidate.type === type);
	return {
		model: model?.id,
		soc,
		// 7 is not given to any size yet.
		memory: memory === 7 ? undefined : 256 * MIB * 2 ** memory,
		revision: `1.${code & 15}`,
		netboot: model?.id === "pi2b" && soc === "BCM2837" ? "rom" : model?.netboot,
	};
}

function memoryText(bytes: number): string {
	return bytes >= 1024 * MIB ? `${bytes / (1024 * MIB)} GB` : `${bytes / MIB} MB`;
}

/** For people: `Raspberry Pi 5 Model B, 8 GB`; without the memory where the revision does not tell. */
export function modelName(id: ModelId, revision: number | null): string {
	const memory = revision === null ? undefined : decodeRevision(revision).memory;
	return memory === undefined ? models[id].name : `${models[id].name}, ${memoryText(memory)}`;
}

/** Device trees by the part of their name behind the SoC; the first that matches counts. */
const DEVICE_TREES: readonly (readonly [RegExp, ModelId])[] = [
	[/^bcm2708-rpi-b-plus$/, "pi1bp"],
	[/^bcm2708-rpi-b(-rev1)?$/, "pi1b"],
	[/^bcm(2709|2710)-rpi-2-b$/, "pi2b"],
	[/^bcm(2710|2837)-rpi-3-b$/, "pi3b"],
	[/^bcm(2710|2837)-rpi-3-b-plus$/, "pi3bp"],
	[/^bcm2710-rpi-cm3$/, "cm3"],
	[/^bcm2711-rpi-4-b$/, "pi4"],
	[/^bcm2711-rpi-400$/, "pi400"],
	[/^bcm2711-rpi-cm4s$/, "cm4s"],
	[/^bcm2711-rpi-cm4(-io)?$/, "cm4"],
	[/^bcm2712(d0|-d)?-rpi-5-b$/, "pi5"],
	[/^bcm2712(d0|-d)?-rpi-500$/, "pi500"],
	[/^bcm2712(d0|-d)?-rpi-cm5l-cm[45]io$/, "cm5l"],
	[/^bcm2712(d0|-d)?-rpi-cm5-cm[45]io$/, "cm5"],
];

/** The model whose device tree this is (`bcm2711-rpi-4-b.dtb`), or undefined: the firmware asks for its own only. */
export function modelOfDeviceTree(path: string): ModelId | undefined {
	const name = path.slice(path.lastIndexOf("/") + 1).toLowerCase();
	if (!name.endsWith(".dtb")) return undefined;
	const stem = name.slice(0, -".dtb".length);
	return DEVICE_TREES.find(([pattern]) => pattern.test(stem))?.[1];
}

/** Which chip asks, told by the name of a file that only its firmware wants; undefined for names that all ask for. */
export function socOfBootFile(path: string): "up to BCM2837" | "BCM2711" | "BCM2712" | undefined {
	const name = path.slice(path.lastIndexOf("/") + 1).toLowerCase();
	if (/^(bootcode\.bin|bootsig\.bin)$/.test(name)) return "up to BCM2837";
	if (/^(recover4\.elf|fixup4\.dat|start4\.elf|bcm2711.*\.dtb)$/.test(name)) return "BCM2711";
	if (/^(kernel_2712\.img|armstub8-2712\.bin|bcm2712.*\.dtb)$/.test(name)) return "BCM2712";
	return undefined;
}
