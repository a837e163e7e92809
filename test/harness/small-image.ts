/**
 * A small image that a Pi 3B+, a Pi 4 and a Pi 5 can boot as far as a virtual one goes: boot files with the names that the
 * firmware asks for and bytes of no meaning, and a root with little more than /etc.
 */
import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { makeDiskImage, makeExtImage, makeFatImage, patternBytes } from "../../server/src/disk/testdata/index.ts";
import { overlayMap } from "./overlay-map.ts";

export interface SmallImage {
	/** Path of the image. */
	readonly path: string;
	/** The folders that its two file systems were made from. */
	readonly boot: string;
	readonly root: string;
}

export interface SmallImageOptions {
	/** File name of the image; default `small.img`. */
	readonly name?: string;
	/** Size of a kernel; the other files go by it. Default 3,000,001 bytes. */
	readonly kernelBytes?: number;
	/** Stands in `/etc/os-release`, so that a test can tell two images apart. */
	readonly variant?: string;
	/** For writes: the root has systemd and Python, so the agent is in it, and so many MiB that cannot be made smaller. */
	readonly ballastMiB?: number;
	/** Whether the other Pis find their kernels and device trees in it too. */
	readonly forAllModels?: boolean;
	/** Further boot files, with their sizes in kernels, and those that are not in it. */
	readonly bootFiles?: Readonly<Record<string, number>>;
	readonly without?: readonly string[];
	/** Further files of the root, or others in their place: what they hold, by path. Programs are told by their `#!`. */
	readonly files?: Readonly<Record<string, string>>;
}

export const CMDLINE =
	"console=serial0,115200 console=tty1 root=PARTUUID=1f00cafe-02 rootfstype=ext4 fsck.repair=yes rootwait quiet";
/** `auto_initramfs=1` is what Raspberry Pi OS has; the kernels here say nothing about themselves, so it stays. */
export const CONFIG = "# a user's comment\nauto_initramfs=1\narm_64bit=1\ndtoverlay=vc4-kms-v3d\n";

/** Sizes of the boot files, in kernels. */
const BOOT_FILES: Readonly<Record<string, number>> = {
	"bootcode.bin": 0.02,
	"start.elf": 0.4,
	"fixup.dat": 0.003,
	"start4.elf": 0.4,
	"fixup4.dat": 0.003,
	"kernel8.img": 1,
	"kernel_2712.img": 1,
	initramfs8: 0.7,
	initramfs_2712: 0.7,
	"bcm2710-rpi-3-b-plus.dtb": 0.01,
	"bcm2711-rpi-4-b.dtb": 0.02,
	"bcm2711-rpi-400.dtb": 0.02,
	"bcm2712-rpi-5-b.dtb": 0.03,
	"LICENCE.broadcom": 0.001,
	"A long name with blanks.txt": 0.001,
	"overlays/vc4-kms-v3d.dtbo": 0.001,
	"overlays/vc4-kms-v3d-pi4.dtbo": 0.002,
	"overlays/vc4-kms-v3d-pi5.dtbo": 0.002,
	"overlays/README": 0.05,
};

const BOOT_FILES_FOR_ALL: Readonly<Record<string, number>> = {
	...BOOT_FILES,
	"kernel.img": 0.5,
	"kernel7.img": 0.5,
	initramfs: 0.4,
	initramfs7: 0.4,
	"bcm2708-rpi-b.dtb": 0.01,
	"bcm2708-rpi-b-plus.dtb": 0.01,
	"bcm2709-rpi-2-b.dtb": 0.01,
	"bcm2710-rpi-2-b.dtb": 0.01,
	"bcm2710-rpi-3-b.dtb": 0.01,
	"bcm2711-rpi-cm4.dtb": 0.02,
	"bcm2712d0-rpi-5-b.dtb": 0.03,
	"bcm2712-rpi-500.dtb": 0.03,
	"bcm2712-rpi-cm5-cm5io.dtb": 0.03,
	"bcm2712-rpi-cm5l-cm4io.dtb": 0.03,
};

