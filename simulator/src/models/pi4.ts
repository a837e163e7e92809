/** Raspberry Pi 4, 400 and Compute Module 4: the bootloader in the EEPROM fetches start4.elf, which fetches the rest. */
import type { Model } from "../board.ts";
import type { Firmware, TftpStage } from "../firmware.ts";
import { type Bootloader, bootloaderOf } from "./bootloaders.ts";
import {
	cmdlineName,
	deviceTreeName,
	getArmstub,
	getInitramfs,
	getOverlays,
	is64Bit,
	loadKernel,
	overlayFolder,
	probeAndGet,
	probeAndRead,
	probeKernel,
	startFiles,
} from "./files.ts";

const START4: TftpStage = { blksize: 1468, tsize: true, rollover: false, acksAgain: false, ttl: 128, firstPort: 49153 };

const KERNELS = { bits64: ["kernel8.img"], bits32: ["kernel8-32.img", "kernel7l.img", "kernel7.img", "kernel.img"] };

interface Board {
	readonly title: string;
	readonly sample: Model["sample"];
	readonly revision: number;
	readonly filters: readonly string[];
	readonly deviceTree: string;
	/** Whether the USB chip has an EEPROM of its own, as on boards up to 1.3: the bootloader asks for an update for it. */
	readonly hasVl805: boolean;
}

const PI4 = {
	title: "Raspberry Pi 4",
	sample: { mac: "e4:5f:01:09:02:f7", serial: "91cdf03d" },
	revision: 0xd03114,
	filters: ["pi4"],
	deviceTree: "bcm2711-rpi-4-b.dtb",
	hasVl805: false,
};

const PI4_V1_1 = {
	...PI4,
	sample: { mac: "dc:a6:32:01:36:c2", serial: "d9780558" },
	revision: 0xb03111,
	hasVl805: true,
};

const PI400 = {
	title: "Raspberry Pi 400",
	sample: { mac: "dc:a6:32:ec:fc:3c", serial: "e0ff06da" },
	revision: 0xc03130,
	filters: ["pi4", "pi400"],
	deviceTree: "bcm2711-rpi-400.dtb",
	hasVl805: false,
};

const CM4 = {
	title: "Raspberry Pi Compute Module 4",
	sample: { mac: "e4:5f:01:f8:de:b9", serial: "1f8deb60" },
	revision: 0xa03141,
	filters: ["pi4", "cm4"],
	deviceTree: "bcm2711-rpi-cm4.dtb",
	hasVl805: false,
};

const CM4_V1_0 = { ...CM4, sample: { mac: "e4:5f:01:94:24:f8", serial: "4d9424e7" }, revision: 0xc03140 };

/** Boards of the first two years were older ones than those of today. */
const EARLY = "2021-99";

function boardOf(name: string, date: string): Board | undefined {
	const isEarly = date <= EARLY;
	if (name === "pi4") return isEarly ? PI4_V1_1 : PI4;
	if (name === "cm4") return isEarly ? CM4_V1_0 : CM4;
	return name === "pi400" ? PI400 : undefined;
}

/** A Pi 4 family model of a time: `pi4`, `pi400` or `cm4` with the bootloader of then. Undefined when there was none. */
export function pi4Model(family: string, date: string, name = `${family}-${date}`): Model | undefined {
	const board = boardOf(family, date);
	const bootloader = bootloaderOf("BCM2711", date);
	if (board === undefined || bootloader === undefined) return undefined;
	return {
		...board,
		name,
		title: `${board.title} (bootloader of ${date})`,
		oui: board.sample.mac.slice(0, 8),
		hasSettings: true,
		dhcp: bootloader.dhcp,
		guid: bootloader.guid,
		boot: async (firmware) => {
			await eeprom(firmware, bootloader, board);
			await start4(firmware, board);
		},
	};
}

async function eeprom(firmware: Firmware, { tftp }: Bootloader, { hasVl805 }: Board): Promise<void> {
	await firmware.dhcp();
	firmware.start(tftp);
	firmware.prefix = firmware.ownPrefix;
	const hasFolder = (await firmware.probe("start4.elf")) || (await firmware.probe("start.elf"));
	if (!hasFolder) firmware.prefix = "";
	await firmware.readConfig();
	if (hasVl805) await firmware.get("vl805.sig");
	await firmware.get("pieeprom.sig");
	await firmware.refuse("recover4.elf");
	await firmware.refuse("recovery.elf");
	const [startFile, fixupFile] = startFiles(firmware, "4");
	await firmware.need(startFile);
	await firmware.get(fixupFile);
}

async function start4(firmware: Firmware, board: Board): Promise<void> {
	firmware.start(START4);
	await firmware.refuse("recovery.elf");
	if (await firmware.probe(firmware.configName)) await firmware.readConfig();
	await firmware.get("dt-blob.bin");
	await firmware.refuse("recovery.elf");
	await firmware.readConfig();
	await firmware.readConfig();
	await firmware.get("bootcfg.txt");
	const tree = deviceTreeName(firmware, board.deviceTree);
	firmware.loaded.deviceTree = tree === undefined || (await probeAndGet(firmware, tree));
	const overlayMap = await probeAndRead(firmware, `${overlayFolder(firmware)}overlay_map.dtb`);
	await firmware.readConfig();
	await getOverlays(firmware, overlayMap, "bcm2711");
	firmware.loaded.cmdline = await firmware.read(cmdlineName(firmware));
	const kernel = await probeKernel(firmware, KERNELS);
	await getArmstub(firmware, [is64Bit(firmware, kernel) ? "armstub8-gic.bin" : "armstub8-32-gic.bin"]);
	await getInitramfs(firmware, kernel, 1);
	await loadKernel(firmware, kernel);
}
