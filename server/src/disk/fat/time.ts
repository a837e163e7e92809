import type { FileTime } from "../../base/index.ts";

/**
 * A date and a time of FAT, which have no zone and are taken as UTC.
 *
 * @param date years since 1980 (7 bits), month (4), day (5). 0 was never set; as Linux does, it is 1980-01-01.
 * @param time hours (5 bits), minutes (6), seconds halved (5).
 */
export function fatTime(date: number, time: number): FileTime {
	const month = Math.max(1, (date >>> 5) & 0xf);
	const day = Math.max(1, date & 0x1f);
	const milliseconds = Date.UTC(
		1980 + (date >>> 9),
		month - 1,
		day,
		time >>> 11,
		(time >>> 5) & 0x3f,
		(time & 0x1f) * 2,
	);
	return { sec: milliseconds / 1000, nsec: 0 };
}
