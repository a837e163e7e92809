/**
 * Alpine for Raspberry Pi. Diskless, as it is downloaded: one FAT volume with the packages that the root is made of in memory.
 * Installed (`setup-disk -m sys`): an ext4 root with OpenRC under BusyBox's init.
 */
import { ARM64_PROGRAM } from "./stock.ts";
import type { Entries } from "./tree.ts";

const FIRMWARE: Entries = {
	"/bootcode.bin": "boot",
	"/start4.elf": "firmware",
	"/fixup4.dat": "fixup",
	"/bcm2711-rpi-4-b.dtb": "tree",
	"/overlays/README": "overlays\n",
};

export const ALPINE_DISKLESS_BOOT: Entries = {
	...FIRMWARE,
	"/.alpine-release": "alpine-rpi 3.22.0 250530\n",
	"/config.txt": "[all]\narm_64bit=1\nkernel=boot/vmlinuz-rpi\ninitramfs boot/initramfs-rpi\ninclude usercfg.txt\n",
	"/cmdline.txt": "modules=loop,squashfs,sd-mod,usb-storage quiet console=tty1\n",
	"/boot/vmlinuz-rpi": "the kernel",
	"/boot/initramfs-rpi": "the initramfs",
	"/boot/modloop-rpi": "modules",
	"/apks/.boot_repository": "",
	"/apks/aarch64/APKINDEX.tar.gz": "index",
};

export const ALPINE_SYS_BOOT: Entries = {
	...FIRMWARE,
	"/config.txt": "[all]\narm_64bit=1\nkernel=vmlinuz-rpi\ninitramfs initramfs-rpi\ninclude usercfg.txt\n",
	"/cmdline.txt":
		"root=UUID=11111111-2222-3333-4444-555555555555 modules=sd-mod,usb-storage,ext4 quiet rootfstype=ext4\n",
	"/vmlinuz-rpi": "the kernel",
	"/initramfs-rpi": "the initramfs",
};

const SCRIPT = { text: "#!/sbin/openrc-run\n", mode: 0o755 };

export const ALPINE_SYS_ROOT: Entries = {
	"/bin/busybox": ARM64_PROGRAM,
	"/bin/sh": { link: "/bin/busybox" },
	"/sbin/init": { link: "/bin/busybox" },
	"/sbin/udhcpc": { link: "/bin/busybox" },
	"/sbin/openrc": { text: "#!", mode: 0o755 },
	"/usr/sbin/sshd": { text: "#!", mode: 0o755 },
	"/usr/lib/os-release": 'NAME="Alpine Linux"\nID=alpine\nVERSION_ID=3.22.0\nPRETTY_NAME="Alpine Linux v3.22"\n',
	"/etc/os-release": { link: "../usr/lib/os-release" },
	"/etc/inittab":
		"# /etc/inittab\n\n::sysinit:/sbin/openrc sysinit\n::sysinit:/sbin/openrc boot\n::wait:/sbin/openrc default\n\ntty1::respawn:/sbin/getty 38400 tty1\n::ctrlaltdel:/sbin/reboot\n::shutdown:/sbin/openrc shutdown\n",
	"/etc/fstab":
		"UUID=11111111-2222-3333-4444-555555555555\t/\text4\trw,relatime 0 1\nUUID=ABCD-1234\t/boot\tvfat\trw,relatime 0 2\n/dev/usbdisk\t/media/usb\tvfat\tnoauto\t0 0\n",
	"/etc/hostname": "alpine\n",
	"/etc/hosts": "127.0.0.1\tlocalhost\n",
	"/etc/passwd": "root:x:0:0:root:/root:/bin/sh\nsshd:x:22:22:sshd:/dev/null:/sbin/nologin\n",
	"/etc/shadow": { text: "root:!::0:::::\nsshd:!::0:::::\n", mode: 0o640 },
	"/etc/group": "root:x:0:root\nsshd:x:22:\n",
	"/etc/network/interfaces": "auto lo\niface lo inet loopback\n\nauto eth0\niface eth0 inet dhcp\n",
	"/etc/init.d/networking": SCRIPT,
	"/etc/init.d/sshd": SCRIPT,
	"/etc/runlevels/boot/networking": { link: "/etc/init.d/networking" },
	"/etc/runlevels/default/crond": { link: "/etc/init.d/crond" },
	"/etc/ssh/sshd_config": "Subsystem sftp internal-sftp\n",
	"/boot": { directory: true },
	"/root": { directory: true, mode: 0o700 },
	"/tmp": { directory: true, mode: 0o1777 },
	"/var/log": { directory: true },
	"/var/cache": { directory: true },
};
