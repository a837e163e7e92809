/** The names by which fstab and the kernel's command line speak of a volume: `PARTUUID=...`, `LABEL=...`, `/dev/mmcblk0p2`. */
import type { Partition } from "../../disk/index.ts";

/** What a volume can be called. */
export interface VolumeNames {
	readonly partition: Partition;
	/** Of the file system: ext's UUID, FAT's serial number. */
	readonly uuid: string;
	readonly label: string;
}

/** Whether `spec` names this volume. Of a device path only the number counts: the disk has another name in every machine. */
export function namesVolume(spec: string, volume: VolumeNames): boolean {
	const [kind = "", value = ""] = spec.split("=", 2).map((part) => part.replaceAll('"', ""));
	if (kind === "PARTUUID") return sameHex(value, volume.partition.partuuid);
	if (kind === "UUID") return sameHex(value, volume.uuid);
	if (kind === "LABEL") return value !== "" && value === volume.label;
	if (kind === "PARTLABEL") return value !== "" && value === volume.partition.name;
	const device = /^\/dev\/(?:mmcblk\d+p|nvme\d+n\d+p|[sv]d[a-z]+)(\d+)$/.exec(spec);
	return device !== null && Number(device[1]) === volume.partition.index;
}

function sameHex(a: string, b: string): boolean {
	const plain = (text: string) => text.toLowerCase().replaceAll("-", "");
	return plain(a) !== "" && plain(a) === plain(b);
}
