/** What the played agents say is in their Pis. */
import type { AgentDisk, AgentInventory } from "@pi-netboot/api";
import type { Actor } from "./cast.ts";

const GIB = 1024 ** 3;

const card: AgentDisk = {
	path: "/dev/mmcblk0",
	size: 31_914_983_424,
	model: "SD32G",
	serial: "0x8f2a91c4",
	identity: "035344534433324780",
	diskseq: 9,
	readOnly: false,
	removable: true,
	content: "",
	partitions: [
		{ path: "/dev/mmcblk0p1", size: 536_870_912, content: "fat" },
		{ path: "/dev/mmcblk0p2", size: 31_373_918_208, content: "ext" },
	],
	use: null,
};

const drive: AgentDisk = {
	path: "/dev/nvme0n1",
	size: 256_060_514_304,
	model: "NVMe 256GB",
	serial: "S4YNNX0R",
	identity: "eui.0025385b11b0c8a7",
	diskseq: 10,
	readOnly: false,
	removable: false,
	content: "empty",
	partitions: [],
	use: null,
};

const boards: Readonly<
	Record<string, { readonly model: string; readonly memory: number; readonly disks: AgentDisk[] }>
> = {
	pi5: { model: "Raspberry Pi 5 Model B Rev 1.0", memory: 8 * GIB, disks: [card, drive] },
	pi4: { model: "Raspberry Pi 4 Model B Rev 1.4", memory: 4 * GIB, disks: [card] },
};

export function inventoryOf({ model, mac, serial }: Actor, address: string): AgentInventory {
	const board = boards[model] ?? { model: "Raspberry Pi", memory: GIB, disks: [card] };
	return {
		...board,
		serial: `10000000${serial}`,
		network: [{ name: "eth0", mac, state: "up", speed: 1000, address }],
		kernel: "6.12.47+rpt-rpi-v8",
		architecture: "aarch64",
		os: "Debian GNU/Linux 13 (trixie)",
		temperature: 44 + (Number.parseInt(serial.slice(0, 2), 16) % 14),
		throttled: "0x0",
		bootloader: { version: "2026-03-10", builtAt: 1_773_100_800, config: "BOOT_ORDER=0xf21\nTFTP_PREFIX=0\n" },
		zstd: true,
		bootId: "",
	};
}
