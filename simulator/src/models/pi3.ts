/** Raspberry Pi 3B and 3B+: the mask ROM fetches bootcode.bin, which asks DHCP again and fetches start.elf, which fetches the rest. */
import { guidOfSerials, type Model } from "../board.ts";
import { BOOT_TAG, type FirmwareDhcpStyle } from "../dhcp-firmware.ts";
import type { EarlyDhcp, Firmware, TftpStage } from "../firmware.ts";
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

/** DHCP of the mask ROM of a 3B+, and of bootcode.bin on every Pi up to the 3. */
const BOOTCODE_DHCP: FirmwareDhcpStyle = {
	optionOrder: [53, 55, 93, 94, 97, 60],
	parameters: [43, 60, 67, 128, 129, 130, 131, 132, 133, 134, 135, 66, 1, 3],
	xid: 0x26f30339,
	sendsRequest: false,
	tftpServer: "last",
	bootTag: BOOT_TAG,
	checksAddress: true,
	hesitates: 0,
	ttl: 128,
};

/**
 * DHCP of the mask ROM of a 3B, with its faults: an OFFER that comes at once is lost unless something comes behind it, the boot
 * tag needs three blanks at its end, and another Pi 3's OFFER is taken for its own. It does not know its serial.
 */
const ROM_3B: EarlyDhcp = {
	style: {
		...BOOTCODE_DHCP,
		parameters: [43, 60, 67, 128, 129, 130, 131, 132, 133, 134, 135, 66],
		bootTag: `${BOOT_TAG}   `,
		checksAddress: false,
		hesitates: 1000,
	},
	guid: Buffer.concat([Buffer.from([0]), Buffer.alloc(16, 0x44)]),
	timing: { retry: 5000, total: 25_000 },
};

export const pi3b: Model = {
	name: "pi3b",
	title: "Raspberry Pi 3B",
	sample: { mac: "b8:27:eb:ef:56:44", serial: "a2ef5644" },
	oui: "b8:27:eb",
	revision: 0xa02082,
	filters: ["pi3"],
	dhcp: BOOTCODE_DHCP,
	guid: guidOfSerials,
	boot: (firmware) => boot(firmware, ROM_3B, "bcm2710-rpi-3-b.dtb"),
};

export const pi3bp: Model = {
	name: "pi3bp",
	title: "Raspberry Pi 3B+",
	sample: { mac: "b8:27:eb:07:bc:c6", serial: "8b07bcc6" },
	oui: "b8:27:eb",
	revision: 0xa020d3,
	filters: ["pi3", "pi3+"],
	dhcp: BOOTCODE_DHCP,
	guid: guidOfSerials,
	boot: (firmware) => boot(firmware, undefined, "bcm2710-rpi-3-b-plus.dtb"),
};

async function boot(firmware: Firmware, romDhcp: EarlyDhcp | undefined, deviceTree: string): Promise<void> {
	await firmware.dhcp(romDhcp);
	firmware.start(ROM);
	await firmware.need("bootcode.bin");
	await firmware.get("bootsig.bin");
	await bootcode(firmware);
	await start(firmware, deviceTree);
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

async function start(firmware: Firmware, stockTree: string): Promise<void> {
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
	firmware.loaded.deviceTree = await deviceTree(firmware, stockTree);
	const overlayMap = await probeAndGet(firmware, `${overlayFolder(firmware)}overlay_map.dtb`);
	if (await firmware.probe("config.txt")) await firmware.readConfig();
	await getOverlays(firmware, overlayMap, "bcm2835");
	firmware.loaded.cmdline = await firmware.get(cmdlineName(firmware));
	await firmware.get(firmware.setting("armstub") ?? (is64Bit(firmware) ? "armstub8.bin" : "armstub7.bin"));
	await firmware.probe(kernel);
	await loadKernel(firmware, kernel);
}

async function deviceTree(firmware: Firmware, stockTree: string): Promise<boolean> {
	const name = deviceTreeName(firmware, stockTree);
	return name === undefined || (await probeAndGet(firmware, name)) !== undefined;
}
