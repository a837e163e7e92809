/** What several rules advise. */

export const UPDATE_BOOTLOADER =
	"Update the bootloader: boot Raspberry Pi OS from a card once and run `sudo rpi-eeprom-update -a`.";

export const FIREWALL =
	"Open UDP 67 and 69 and the ports above 1024 in this machine's firewall, and stop other TFTP servers on it.";
