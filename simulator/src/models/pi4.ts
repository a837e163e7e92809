/** Raspberry Pi 4 and 400: the bootloader in the EEPROM fetches start4.elf, which fetches the rest. */
import { guidWithWord, type Model } from "../board.ts";
import { BOOT_TAG, type FirmwareDhcpStyle } from "../dhcp-firmware.ts";
import type { Firmware, TftpStage } from "../firmware.ts";
import {
	cmdlineName,
	deviceTreeName,
	getInitramfs,
	getOverlays,
	is64Bit,
	loadKernel,
	overlayFolder,
	probeAndGet,
	probeKernel,
	startFiles,
} from "./files.ts";

/** DHCP of all EEPROM bootloaders, the Pi 5's too. */
export const EEPROM_DHCP: FirmwareDhcpStyle = {
	optionOrder: [53, 55, 60, 93, 94, 97],
	parameters: [1, 3, 43, 60, 66, 67, 128, 129, 130, 131, 132, 133, 134, 135],
	xid: undefined,
	sendsRequest: true,
	tftpServer: "option66",
	bootTag: BOOT_TAG,
	checksAddress: true,
	hesitates: 0,
	ttl: 64,
};

const EEPROM_2021: TftpStage = {
	blksize: 1024,
	tsize: true,
	rollover: false,
	acksAgain: true,
	ttl: 64,
	firstPort: undefined,
};

/** The block counter goes on behind 65535 since 2025-09-23. */
const EEPROM_2026: TftpStage = {
	blksize: 1468,
	tsize: true,
	rollover: true,
	acksAgain: true,
	ttl: 64,
	firstPort: undefined,
};

const START4: TftpStage = { blksize: 1468, tsize: true, rollover: false, acksAgain: false, ttl: 128, firstPort: 49153 };

const KERNELS = { bits64: ["kernel8.img"], bits32: ["kernel8-32.img", "kernel7l.img", "kernel7.img", "kernel.img"] };

/** A Pi 400, as it was captured. */
export const pi4of2021: Model = {
	name: "pi4-2021",
	title: "Raspberry Pi 400 (bootloader of 2021)",
	sample: { mac: "dc:a6:32:ec:fc:3c", serial: "e0ff06da" },
	oui: "dc:a6:32",
	revision: 0xc03130,
	filters: ["pi4", "pi400"],
	dhcp: EEPROM_DHCP,
	guid: guidWithWord("RPi4"),
	boot: (firmware) => boot(firmware, EEPROM_2021, "bcm2711-rpi-400.dtb"),
};

export const pi4of2026: Model = {
	name: "pi4-2026",
	title: "Raspberry Pi 4 (bootloader of 2026)",
	sample: { mac: "e4:5f:01:09:02:f7", serial: "91cdf03d" },
	oui: "e4:5f:01",
	revision: 0xd03114,
	filters: ["pi4"],
	dhcp: EEPROM_DHCP,
	guid: guidWithWord("4iPR"),
	boot: (firmware) => boot(firmware, EEPROM_2026, "bcm2711-rpi-4-b.dtb"),
};

async function boot(firmware: Firmware, stage: TftpStage, deviceTree: string): Promise<void> {
	await eeprom(firmware, stage);
	await start4(firmware, deviceTree);
}

async function eeprom(firmware: Firmware, stage: TftpStage): Promise<void> {
	await firmware.dhcp();
	firmware.start(stage);
	firmware.prefix = firmware.ownPrefix;
	const hasFolder = (await firmware.probe("start4.elf")) || (await firmware.probe("start.elf"));
	if (!hasFolder) firmware.prefix = "";
	await firmware.readConfig();
	await firmware.get("pieeprom.sig");
	await firmware.refuse("recover4.elf");
	await firmware.refuse("recovery.elf");
	const [startFile, fixupFile] = startFiles(firmware, "4");
	await firmware.need(startFile);
	await firmware.get(fixupFile);
}

async function start4(firmware: Firmware, stockTree: string): Promise<void> {
	firmware.start(START4);
	await firmware.refuse("recovery.elf");
	if (await firmware.probe("config.txt")) await firmware.readConfig();
	await firmware.get("dt-blob.bin");
	await firmware.refuse("recovery.elf");
	await firmware.readConfig();
	await firmware.readConfig();
	await firmware.get("bootcfg.txt");
	const tree = deviceTreeName(firmware, stockTree);
	firmware.loaded.deviceTree = tree === undefined || (await probeAndGet(firmware, tree)) !== undefined;
	const overlayMap = await probeAndGet(firmware, `${overlayFolder(firmware)}overlay_map.dtb`);
	await firmware.readConfig();
	await getOverlays(firmware, overlayMap, "bcm2711");
	firmware.loaded.cmdline = await firmware.get(cmdlineName(firmware));
	const kernel = await probeKernel(firmware, KERNELS);
	await firmware.get(firmware.setting("armstub") ?? (is64Bit(firmware) ? "armstub8-gic.bin" : "armstub8-32-gic.bin"));
	await getInitramfs(firmware, kernel, 1);
	await loadKernel(firmware, kernel);
}
