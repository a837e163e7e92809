/** The models that can boot from the network, and what the firmware of each one needs to find in the boot volume. */

export interface BootModel {
	readonly id: string;
	/** For people. */
	readonly name: string;
	/** The sections of `config.txt` that hold for it, `[all]` apart. */
	readonly filters: readonly string[];
	/** Files that its boot ROM or bootloader asks for before anything else; all are needed. */
	readonly firmware: readonly string[];
	/** Device trees; one is needed. Names of Raspberry Pi's kernels first, then those of the mainline kernel. */
	readonly deviceTrees: readonly string[];
	/** What it looks for without `kernel=`, in this order, with `arm_64bit=1` and `arm_64bit=0`. */
	readonly kernels64: readonly string[];
	readonly kernels32: readonly string[];
	/** What an absent `arm_64bit` means. */
	readonly arm64bit: boolean;
	/** Kernel options that must all be built in for its network; each entry is a choice of names. */
	readonly networkDriver: readonly (readonly string[])[];
}

/** Raspberry Pi's kernel has a USB host driver of its own; the mainline kernel uses dwc2. */
const USB_HOST = ["USB_DWCOTG", "USB_DWC2"];

const PI2_AND_3 = {
	firmware: ["bootcode.bin", "start.elf", "fixup.dat"],
	kernels64: ["kernel8.img"],
	kernels32: ["kernel8-32.img", "kernel7.img", "kernel.img"],
	arm64bit: false,
	networkDriver: [["USB_NET_SMSC95XX"], USB_HOST],
};

const PI4 = {
	firmware: ["start4.elf", "fixup4.dat"],
	kernels64: ["kernel8.img"],
	kernels32: ["kernel8-32.img", "kernel7l.img", "kernel7.img", "kernel.img"],
	arm64bit: true,
	networkDriver: [["BCMGENET"]],
};

/** Its firmware lies in the EEPROM. The network sits in the RP1 chip, behind PCIe. It has no 32-bit kernels. */
const PI5 = {
	firmware: ["config.txt"],
	kernels64: ["kernel_2712.img", "kernel8.img"],
	kernels32: [],
	arm64bit: true,
	networkDriver: [["MACB"], ["MFD_RP1", "MISC_RP1"], ["PCIE_BRCMSTB"]],
};

export const BOOT_MODELS: readonly BootModel[] = [
	{
		...PI2_AND_3,
		id: "pi2b",
		name: "Pi 2B v1.2",
		filters: ["pi2"],
		deviceTrees: ["bcm2710-rpi-2-b.dtb", "bcm2709-rpi-2-b.dtb", "bcm2837-rpi-2-b.dtb", "bcm2836-rpi-2-b.dtb"],
	},
	{
		...PI2_AND_3,
		id: "pi3b",
		name: "Pi 3B",
		filters: ["pi3"],
		deviceTrees: ["bcm2710-rpi-3-b.dtb", "bcm2837-rpi-3-b.dtb"],
	},
	{
		...PI2_AND_3,
		id: "pi3bp",
		name: "Pi 3B+",
		filters: ["pi3", "pi3+"],
		deviceTrees: ["bcm2710-rpi-3-b-plus.dtb", "bcm2837-rpi-3-b-plus.dtb"],
		networkDriver: [["USB_LAN78XX"], USB_HOST],
	},
	{ ...PI4, id: "pi4", name: "Pi 4", filters: ["pi4"], deviceTrees: ["bcm2711-rpi-4-b.dtb"] },
	{ ...PI4, id: "pi400", name: "Pi 400", filters: ["pi4", "pi400"], deviceTrees: ["bcm2711-rpi-400.dtb"] },
	{
		...PI4,
		id: "cm4",
		name: "Compute Module 4",
		filters: ["pi4", "cm4"],
		deviceTrees: ["bcm2711-rpi-cm4.dtb", "bcm2711-rpi-cm4-io.dtb"],
	},
	{
		...PI5,
		id: "pi5",
		name: "Pi 5",
		filters: ["pi5"],
		deviceTrees: ["bcm2712-rpi-5-b.dtb", "bcm2712d0-rpi-5-b.dtb", "bcm2712-d-rpi-5-b.dtb"],
	},
	{ ...PI5, id: "pi500", name: "Pi 500", filters: ["pi5", "pi500"], deviceTrees: ["bcm2712-rpi-500.dtb"] },
	{
		...PI5,
		id: "cm5",
		name: "Compute Module 5",
		filters: ["pi5", "cm5"],
		deviceTrees: ["bcm2712-rpi-cm5-cm5io.dtb", "bcm2712-rpi-cm5-cm4io.dtb"],
	},
	{
		...PI5,
		id: "cm5l",
		name: "Compute Module 5 Lite",
		filters: ["pi5", "cm5"],
		deviceTrees: ["bcm2712-rpi-cm5l-cm5io.dtb", "bcm2712-rpi-cm5l-cm4io.dtb"],
	},
];

/** The model with this id, or undefined for one that cannot boot from the network. */
export function bootModel(id: string): BootModel | undefined {
	return BOOT_MODELS.find((model) => model.id === id);
}
