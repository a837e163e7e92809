/** The bootloaders in the EEPROM of Pi 4 and 5 over the years: what each release changed that can be seen on the network. */
import { guidOfSerials, guidWithWord, type Model } from "../board.ts";
import type { FirmwareDhcpStyle } from "../dhcp-firmware.ts";
import type { TftpStage } from "../firmware.ts";
import { BOOT_TAG } from "../tftp-server-of.ts";

export interface Bootloader {
	readonly dhcp: FirmwareDhcpStyle;
	readonly guid: Model["guid"];
	readonly tftp: TftpStage;
	/** Whether the overlay map is fetched only when an overlay is wanted. */
	readonly mapOnDemand: boolean;
}

/** What can change, with the state before the first release. */
interface Traits {
	guid: Model["guid"];
	blksize: number | undefined;
	rollover: boolean;
	acksAgain: boolean;
	requestHasClass: boolean;
	takesRelayed: boolean;
	oneMenuEntry: boolean;
	threeDigits: boolean;
	mapOnDemand: boolean;
}

/** A release: its day, and what it changed. */
type Release = readonly [day: string, change: Partial<Traits>];

const BEFORE: Traits = {
	guid: guidOfSerials,
	blksize: undefined,
	rollover: false,
	acksAgain: false,
	requestHasClass: false,
	takesRelayed: false,
	oneMenuEntry: true,
	threeDigits: false,
	mapOnDemand: false,
};

const BCM2711: readonly Release[] = [
	["2019-09-23", {}],
	["2019-10-08", { blksize: 1024 }],
	["2019-12-03", { threeDigits: true }],
	["2020-01-09", { threeDigits: false, oneMenuEntry: false }],
	["2020-03-04", { guid: guidWithWord("RPi4", false) }],
	["2020-03-16", { guid: guidWithWord("RPi4") }],
	["2020-06-12", { requestHasClass: true, takesRelayed: true }],
	["2021-02-16", { acksAgain: true }],
	["2022-02-04", { guid: guidWithWord("4iPR") }],
	["2022-10-03", { blksize: 1468 }],
	["2025-09-23", { rollover: true }],
];

/** The first ones of the Pi 5 call themselves a 4. */
const BCM2712: readonly Release[] = [
	[
		"2023-09-13",
		{
			guid: guidWithWord("4iPR"),
			blksize: 1468,
			acksAgain: true,
			requestHasClass: true,
			takesRelayed: true,
			oneMenuEntry: false,
		},
	],
	["2023-10-30", { guid: guidWithWord("5iPR") }],
	["2025-09-23", { rollover: true }],
	["2026-06-17", { mapOnDemand: true }],
];

const RELEASES = { BCM2711, BCM2712 } as const;

/**
 * The bootloader that was the newest at a time.
 * @param date `2026`, `2020-03` or `2020-03-04`: the end of that year, month or day.
 * @returns undefined when there was none yet.
 */
export function bootloaderOf(soc: keyof typeof RELEASES, date: string): Bootloader | undefined {
	const known = RELEASES[soc].filter(([day]) => day.slice(0, date.length) <= date);
	if (known.length === 0) return undefined;
	return bootloader(Object.assign({}, BEFORE, ...known.map(([, change]) => change)));
}

function bootloader(traits: Traits): Bootloader {
	const { guid, blksize, rollover, acksAgain, mapOnDemand, ...answers } = traits;
	return {
		guid,
		mapOnDemand,
		tftp: { blksize, tsize: true, rollover, acksAgain, ttl: 64, firstPort: undefined },
		dhcp: {
			optionOrder: [53, 55, 60, 93, 94, 97],
			parameters: [1, 3, 43, 60, 66, 67, 128, 129, 130, 131, 132, 133, 134, 135],
			xid: undefined,
			sendsRequest: true,
			tftpServer: "option66",
			bootTag: BOOT_TAG,
			knowsRouters: true,
			checksAddress: true,
			hesitates: 0,
			dies: false,
			ttl: 64,
			...answers,
		},
	};
}
