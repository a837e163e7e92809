/**
 * Time zones, countries, languages and keyboards: what there is, so that a slip is told at once and not by the next boot. The
 * page uses it, too, so it needs nothing.
 */

/**
 * Zones that browsers and Node.js list by a name that the time zone database keeps for old programs alone; systems that leave
 * those out know them by the other one.
 */
const renamed: Readonly<Record<string, string>> = {
	"Africa/Asmera": "Africa/Asmara",
	"America/Buenos_Aires": "America/Argentina/Buenos_Aires",
	"America/Catamarca": "America/Argentina/Catamarca",
	"America/Coral_Harbour": "America/Atikokan",
	"America/Cordoba": "America/Argentina/Cordoba",
	"America/Godthab": "America/Nuuk",
	"America/Indianapolis": "America/Indiana/Indianapolis",
	"America/Jujuy": "America/Argentina/Jujuy",
	"America/Louisville": "America/Kentucky/Louisville",
	"America/Mendoza": "America/Argentina/Mendoza",
	"Asia/Calcutta": "Asia/Kolkata",
	"Asia/Katmandu": "Asia/Kathmandu",
	"Asia/Rangoon": "Asia/Yangon",
	"Asia/Saigon": "Asia/Ho_Chi_Minh",
	"Atlantic/Faeroe": "Atlantic/Faroe",
	"Europe/Kiev": "Europe/Kyiv",
	"Pacific/Enderbury": "Pacific/Kanton",
	"Pacific/Ponape": "Pacific/Pohnpei",
	"Pacific/Truk": "Pacific/Chuuk",
};

/** To choose from, sorted. */
export function timeZones(): string[] {
	const zones = Intl.supportedValuesOf("timeZone").map((zone) => renamed[zone] ?? zone);
	return [...new Set([...zones, "UTC"])].sort();
}

/** Whether the time zone database has it, as it is written: on the Pi it is the name of a file. */
export function isTimeZone(name: string): boolean {
	const known = knownZone(name);
	if (known === undefined || !(name === "UTC" || name.includes("/"))) return false;
	// Of names that are links to others only the other one is told; each part of any begins with a capital letter.
	return known.toLowerCase() === name.toLowerCase() ? known === name : /^[A-Z][^/]*(?:\/[A-Z][^/]*)*$/.test(name);
}

/** Any case is taken. */
function knownZone(name: string): string | undefined {
	try {
		return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone;
	} catch (error) {
		if (error instanceof RangeError) return undefined;
		throw error;
	}
}

const regions = new Intl.DisplayNames("en", { type: "region", fallback: "none" });
const languages = new Intl.DisplayNames("en", { type: "language", fallback: "none" });

/** What has two letters in the same list, and is none. */
const noCountries: ReadonlySet<string> = new Set(["EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"]);

/** @param code two capital letters. `UK` is none: the Wi-Fi of the kernel knows `GB` alone. */
export function isCountry(code: string): boolean {
	const isOfToday = new Intl.Locale(`und-${code}`).region === code;
	return isOfToday && !noCountries.has(code) && regions.of(code) !== undefined;
}

/** Of the form `de_DE.UTF-8` or `C.UTF-8`. Languages of three letters are too many to be listed anywhere. */
export function isLocale(locale: string): boolean {
	const [language = "", country] = locale.replace(/\..*$/, "").split("_");
	if (country === undefined) return true;
	return isCountry(country) && (language.length > 2 || languages.of(language) !== undefined);
}

/** Those of xkeyboard-config. */
export const keyboardLayouts: readonly string[] = (
	"af al am ara at au az ba bd be bg br brai bt bw by ca cd ch cm cn custom cz de dk dz ee epo es et fi fo fr gb ge gh " +
	"gn gr hr hu id ie il in iq ir is it jp jv ke kg kh kr kz la latam lk lt lv ma mao md me mk ml mm mn mt mv my ng nl " +
	"no np ph pk pl pt ro rs ru se si sk sn sy tg th tj tm tr tw tz ua us uz vn za"
).split(" ");
