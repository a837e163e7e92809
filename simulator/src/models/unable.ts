/** The Pis that cannot boot from the network: why, and what helps. */

interface Unable {
	/** Names that somebody may ask for it by, in lower case. */
	readonly names: readonly string[];
	readonly title: string;
	readonly why: string;
	readonly help: string;
}

const NO_PORT = "it has no network port, and the boot ROM knows no adapter on USB";
const USE_CARD = "Start it from an SD card that was written on another computer.";

const UNABLE: readonly Unable[] = [
	{
		names: ["pi1a", "pi1ap", "pi1a+", "1a", "1a+"],
		title: "A Raspberry Pi 1A or 1A+",
		why: NO_PORT,
		help: USE_CARD,
	},
	{ names: ["pi3ap", "pi3a", "pi3a+", "3a+"], title: "A Raspberry Pi 3A+", why: NO_PORT, help: USE_CARD },
	{
		names: ["zero", "pizero", "zerow", "pizerow", "zero-w"],
		title: "A Raspberry Pi Zero or Zero W",
		why: NO_PORT,
		help: USE_CARD,
	},
	{
		names: ["zero2w", "pizero2w", "zero2", "zero-2-w"],
		title: "A Raspberry Pi Zero 2 W",
		why: NO_PORT,
		help: USE_CARD,
	},
	{
		names: ["cm1", "cm0"],
		title: "A Compute Module 0 or 1",
		why: "it has no network port",
		help: "Write its memory over USB with rpiboot.",
	},
	{
		names: ["cm3", "cm3p", "cm3+", "cm3e"],
		title: "A Compute Module 3 or 3+",
		why: "it has no network port of its own, and nobody has confirmed that its ROM finds one on the carrier board",
		help: "Write its memory over USB with rpiboot; a carrier board with a LAN9514 may be tried as pi3b.",
	},
	{
		names: ["cm4s"],
		title: "A Compute Module 4S",
		why: "it has no network port, other than the Compute Module 4",
		help: "Write its memory over USB with rpiboot.",
	},
	{
		names: ["pico", "picow", "pico2", "pico2w"],
		title: "A Raspberry Pi Pico",
		why: "it is a microcontroller and runs no Linux",
		help: "Copy its program to it over USB.",
	},
];

/** A sentence that says why a model cannot boot from the network and what to do, or undefined for any other name. */
export function whyUnable(name: string): string | undefined {
	const found = UNABLE.find(({ names }) => names.includes(name.toLowerCase()));
	return found === undefined ? undefined : `${found.title} cannot boot from the network: ${found.why}. ${found.help}`;
}
