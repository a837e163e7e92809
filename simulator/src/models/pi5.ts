/** Raspberry Pi 5, 500 and Compute Module 5: the bootloader in the EEPROM fetches everything; there is no start.elf. */
import type { Model } from "../board.ts";
import { BootError } from "../errors.ts";
import type { Firmware } from "../firmware.ts";
import { bootloaderOf } from "./bootloaders.ts";
import {
	cmdlineName,
	deviceTreeName,
	getArmstub,
	getOverlays,
	initramfsName,
	kernelNames,
	loadKernel,
	overlayFolder,
} from "./files.ts";

/** 32-bit kernels do not run on it. */
const KERNELS = { bits64: ["kernel_2712.img", "kernel8.img"], bits32: [] };

interface Board {
	readonly title: string;
	readonly sample: Model["sample"];
	readonly revision: number;
	readonly filters: readonly string[];
	/** The best first. */
	readonly deviceTrees: readonly string[];
}

const BOARDS: Readonly<Record<string, Board>> = {
	pi5: {
		title: "Raspberry Pi 5",
		sample: { mac: "88:a2:9e:11:4e:cc", serial: "d7bd1a077bf18f79" },
		revision: 0xd04170,
		filters: ["pi5"],
		deviceTrees: ["bcm2712-rpi-5-b.dtb"],
	},
	/** The 2 GB board, whose chip is of the D0 stepping. */
	pi5d0: {
		title: "Raspberry Pi 5 with the D0 chip",
		sample: { mac: "2c:cf:67:5d:00:11", serial: "5b0cc0d05d0d0011" },
		revision: 0xb04171,
		filters: ["pi5"],
		deviceTrees: ["bcm2712d0-rpi-5-b.dtb", "bcm2712-rpi-5-b.dtb"],
	},
	pi500: {
		title: "Raspberry Pi 500",
		sample: { mac: "2c:cf:67:50:00:11", serial: "5b0cc0d050050011" },
		revision: 0xd04190,
		filters: ["pi5", "pi500"],
		deviceTrees: ["bcm2712-rpi-500.dtb"],
	},
	/** It shares type and device tree with the 500, and differs in its memory. */
	pi500p: {
		title: "Raspberry Pi 500+",
		sample: { mac: "88:a2:9e:50:0b:11", serial: "5b0cc0d0500b0011" },
		revision: 0xe04190,
		filters: ["pi5", "pi500"],
		deviceTrees: ["bcm2712-rpi-500.dtb"],
	},
	cm5: {
		title: "Raspberry Pi Compute Module 5",
		sample: { mac: "2c:cf:67:b8:11:1c", serial: "5b0cc0d071da75ea" },
		revision: 0xd04180,
		filters: ["pi5", "cm5"],
		deviceTrees: ["bcm2712-rpi-cm5-cm5io.dtb"],
	},
	/** On the IO board that was made for the Compute Module 4. */
	cm5l: {
		title: "Raspberry Pi Compute Module 5 Lite",
		sample: { mac: "2c:cf:67:c5:11:0e", serial: "5b0cc0d0c5110e01" },
		revision: 0xc041a0,
		filters: ["pi5", "cm5"],
		deviceTrees: ["bcm2712-rpi-cm5l-cm4io.dtb"],
	},
};

/** A Pi 5 family model of a time: `pi5`, `pi500`, `cm5` ... with the bootloader of then. Undefined when there was none. */
export function pi5Model(family: string, date: string): Model | undefined {
	const board = BOARDS[family];
	const bootloader = bootloaderOf("BCM2712", date);
	if (board === undefined || bootloader === undefined) return undefined;
	return {
		...board,
		name: `${family}-${date}`,
		title: `${board.title} (bootloader of ${date})`,
		oui: board.sample.mac.slice(0, 8),
		hasSettings: true,
		dhcp: bootloader.dhcp,
		guid: bootloader.guid,
		boot: async (firmware) => {
			await firmware.dhcp();
			firmware.start(bootloader.tftp);
			await config(firmware);
			const kernel = await findKernel(firmware);
			await initramfs(firmware, kernel);
			firmware.loaded.deviceTree = await deviceTree(firmware, board.deviceTrees);
			await overlays(firmware, bootloader.mapOnDemand);
			firmware.loaded.cmdline = await firmware.read(doubled(firmware, cmdlineName(firmware)));
			await getArmstub(firmware, ["armstub8-2712.bin"]);
			await loadKernel(firmware, kernel);
		},
	};
}

/** It asks for these two with two slashes behind the serial. */
function doubled(firmware: Firmware, name: string): string {
	return firmware.prefix.endsWith("/") ? `/${name}` : name;
}

/** Acts on what comes for the doubled slash: without that it has no configuration, and begins anew for ever. */
async function config(firmware: Firmware): Promise<void> {
	firmware.prefix = firmware.ownPrefix;
	if (!(await firmware.readConfig())) {
		firmware.prefix = "";
		await firmware.readConfig();
	}
	await firmware.get("pieeprom.sig");
	const name = doubled(firmware, firmware.configName);
	const first = await firmware.readConfig(name);
	if (!(first && (await firmware.readConfig(name)))) {
		throw new BootError(`${firmware.prefix}${name} is not on the server: a Raspberry Pi 5 begins anew for ever`);
	}
}

/** The first request for it is broken off after one block. */
async function findKernel(firmware: Firmware): Promise<string> {
	const names = kernelNames(firmware, KERNELS);
	for (const name of names) {
		if (await firmware.probeWithBlock(name)) return name;
	}
	throw new BootError(`there is no kernel on the server: the Pi asked for ${names.join(", ")} in ${firmware.where}`);
}

async function initramfs(firmware: Firmware, kernel: string): Promise<void> {
	const name = initramfsName(firmware, kernel);
	if (name !== undefined && (await firmware.get(name))) firmware.loaded.initramfs = name;
}

async function deviceTree(firmware: Firmware, stock: readonly string[]): Promise<boolean> {
	for (const each of stock) {
		const name = deviceTreeName(firmware, each);
		if (name === undefined || (await firmware.get(name))) return true;
		if (firmware.setting("device_tree") !== undefined) return false;
	}
	return false;
}

async function overlays(firmware: Firmware, mapOnDemand: boolean): Promise<void> {
	if (mapOnDemand && firmware.config.overlays.length === 0) return;
	const map = await firmware.read(`${overlayFolder(firmware)}overlay_map.dtb`);
	await getOverlays(firmware, map, "bcm2712");
}
