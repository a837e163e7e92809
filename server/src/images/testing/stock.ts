/** The stock images of the distributions, as far as their configuration matters to a boot from the network. */
import type { Entries } from "./tree.ts";

/** The first 20 bytes of an ELF program for arm64. */
export const ARM64_PROGRAM = elfHeader(183);
export const ARM_PROGRAM = elfHeader(40);
export const AMD64_PROGRAM = elfHeader(62);

function elfHeader(machine: number): Buffer {
	const header = Buffer.alloc(64);
	header.write("\x7fELF\x02\x01\x01", "latin1");
	header.writeUInt16LE(machine, 18);
	return header;
}

const PROGRAM = { text: "#!", mode: 0o755 };
const UNITS = "/usr/lib/systemd/system";

/** Debian with merged /usr, systemd, no user, no sshd: what mmdebstrap makes. */
const DEBIAN: Entries = {
	"/usr/bin/dash": ARM64_PROGRAM,
	"/usr/bin/sh": { link: "dash" },
	"/usr/bin/bash": PROGRAM,
	"/usr/bin/python3": PROGRAM,
	"/usr/lib/systemd/systemd": PROGRAM,
	"/usr/lib/systemd/systemd-networkd-wait-online": PROGRAM,
	"/usr/sbin/init": { link: "../lib/systemd/systemd" },
	"/bin": { link: "usr/bin" },
	"/sbin": { link: "usr/sbin" },
	"/lib": { link: "usr/lib" },
	"/etc/os-release": { link: "../usr/lib/os-release" },
	"/usr/lib/os-release":
		'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\nID=debian\n',
	"/etc/passwd":
		"root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
	"/etc/shadow": { text: "root:*:19000:0:99999:7:::\ndaemon:*:19000:0:99999:7:::\n", mode: 0o640, gid: 42 },
	"/etc/group": "root:x:0:\nadm:x:4:\nsudo:x:27:\nvideo:x:44:\nnogroup:x:65534:\n",
	"/etc/gshadow": { text: "root:*::\nadm:*::\nsudo:*::\nvideo:*::\nnogroup:*::\n", mode: 0o640, gid: 42 },
	"/etc/skel/.bashrc": "# .bashrc\n",
	"/etc/hostname": "raspberrypi\n",
	"/etc/hosts": "127.0.0.1 localhost\n127.0.1.1 raspberrypi\n",
	"/etc/machine-id": "",
	"/etc/fstab":
		"proc /proc proc defaults 0 0\nPARTUUID=1f00cafe-01 /boot/firmware vfat defaults 0 2\nPARTUUID=1f00cafe-02 / ext4 defaults,noatime 0 1\n",
	"/etc/initramfs-tools/initramfs.conf": "MODULES=most\nCOMPRESS=zstd\n",
	"/boot/firmware": { directory: true },
	"/home": { directory: true },
	"/root": { directory: true, mode: 0o700 },
	"/tmp": { directory: true, mode: 0o1777 },
	"/var/log": { directory: true },
	"/var/tmp": { directory: true, mode: 0o1777 },
	"/var/cache": { directory: true },
	"/var/lib/systemd": { directory: true },
	"/var/lib/dbus/machine-id": { link: "/etc/machine-id" },
	[`${UNITS}/systemd-networkd.service`]: "[Unit]\n",
	[`${UNITS}/systemd-networkd.socket`]: "[Unit]\n",
	[`${UNITS}/systemd-networkd-wait-online.service`]: "[Unit]\n",
	[`${UNITS}/getty@.service`]: "[Unit]\n",
	[`${UNITS}/apt-daily.timer`]: "[Unit]\n",
};

const SSHD: Entries = {
	"/usr/sbin/sshd": PROGRAM,
	"/etc/ssh/sshd_config": "UsePAM yes\n",
	[`${UNITS}/ssh.service`]: "[Unit]\n",
};

const NETWORK_MANAGER: Entries = {
	[`${UNITS}/NetworkManager.service`]: "[Unit]\n",
	"/etc/systemd/system/multi-user.target.wants/NetworkManager.service": { link: `${UNITS}/NetworkManager.service` },
	"/var/lib/NetworkManager": { directory: true, mode: 0o700 },
};

