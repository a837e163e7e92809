/** What a person sets for the system that a device boots, without changing its image: for one device, or as the default of all. */

export interface Customisation {
	/** The account that logs in; made where the image has none of this name. */
	readonly userName?: string;
	/** A crypt(3) hash, a secret: never logged, never shown. */
	readonly passwordHash?: string;
	/** Lines of an `authorized_keys` file, besides those of the data folder's. */
	readonly authorizedKeys?: readonly string[];
	/** `Europe/Berlin`. */
	readonly timeZone?: string;
	/** `de_DE.UTF-8`. */
	readonly locale?: string;
	/** As XKB has it: `de`, `ch(fr)`. */
	readonly keyboard?: string;
	/** ISO 3166: `DE`. */
	readonly wifiCountry?: string;
	/** cloud-init's user-data, where the image has cloud-init; may hold secrets. */
	readonly userData?: string;
}

/** null takes a field away: the default holds again, or the image's own. What is left out stays. */
export type CustomisationChanges = { readonly [K in keyof Customisation]?: Customisation[K] | null | undefined };

/** What holds after changes. */
export function changedCustomisation(before: Customisation, changes: CustomisationChanges): Customisation {
	const entries = Object.entries({ ...before, ...defined(changes) }).filter(([, value]) => value !== null);
	return Object.fromEntries(entries);
}

/** Each field of the first that has it. */
export function mergedCustomisation(...layers: readonly Customisation[]): Customisation {
	return Object.assign({}, ...layers.toReversed());
}

/** As it is stored: null for none. */
export function customisationText(customisation: Customisation): string | null {
	return Object.keys(customisation).length === 0 ? null : JSON.stringify(customisation);
}

/** Out of the store, where only this program writes. */
export function customisationFrom(text: string | null): Customisation {
	return text === null ? {} : JSON.parse(text);
}

function defined(changes: CustomisationChanges): CustomisationChanges {
	return Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
}
