/**
 * What the firmware of each model asks for, in the real order, on a Raspberry Pi OS boot directory: captured on hardware.
 * `P` probe, `G` whole file, `x` not there. The serial is left out.
 */
import type { Fact } from "../facts.ts";

export const PI3BP_ROM = "bootsig.bin x ; bootcode.bin G";
export const PI3BP = `start.elf P ; autoboot.txt x ; start.elf P ; config.txt G ; recovery.elf x ; start.elf G ; fixup.dat G ;
	recovery.elf x ; config.txt PG ; dt-blob.bin x ; recovery.elf x ; config.txt PG ; bootcfg.txt x ; recovery8.img x ;
	kernel8.img PP ; initramfs8 PPP ; initramfs8 G ; bcm2710-rpi-3-b-plus.dtb PG ; overlays/overlay_map.dtb PG ;
	config.txt PG ; overlays/vc4-kms-v3d.dtbo PG ; cmdline.txt G ; armstub8.bin x ; kernel8.img P ; kernel8.img G`;
export const PI4 = `start4.elf P ; config.txt G ; pieeprom.sig x ; recover4.elf x ; recovery.elf x ; start4.elf G ; fixup4.dat G ;
	recovery.elf x ; config.txt PGG ; dt-blob.bin x ; recovery.elf x ; config.txt GG ; bootcfg.txt x ;
	bcm2711-rpi-4-b.dtb PG ; overlays/overlay_map.dtb PG ; config.txt G ; overlays/vc4-kms-v3d-pi4.dtbo PG ; cmdline.txt G ;
	recovery8.img x ; kernel8.img PP ; armstub8-gic.bin x ; initramfs8 PG ; kernel8.img G`;
export const PI5 = `config.txt G ; pieeprom.sig x ; config.txt G ; config.txt G ; kernel_2712.img P ; initramfs_2712 G ;
	bcm2712-rpi-5-b.dtb G ; overlays/overlay_map.dtb G ; cmdline.txt G ; armstub8-2712.bin x ; kernel_2712.img G`;
/** The Pi 5 whose server had neither device tree nor command line. */
export const PI5_BARE = `config.txt G ; pieeprom.sig x ; config.txt G ; config.txt G ; kernel8.img P ; bcm2712-rpi-5-b.dtb x ;
	cmdline.txt x ; armstub8-2712.bin x ; kernel8.img G`;

const SIZE = 1_000_000;

/** The facts of a script, and a `cmdline` fact where the command line is served to `bootId`. */
export function facts(script: string, bootId = "b1"): Fact[] {
	return script.split(";").flatMap((line) => {
		const [path = "", how = ""] = line.trim().split(" ");
		return [...how].flatMap((letter) => factsOf(path, letter, bootId));
	});
}

function factsOf(path: string, how: string, bootId: string): Fact[] {
	if (how === "x") return [{ kind: "tftp-open", path, found: false }];
	const open: Fact = { kind: "tftp-open", path, found: true };
	if (how === "P") return [open, { kind: "tftp-end", path, outcome: "probe", bytes: 0, size: SIZE }];
	const served: Fact[] = path === "cmdline.txt" ? [{ kind: "cmdline", bootId }] : [];
	return [open, ...served, { kind: "tftp-end", path, outcome: "complete", bytes: SIZE, size: SIZE }];
}
