/**
 * DietPi: a Debian with ifupdown and dhclient, Dropbear in place of OpenSSH, a user `dietpi` beside root, and a first boot
 * that grows the disk and sets the machine up by `dietpi.txt`, which it takes from the boot volume.
 */
import { DEBIAN_BARE } from "./stock.ts";
import type { Entries } from "./tree.ts";

const PROGRAM = { text: "#!", mode: 0o755 };
const SYSTEM = "/etc/systemd/system";

const SETTINGS =
	"# DietPi's first boot\nAUTO_SETUP_NET_ETHERNET_ENABLED=1\nAUTO_SETUP_NET_HOSTNAME=DietPi\nAUTO_SETUP_SWAPFILE_SIZE=1\nAUTO_SETUP_GLOBAL_PASSWORD=dietpi\n";

export const DIETPI_ROOT: Entries = {
	...DEBIAN_BARE,
	"/usr/bin/sudo": { text: "#!", mode: 0o4755 },
	"/usr/sbin/dropbear": PROGRAM,
	"/usr/sbin/dhclient": PROGRAM,
	"/usr/sbin/ifup": PROGRAM,
	"/etc/passwd":
		"root:x:0:0:root:/root:/bin/bash\ndietpi:x:1000:1000::/home/dietpi:/bin/bash\nnobody:x:65534:65534::/nonexistent:/usr/sbin/nologin\n",
	"/etc/shadow": { text: "root:$6$a$b:19000:0:99999:7:::\ndietpi:$6$a$b:19000:0:99999:7:::\n", mode: 0o640, gid: 42 },
	"/etc/group": "root:x:0:\nsudo:x:27:\ndietpi:x:1000:\n",
	"/etc/gshadow": { text: "root:*::\nsudo:*::\ndietpi:!::\n", mode: 0o640, gid: 42 },
	"/etc/hostname": "DietPi\n",
	"/etc/hosts": "127.0.0.1 localhost\n127.0.1.1 DietPi\n",
	"/etc/fstab":
		"tmpfs /tmp tmpfs size=1023M,noatime,lazytime,nodev,nosuid,mode=1777\nPARTUUID=1f00cafe-02 / ext4 noatime,lazytime,rw 0 1\nPARTUUID=1f00cafe-01 /boot/firmware vfat noatime,lazytime,rw 0 2\n",
	"/etc/network/interfaces":
		"source interfaces.d/*\n\nallow-hotplug eth0\niface eth0 inet dhcp\naddress 192.168.0.100\nnetmask 255.255.255.0\n\n#allow-hotplug wlan0\niface wlan0 inet dhcp\n",
	"/etc/dropbear/dropbear_ecdsa_host_key": { text: "of the image", mode: 0o600 },
	"/etc/default/dropbear": 'DROPBEAR_EXTRA_ARGS=""\n',
	"/boot/dietpi.txt": SETTINGS,
	"/boot/dietpi/func/dietpi-globals": "#!/bin/bash\n",
	"/boot/config.txt": { link: "firmware/config.txt" },
	"/home/dietpi": { directory: true },
	[`${SYSTEM}/dietpi-preboot.service`]: "[Unit]\n",
	[`${SYSTEM}/dietpi-firstboot.service`]: "[Unit]\n[Service]\nType=oneshot\n",
	[`${SYSTEM}/dietpi-fs_partition_resize.service`]: "[Unit]\n",
	[`${SYSTEM}/ifup@.service`]: "[Unit]\n",
	"/usr/lib/systemd/system/networking.service": "[Unit]\n",
	"/usr/lib/systemd/system/dropbear.service": "[Unit]\n",
	[`${SYSTEM}/multi-user.target.wants/dropbear.service`]: { link: "/usr/lib/systemd/system/dropbear.service" },
	[`${SYSTEM}/multi-user.target.wants/networking.service`]: { link: "/usr/lib/systemd/system/networking.service" },
	[`${SYSTEM}/local-fs.target.wants/dietpi-fs_partition_resize.service`]: {
		link: `${SYSTEM}/dietpi-fs_partition_resize.service`,
	},
	[`${SYSTEM}/multi-user.target.wants/dietpi-firstboot.service`]: { link: `${SYSTEM}/dietpi-firstboot.service` },
};

/** What a person prepares on the card. */
export const DIETPI_TXT = SETTINGS.replace("SWAPFILE_SIZE=1", "SWAPFILE_SIZE=512").replace(
	"# DietPi's first boot",
	"# für mich",
);
