/**
 * Ubuntu Server for Raspberry Pi, as its preinstalled image has it: cloud-init with a seed on the boot volume, netplan, no
 * user yet, labels in fstab. Since 25.10 kernel, initramfs and command line lie in `current/`, and new ones are tried first
 * (`piboot-try`).
 */
import { ARM64_PROGRAM } from "./stock.ts";
import type { Entries } from "./tree.ts";

const PROGRAM = { text: "#!", mode: 0o755 };
const UNITS = "/usr/lib/systemd/system";
const WANTS = "/etc/systemd/system/multi-user.target.wants";

export const UBUNTU_ROOT: Entries = {
	"/usr/bin/dash": ARM64_PROGRAM,
	"/usr/bin/sh": { link: "dash" },
	"/usr/bin/bash": PROGRAM,
	"/usr/bin/python3": PROGRAM,
	"/usr/bin/sudo": { text: "#!", mode: 0o4755 },
	"/usr/bin/cloud-init": PROGRAM,
	"/usr/lib/systemd/systemd": PROGRAM,
	"/usr/lib/systemd/systemd-networkd-wait-online": PROGRAM,
	"/usr/sbin/init": { link: "../lib/systemd/systemd" },
	"/usr/sbin/netplan": PROGRAM,
	"/usr/sbin/sshd": PROGRAM,
	"/bin": { link: "usr/bin" },
	"/sbin": { link: "usr/sbin" },
	"/lib": { link: "usr/lib" },
	"/usr/lib/os-release":
		'PRETTY_NAME="Ubuntu 25.10"\nNAME="Ubuntu"\nVERSION_ID="25.10"\nVERSION_CODENAME=questing\nID=ubuntu\nID_LIKE=debian\n',
	"/etc/os-release": { link: "../usr/lib/os-release" },
	"/etc/fstab": "LABEL=writable\t/\text4\tdefaults\t0\t1\nLABEL=system-boot\t/boot/firmware\tvfat\tdefaults\t0\t1\n",
	"/etc/hostname": "ubuntu\n",
	"/etc/hosts": "127.0.0.1 localhost\n\n::1 ip6-localhost ip6-loopback\n",
	"/etc/machine-id": "uninitialized\n",
	"/etc/passwd": "root:x:0:0:root:/root:/bin/bash\nsyslog:x:103:104::/nonexistent:/usr/sbin/nologin\n",
	"/etc/shadow": { text: "root:*:20000:0:99999:7:::\nsyslog:!:20000::::::\n", mode: 0o640, gid: 42 },
	"/etc/group": "root:x:0:\nadm:x:4:syslog\nsudo:x:27:\n",
	"/etc/gshadow": { text: "root:*::\nadm:*::syslog\nsudo:*::\n", mode: 0o640, gid: 42 },
	"/etc/skel/.bashrc": "# .bashrc\n",
	"/etc/cloud/cloud.cfg": "users:\n  - default\ndisable_root: true\npreserve_hostname: false\n",
	"/etc/cloud/cloud.cfg.d/90_dpkg.cfg": "datasource_list: [ NoCloud, None ]\n",
	"/etc/netplan/.keep": "",
	"/etc/ssh/sshd_config": "UsePAM yes\n",
	"/etc/default/flash-kernel": 'LINUX_KERNEL_CMDLINE=""\n',
	"/usr/share/initramfs-tools/init": PROGRAM,
	"/etc/initramfs-tools/initramfs.conf": "MODULES=most\n",
	[`${UNITS}/systemd-networkd.service`]: "[Unit]\n",
	[`${UNITS}/systemd-networkd-wait-online.service`]: "[Unit]\n",
	[`${UNITS}/cloud-init.service`]: "[Unit]\n",
	[`${UNITS}/piboot-try-reboot.service`]: "[Unit]\n",
	[`${UNITS}/ssh.socket`]: "[Unit]\n",
	[`${UNITS}/ssh.service`]: "[Unit]\n",
	[`${WANTS}/systemd-networkd.service`]: { link: `${UNITS}/systemd-networkd.service` },
	"/etc/systemd/system/sockets.target.wants/ssh.socket": { link: `${UNITS}/ssh.socket` },
	"/boot/firmware": { directory: true },
	"/home": { directory: true },
	"/root": { directory: true, mode: 0o700 },
	"/snap": { directory: true },
	"/tmp": { directory: true, mode: 0o1777 },
	"/var/lib/cloud": { directory: true },
	"/var/lib/snapd/seed/seed.yaml": "snaps: []\n",
};

const CMDLINE =
	"console=serial0,115200 multipath=off dwc_otg.lpm_enable=0 console=tty1 root=LABEL=writable rootfstype=ext4 panic=10 rootwait fixrtc cfg80211.ieee80211_regdom=CH\n";

export const UBUNTU_BOOT: Entries = {
	"/bootcode.bin": "boot",
	"/start.elf": "firmware 3",
	"/fixup.dat": "fixup 3",
	"/start4.elf": "firmware 4",
	"/fixup4.dat": "fixup 4",
	"/autoboot.txt": "[all]\ntryboot_a_b=1\n",
	"/config.txt":
		"[all]\nos_prefix=current/\n\n[tryboot]\nos_prefix=new/\n\n[all]\narm_64bit=1\nkernel=vmlinuz\ncmdline=cmdline.txt\ninitramfs initrd.img followkernel\n\n[cm4]\ndtoverlay=dwc2,dr_mode=host\n\n[all]\n",
	"/current/vmlinuz": "the kernel",
	"/current/initrd.img": "the initramfs",
	"/current/cmdline.txt": CMDLINE,
	"/current/state": "good\n",
	"/current/bcm2710-rpi-3-b-plus.dtb": "tree 3",
	"/current/bcm2711-rpi-4-b.dtb": "tree 4",
	"/current/bcm2712-rpi-5-b.dtb": "tree 5",
	"/current/overlays/README": "overlays\n",
	"/user-data":
		"#cloud-config\nchpasswd:\n  expire: true\n  users:\n    - {name: ubuntu, password: ubuntu, type: text}\nssh_pwauth: true\n",
	"/meta-data": "instance-id: cloud-image\n",
	"/network-config": "version: 2\nethernets:\n  eth0:\n    dhcp4: true\n    optional: true\n",
};

/** A kernel that an upgrade put beside, to be tried at the next boot. */
export const UBUNTU_BOOT_UPGRADED: Entries = {
	...UBUNTU_BOOT,
	"/new/vmlinuz": "the next kernel",
	"/new/initrd.img": "the next initramfs",
	"/new/cmdline.txt": CMDLINE,
	"/new/state": "unknown\n",
	"/new/bcm2711-rpi-4-b.dtb": "the next tree",
};
