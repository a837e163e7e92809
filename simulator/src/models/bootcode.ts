/**
 * The Pis up to the 3: a mask ROM or an SD card brings bootcode.bin, which asks DHCP and fetches start.elf, which fetches the
 * rest. The ROM of a 2B v1.2 and of a 3B has faults; that of a 3B+ has none of them.
 */
import { guidOfSerials, type Model } from "../board.ts";
import type { FirmwareDhcpStyle } from "../dhcp-firmware.ts";
import type { Firmware, OwnDhcp, TftpStage } from "../firmware.ts";
import { BOOT_TAG } from "../tftp-server-of.ts";
import {
	cmdlineName,
	deviceTreeName,
	getArmstub,
	getInitramfs,
	getOverlays,
	is64Bit,
	type KernelNames,
	loadKernel,
	overlayFolder,
	probeAndGet,
	probeAndRead,
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

/** DHCP of the mask ROM of a 3B+, and of bootcode.bin on every Pi up to the 3. */
const BOOTCODE_DHCP: FirmwareDhcpStyle = {
	optionOrder: [53, 55, 93, 94, 97, 60],
	parameters: [43, 60, 67, 128, 129, 130, 131, 132, 133, 134, 135, 66, 1, 3],
	xid: 0x26f30339,
	sendsRequest: false,
	requestHasClass: false,
	tftpServer: "last",
	bootTag: BOOT_TAG,
	oneMenuEntry: false,
	threeDigits: false,
	takesRelayed: true,
	knowsRouters: true,
	checksAddress: true,
	hesitates: 0,
	dies: false,
	ttl: 128,
};

const FIVE_TRIES = { retry: 5000, total: 25_000 };

/** bootcode.bin never gives up. */
const BOOTCODE: OwnDhcp = { timing: { total: Number.POSITIVE_INFINITY } };

const ROM_3BP: OwnDhcp = { style: { ...BOOTCODE_DHCP, dies: true }, timing: FIVE_TRIES };

/**
 * DHCP of the mask ROM of a 3B and a 2B v1.2, with its faults: an OFFER that comes at once is lost unless something comes behind
 * it, the boot tag needs three blanks at its end, another Pi 3's OFFER is taken for its own, and whatever comes from or through
 * another subnet is not understood. It does not know its serial.
 */
const ROM_3B: OwnDhcp = {
	style: {
		...BOOTCODE_DHCP,
		parameters: [43, 60, 67, 128, 129, 130, 131, 132, 133, 134, 135, 66],
		bootTag: `${BOOT_TAG}   `,
		takesRelayed: false,
		knowsRouters: false,
		checksAddress: false,
		hesitates: 1000,
		dies: true,
	},
	guid: Buffer.concat([Buffer.from([0]), Buffer.alloc(16, 0x44)]),
	timing: FIVE_TRIES,
};

const ALL_BITS: KernelNames = { bits64: ["kernel8.img"], bits32: ["kernel8-32.img", "kernel7.img", "kernel.img"] };

interface Board {
	readonly name: string;
	readonly title: string;
	readonly sample: Model["sample"];
	readonly revision: number;
	readonly filters: readonly string[];
	readonly deviceTree: string;
	readonly kernels: KernelNames;
	/** Who brings bootcode.bin: the ROM, or a card on which it lies. */
	readonly start: "rom-3b" | "rom-3bp" | "card";
}

const BOARDS: readonly Board[] = [
	{
		name: "pi3bp",
		title: "Raspberry Pi 3B+",
		sample: { mac: "b8:27:eb:07:bc:c6", serial: "8b07bcc6" },
		revision: 0xa020d3,
		filters: ["pi3", "pi3+"],
		deviceTree: "bcm2710-rpi-3-b-plus.dtb",
		kernels: ALL_BITS,
		start: "rom-3bp",
	},
	{
		name: "pi3b",
		title: "Raspberry Pi 3B",
		sample: { mac: "b8:27:eb:ef:56:44", serial: "a2ef5644" },
		revision: 0xa02082,
		filters: ["pi3"],
		deviceTree: "bcm2710-rpi-3-b.dtb",
		kernels: ALL_BITS,
		start: "rom-3b",
	},
	{
		name: "pi3b-card",
		title: "Raspberry Pi 3B with bootcode.bin on a card",
		sample: { mac: "b8:27:eb:ef:56:45", serial: "a2ef5645" },
		revision: 0xa02082,
		filters: ["pi3"],
		deviceTree: "bcm2710-rpi-3-b.dtb",
		kernels: ALL_BITS,
		start: "card",
	},
	{
		name: "pi2b",
		title: "Raspberry Pi 2B v1.2",
		sample: { mac: "b8:27:eb:2b:12:01", serial: "c92b1201" },
		revision: 0xa22042,
		filters: ["pi2"],
		deviceTree: "bcm2710-rpi-2-b.dtb",
		kernels: ALL_BITS,
		start: "rom-3b",
	},
	{
		name: "pi2b-v1.1",
		title: "Raspberry Pi 2B v1.1 with bootcode.bin on a card",
		sample: { mac: "b8:27:eb:2b:11:01", serial: "c92b1101" },
		revision: 0xa01041,
		filters: ["pi2"],
		deviceTree: "bcm2709-rpi-2-b.dtb",
		kernels: { bits64: [], bits32: ["kernel7.img", "kernel.img"] },
		start: "card",
	},
	{
		name: "pi1bp",
		title: "Raspberry Pi 1B+ with bootcode.bin on a card",
		sample: { mac: "b8:27:eb:1b:20:01", serial: "4b1b2001" },
		revision: 0x900032,
		filters: ["pi1"],
		deviceTree: "bcm2708-rpi-b-plus.dtb",
		kernels: { bits64: [], bits32: ["kernel.img"] },
		start: "card",
	},
	{
		name: "pi1b",
		title: "Raspberry Pi 1B with bootcode.bin on a card",
		sample: { mac: "b8:27:eb:1b:10:01", serial: "4b1b1001" },
		revision: 0x000e,
		filters: ["pi1"],
		deviceTree: "bcm2708-rpi-b.dtb",
		kernels: { bits64: [], bits32: ["kernel.img"] },
		start: "card",
	},
];

export const bootcodeModels: readonly Model[] = BOARDS.map((board) => ({
	...board,
	oui: "b8:27:eb",
	hasSettings: false,
	dhcp: BOOTCODE_DHCP,
	guid: guidOfSerials,
	boot: (firmware) => boot(firmware, board),
}));

async function boot(firmware: Firmware, board: Board): Promise<void> {
	if (board.start !== "card") await rom(firmware, board.start);
	await bootcode(firmware);
	await start(firmware, board);
}

async function rom(firmware: Firmware, kind: "rom-3b" | "rom-3bp"): Promise<void> {
	await firmware.dhcp(kind === "rom-3b" ? ROM_3B : ROM_3BP);
	if (kind === "rom-3b") await firmware.refuseArp();
	firmware.start(ROM);
	await firmware.need("bootcode.bin");
	await firmware.get("bootsig.bin");
}

/** Knows its serial: the files lie in a folder of that name, or for all Pis at the top. */
async function bootcode(firmware: Firmware): Promise<void> {
	await firmware.dhcp(BOOTCODE);
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

async function start(firmware: Firmware, board: Board): Promise<void> {
	firmware.start(SECOND);
	await firmware.refuse("recovery.elf");
	await probeAndReadConfig(firmware);
	await firmware.get("dt-blob.bin");
	await firmware.refuse("recovery.elf");
	await probeAndReadConfig(firmware);
	await firmware.get("bootcfg.txt");
	const kernel = await probeKernel(firmware, board.kernels);
	await firmware.probe(kernel);
	await getInitramfs(firmware, kernel, 3);
	const tree = deviceTreeName(firmware, board.deviceTree);
	firmware.loaded.deviceTree = tree === undefined || (await probeAndGet(firmware, tree));
	const overlayMap = await probeAndRead(firmware, `${overlayFolder(firmware)}overlay_map.dtb`);
	await probeAndReadConfig(firmware);
	await getOverlays(firmware, overlayMap, "bcm2835");
	firmware.loaded.cmdline = await firmware.read(cmdlineName(firmware));
	const is64 = board.kernels.bits64.length > 0 && is64Bit(firmware, kernel);
	await getArmstub(firmware, is64 ? ["armstub8.bin"] : ["armstub8-32.bin", "armstub7.bin", "armstub.bin"]);
	await firmware.probe(kernel);
	await loadKernel(firmware, kernel);
}

async function probeAndReadConfig(firmware: Firmware): Promise<void> {
	if (await firmware.probe(firmware.configName)) await firmware.readConfig();
}
