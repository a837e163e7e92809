/** What may stand in the files that root reads on the Pi: nothing that ends its line, field or quotes, and no way out of a folder. */
export const VALID = {
	userName: /^[a-z_][a-z0-9_-]{0,31}$/,
	/** crypt(5): yescrypt, SHA-512 or SHA-256; a plain password begins with no such prefix. */
	passwordHash: /^\$[y56]\$[\x21-\x39\x3b-\x7e]+$/,
	authorizedKey: /^[^\r\n\0]+$/,
	timeZone: /^[A-Za-z][A-Za-z0-9_+-]*(?:\/[A-Za-z0-9][A-Za-z0-9_+-]*){0,2}$/,
	locale: /^(?:C|[a-z]{2,3}_[A-Z]{2})\.UTF-8$/,
	/** XKB's layout, with its variant in brackets. */
	keyboard: /^[a-z]{2,10}(?:\([a-z0-9_-]{1,32}\))?$/,
	wifiCountry: /^[A-Z]{2}$/,
} as const;
