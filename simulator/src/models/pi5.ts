/** Raspberry Pi 5: the bootloader in the EEPROM fetches everything; there is no start.elf. */
import { guidWithWord, type Model } from "../board.ts";
import { BootError } from "../errors.ts";
import type { Firmware, TftpStage } from "../firmware.ts";
import {
	cmdlineName,
	deviceTreeName,
	getOverlays,
	initramfsName,
	kernelNames,
	loadKernel,
	overlayFolder,
} from "./files.ts";
import { EEPROM_DHCP } from "./pi4.ts";

const EEPROM: TftpStage = {
	blksize: 1468,
	tsize: true,
	rollover: true,
	acksAgain: true,
	ttl: 64,
	firstPort: undefined,
};

/** 32-bit kernels do not run on it. */
const KERNELS = { bits64: ["kernel_2712.img", "kernel8.img"], bits32: [] };

export const pi5of2026: Model = {
	name: "pi5-2026",
	title: "Raspberry Pi 5 (bootloader of 2026)",
	sample: { mac: "88:a2:9e:11:4e:cc", serial: "d7bd1a077bf18f79" },
	oui: "88:a2:9e",
	revision: 0xd04170,
	filters: ["pi5"],
	dhcp: EEPROM_DHCP,
	guid: guidWithWord("5iPR"),
	boot: async (firmware) => {
		await firmware.dhcp();
		firmware.start(EEPROM);
		await config(firmware);
		const kernel = await findKernel(firmware);
		await initramfs(firmware, kernel);
		await deviceTree(firmware);
		firmware.loaded.cmdline = await firmware.get(doubled(firmware, cmdlineName(firmware)));
		await firmware.get(firmware.setting("armstub") ?? "armstub8-2712.bin");
		await loadKernel(firmware, kernel);
	},
};

/** It asks for these two with two slashes behind the serial. */
function doubled(firmware: Firmware, name: string): string {
	return firmware.prefix === "" ? name : `/${name}`;
}

/** Acts on what comes for the doubled slash: without that it has no configuration, and begins anew for ever. */
async function config(firmware: Firmware): Promise<void> {
	firmware.prefix = firmware.ownPrefix;
	if (!(await firmware.readConfig())) {
		firmware.prefix = "";
		await firmware.readConfig();
	}
	await firmware.get("pieeprom.sig");
	const name = doubled(firmware, "config.txt");
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
	if (name !== undefined && (await firmware.get(name)) !== undefined) firmware.loaded.initramfs = name;
}

async function deviceTree(firmware: Firmware): Promise<void> {
	const name = deviceTreeName(firmware, "bcm2712-rpi-5-b.dtb");
	firmware.loaded.deviceTree = name === undefined || (await firmware.get(name)) !== undefined;
	const map = await firmware.get(`${overlayFolder(firmware)}overlay_map.dtb`);
	await getOverlays(firmware, map, "bcm2712");
}