/** As the real one has it. */
const OVERLAYS = { "vc4-kms-v3d": { bcm2835: "", bcm2711: "vc4-kms-v3d-pi4", bcm2712: "vc4-kms-v3d-pi5" } };

const FSTAB = "PARTUUID=1f00cafe-01 /boot/firmware vfat defaults 0 2\nPARTUUID=1f00cafe-02 / ext4 defaults 0 1\n";

/** Makes the image in a folder, which may be the server's own: it appears there whole. Its sources stay in `work`. */
export function makeSmallImage(folder: string, work: string, options: SmallImageOptions = {}): SmallImage {
	const place = mkdtempSync(join(work, "small-image-"));
	const boot = join(place, "boot");
	const root = join(place, "root");
	const { ballastMiB = 0, without = [] } = options;
	const files = { ...(options.forAllModels === true ? BOOT_FILES_FOR_ALL : BOOT_FILES), ...options.bootFiles };
	const left = Object.entries(files).filter(([file]) => !without.includes(file));
	writeBootFiles(boot, Object.fromEntries(left), options.kernelBytes ?? 3_000_001);
	writeRoot(root, options.variant ?? "small");
	if (ballastMiB > 0) writeBallast(root, ballastMiB);
	for (const [path, content] of Object.entries(options.files ?? {})) {
		write(join(root, path), content);
		if (content.startsWith("#!")) chmodSync(join(root, path), 0o755);
	}
	const fat = makeFatImage(place, { sizeKiB: 48 * 1024, sourceDir: boot });
	const ext = makeExtImage(place, { size: `${16 + ballastMiB}M`, sourceDir: root });
	const made = makeDiskImage(place, { boot: fat, root: ext, table: "mbr" });
	rmSync(fat);
	rmSync(ext);
	const path = join(folder, options.name ?? "small.img");
	renameSync(made, path);
	return { path, boot, root };
}

function writeBootFiles(folder: string, files: Readonly<Record<string, number>>, kernelBytes: number): void {
	let seed = 0;
	for (const [name, size] of Object.entries(files)) {
		write(join(folder, name), patternBytes(Math.ceil(kernelBytes * size) + (++seed % 7), seed));
	}
	write(join(folder, "overlays/overlay_map.dtb"), overlayMap(OVERLAYS));
	write(join(folder, "config.txt"), CONFIG);
	write(join(folder, "cmdline.txt"), `${CMDLINE}\n`);
}

function writeRoot(folder: string, variant: string): void {
	const osRelease = `PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\nVERSION_ID="12"\nVARIANT=${variant}\n`;
	write(join(folder, "usr/lib/os-release"), osRelease);
	write(join(folder, "etc/os-release"), osRelease);
	write(join(folder, "etc/fstab"), FSTAB);
	write(join(folder, "etc/hostname"), "raspberrypi\n");
	write(join(folder, "etc/machine-id"), "");
	write(join(folder, "usr/lib/systemd/systemd"), "#!");
	write(join(folder, "sbin/init"), "#!");
	write(join(folder, "usr/share/big"), patternBytes(1_000_003, 99));
	mkdirSync(join(folder, "boot/firmware"), { recursive: true });
}

function writeBallast(root: string, mebibytes: number): void {
	write(join(root, "usr/share/ballast"), patternBytes(mebibytes * 1024 * 1024, 7));
	write(join(root, "usr/bin/python3"), "#!");
	for (const program of ["usr/bin/python3", "usr/lib/systemd/systemd"]) chmodSync(join(root, program), 0o755);
	rmSync(join(root, "sbin/init"));
	symlinkSync("/usr/lib/systemd/systemd", join(root, "sbin/init"));
}

function write(path: string, content: string | Buffer): void {
	mkdirSync(dirname(path), { recursive: true });
	writeFileSync(path, content);
}