/** Debian with systemd-networkd on `e*`, and sshd switched on by its package. */
export const DEBIAN_NETWORKD: Entries = {
	...DEBIAN,
	...SSHD,
	"/etc/ssh/ssh_host_rsa_key": { text: "of the image", mode: 0o600 },
	"/etc/systemd/network/80-dhcp.network": "[Match]\nName=e*\n[Network]\nDHCP=yes\n",
	"/etc/systemd/system/multi-user.target.wants/systemd-networkd.service": {
		link: "/lib/systemd/system/systemd-networkd.service",
	},
	"/etc/systemd/system/multi-user.target.wants/ssh.service": { link: "/lib/systemd/system/ssh.service" },
};

export const DEBIAN_NETWORK_MANAGER: Entries = { ...DEBIAN, ...NETWORK_MANAGER, ...SSHD };

/** Neither a manager that is switched on, nor sshd. */
export const DEBIAN_BARE: Entries = DEBIAN;

/** Raspberry Pi OS: NetworkManager, a user pi without a password, sshd off, a dialog for the first user. */
const RASPBERRY_PI_OS: Entries = {
	...DEBIAN,
	...NETWORK_MANAGER,
	...SSHD,
	"/etc/rpi-issue": "Raspberry Pi reference\n",
	"/usr/bin/sudo": { text: "#!", mode: 0o4755 },
	"/etc/passwd": "root:x:0:0:root:/root:/bin/bash\npi:x:1000:1000:,,,:/home/pi:/bin/bash\n",
	"/etc/shadow": { text: "root:*:19000:0:99999:7:::\npi:!:19000:0:99999:7:::\n", mode: 0o640, gid: 42 },
	"/etc/group": "root:x:0:\nsudo:x:27:pi\npi:x:1000:\n",
	"/home/pi/.bashrc": { text: "# .bashrc\n", uid: 1000, gid: 1000 },
	"/etc/machine-id": "uninitialized\n",
	"/etc/ssh/sshd_config.d/rename_user.conf": "Banner /usr/share/userconf-pi/sshd_banner\n",
	[`${UNITS}/userconfig.service`]: "[Unit]\n",
	[`${UNITS}/regenerate_ssh_host_keys.service`]: "[Unit]\n",
};

export const RASPBERRY_PI_OS_BOOKWORM: Entries = {
	...RASPBERRY_PI_OS,
	[`${UNITS}/dphys-swapfile.service`]: "[Unit]\n",
	"/etc/init.d/resize2fs_once": PROGRAM,
};

export const RASPBERRY_PI_OS_TRIXIE: Entries = {
	...RASPBERRY_PI_OS,
	"/usr/lib/os-release":
		'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nVERSION_ID="13"\nVERSION_CODENAME=trixie\nID=debian\n',
	"/usr/bin/cloud-init": PROGRAM,
	"/etc/rpi/swap.conf": "[Main]\n#Mechanism=auto\n",
	"/usr/lib/systemd/system-generators/rpi-swap-generator": PROGRAM,
	"/etc/initramfs-tools/conf.d/modules": "MODULES=dep\n",
	[`${UNITS}/rpi-resize.service`]: "[Unit]\n",
};

/** The boot volume of a 64-bit Raspberry Pi OS; the kernels hold no more than the head of one. */
export const RASPBERRY_PI_BOOT: Entries = {
	"/bootcode.bin": "x",
	"/start.elf": "x",
	"/fixup.dat": "x",
	"/start4.elf": "x",
	"/fixup4.dat": "x",
	"/config.txt": "auto_initramfs=1\narm_64bit=1\n[cm4]\notg_mode=1\n[all]\n",
	"/cmdline.txt":
		"console=serial0,115200 console=tty1 root=PARTUUID=1f00cafe-02 rootfstype=ext4 fsck.repair=yes rootwait quiet init=/usr/lib/raspberrypi-sys-mods/firstboot\n",
	"/kernel8.img": "x",
	"/kernel_2712.img": "x",
	"/initramfs8": "x",
	"/initramfs_2712": "x",
	"/bcm2710-rpi-3-b.dtb": "x",
	"/bcm2710-rpi-3-b-plus.dtb": "x",
	"/bcm2711-rpi-4-b.dtb": "x",
	"/bcm2711-rpi-400.dtb": "x",
	"/bcm2711-rpi-cm4.dtb": "x",
	"/bcm2712-rpi-5-b.dtb": "x",
	"/bcm2712-rpi-500.dtb": "x",
	"/bcm2712-rpi-cm5-cm5io.dtb": "x",
};

export const TABLE = { kind: "mbr", diskId: "1f00cafe", partitions: [], findings: [] } as const;
