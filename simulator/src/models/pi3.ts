/** Raspberry Pi 3B+: the mask ROM fetches bootcode.bin, which asks DHCP again and fetches start.elf, which fetches the rest. */
import { guidOfSerials, type Model } from "../board.ts";
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

/** Neither tsize nor blksize, and every request from one port. */
const ROM: TftpStage = {
	blksize: undefined,
	tsize: false,
	rollover: false,
	acksAgain: false,
	ttl: 128,
	firstPort: 49152,
	onePort: true,
};

/** bootcode.bin, and start.elf after it, which counts its ports from the beginning again. */
const SECOND: TftpStage = {
	blksize: undefined,
	tsize: true,
	rollover: false,
	acksAgain: false,
	ttl: 128,
	firstPort: 49153,
};

const KERNELS = { bits64: ["kernel8.img"], bits32: ["kernel8-32.img", "kernel7.img", "kernel.img"] };

export const pi3bp: Model = {
	name: "pi3bp",
	title: "Raspberry Pi 3B+",
	sample: { mac: "b8:27:eb:07:bc:c6", serial: "8b07bcc6" },
	oui: "b8:27:eb",
	revision: 0xa020d3,
	filters: ["pi3", "pi3+"],
	dhcp: {
		optionOrder: [53, 55, 93, 94, 97, 60],
		parameters: [43, 60, 67, 128, 129, 130, 131, 132, 133, 134, 135, 66, 1, 3],
		xid: 0x26f30339,
		sendsRequest: false,
		tftpServer: "last",
		ttl: 128,
	},
	guid: guidOfSerials,
	boot: async (firmware) => {
		await rom(firmware);
		await bootcode(firmware);
		await start(firmware);
	},
};

async function rom(firmware: Firmware): Promise<void> {
	await firmware.dhcp();
	firmware.start(ROM);
	await firmware.need("bootcode.bin");
	await firmware.get("bootsig.bin");
}

/** Knows its serial: the files lie in a folder of that name, or for all Pis at the top. */
async function bootcode(firmware: Firmware): Promise<void> {
	await firmware.dhcp();
	firmware.start(SECOND);
	firmware.prefix = firmware.ownPrefix;
	if (!(await firmware.probe("start.elf"))) firmware.prefix = "";
	await firmware.get("autoboot.txt");
	await firmware.probe("start.elf");
	await firmware.readConfig();
	await firmware.refuse("recovery.elf");
	const [startFile, fixupFile] = startFiles(firmware, "");
	await firmware.need(startFile);
	await firmware.get(fixupFile);
}

async function start(firmware: Firmware): Promise<void> {
	firmware.start(SECOND);
	await firmware.refuse("recovery.elf");
	if (await firmware.probe("config.txt")) await firmware.readConfig();
	await firmware.get("dt-blob.bin");
	await firmware.refuse("recovery.elf");
	if (await firmware.probe("config.txt")) await firmware.readConfig();
	await firmware.get("bootcfg.txt");
	const kernel = await probeKernel(firmware, KERNELS);
	await firmware.probe(kernel);
	await getInitramfs(firmware, kernel, 3);
	firmware.loaded.deviceTree = await deviceTree(firmware);
	const overlayMap = await probeAndGet(firmware, `${overlayFolder(firmware)}overlay_map.dtb`);
	if (await firmware.probe("config.txt")) await firmware.readConfig();
	await getOverlays(firmware, overlayMap, "bcm2835");
	firmware.loaded.cmdline = await firmware.get(cmdlineName(firmware));
	await firmware.get(firmware.setting("armstub") ?? (is64Bit(firmware) ? "armstub8.bin" : "armstub7.bin"));
	await firmware.probe(kernel);
	await loadKernel(firmware, kernel);
}

async function deviceTree(firmware: Firmware): Promise<boolean> {
	const name = deviceTreeName(firmware, "bcm2710-rpi-3-b-plus.dtb");
	return name === undefined || (await probeAndGet(firmware, name)) !== undefined;
}
