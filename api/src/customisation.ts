/** What the system of a device gets without a change of its image. */
import { z } from "zod";
import { isCountry, isLocale, isTimeZone, keyboardLayouts } from "./places.ts";
import { isWholeKey } from "./ssh-key.ts";

/** A refusal names the rule, never the value: it may be a password that somebody typed in the wrong place. */
const PasswordHash = z
	.string()
	.max(512)
	.regex(
		/^\$(?:y\$[./A-Za-z0-9]{1,16}\$[./A-Za-z0-9]{1,86}\$[./A-Za-z0-9]{43}|6\$(?:rounds=\d{4,9}\$)?[./A-Za-z0-9]{1,16}\$[./A-Za-z0-9]{86}|5\$(?:rounds=\d{4,9}\$)?[./A-Za-z0-9]{1,16}\$[./A-Za-z0-9]{43})$/,
		"expected a password's hash that begins with $y$, $6$ or $5$, never the password itself; `openssl passwd -6` makes one",
	)
	.describe("A crypt(3) hash: yescrypt, SHA-512 or SHA-256. It is never given back.");

/** The longest is far beyond what anybody types, and costs little to hash. */
const Password = z
	.string()
	.min(1, "expected a password")
	.max(256, "expected a password of at most 256 characters")
	.regex(/^\P{Cc}*$/u, "expected a password in one line, without control characters");

const AuthorizedKey = z
	.string()
	.max(16_384, { abort: true })
	.regex(
		/^(?:\S[^\p{Cc}]* )?(?:ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(?:256|384|521)|sk-(?:ssh-ed25519|ecdsa-sha2-nistp256)@openssh\.com) [A-Za-z0-9+/]{16,}={0,2}(?: [^\p{Cc}]*)?$/u,
		{ error: "expected a public SSH key in one line, as ~/.ssh/id_ed25519.pub has it", abort: true },
	)
	.refine(isWholeKey, "expected a whole public SSH key: of this one a part is missing");

/** Bytes of user-data; what is larger is better fetched by the Pi itself. */
const USER_DATA_MAX = 32_768;

const ZONE = "expected a time zone that exists, like Europe/Berlin or UTC";
const LOCALE = "expected a locale that exists, like de_DE.UTF-8 or C.UTF-8";
const KEYBOARD = "expected a keyboard layout that exists, like de, gb or us, or ch(fr) with its variant";
const COUNTRY = "expected the two letters of a country, like DE or GB";

const fields = {
	userName: z
		.string()
		.regex(
			/^[a-z_][a-z0-9_-]{0,31}$/,
			"expected a user name: up to 32 lower-case letters, digits, dashes, a letter first",
		)
		.describe("The account that logs in; made where the image has none of this name."),
	passwordHash: PasswordHash,
	authorizedKeys: z
		.array(AuthorizedKey)
		.max(64)
		.describe("SSH keys that may log in, besides those in the data folder's `authorized_keys`."),
	timeZone: z
		.string()
		.max(64)
		.regex(/^[A-Za-z][A-Za-z0-9_+-]*(?:\/[A-Za-z0-9][A-Za-z0-9_+-]*){0,2}$/, { error: ZONE, abort: true })
		.refine(isTimeZone, ZONE),
	locale: z
		.string()
		.regex(/^(?:C|[a-z]{2,3}_[A-Z]{2})\.UTF-8$/, { error: LOCALE, abort: true })
		.refine(isLocale, LOCALE),
	keyboard: z
		.string()
		.regex(/^[a-z]{2,10}(?:\([a-z0-9_-]{1,32}\))?$/, { error: KEYBOARD, abort: true })
		.refine((keyboard) => keyboardLayouts.includes(keyboard.replace(/\(.*$/, "")), KEYBOARD),
	wifiCountry: z
		.string()
		.regex(/^[A-Z]{2}$/, { error: COUNTRY, abort: true })
		.refine(isCountry, COUNTRY),
	userData: z
		.string()
		.max(USER_DATA_MAX, `expected at most ${USER_DATA_MAX} characters of user-data`)
		.regex(
			/^(?:#cloud-config\s|#!|## template:|Content-Type:|#include\s)[^\0]*$/,
			"expected cloud-init's user-data, which begins with #cloud-config or #!",
		)
		.describe(
			"For images with cloud-init, in place of their own seed; carried out again when it changes. Never given back.",
		),
};

/** As it is shown: secrets are told by whether they are there. */
export const Customisation = z
	.object({
		userName: fields.userName.optional(),
		passwordSet: z.boolean(),
		authorizedKeys: z.array(z.string()).optional(),
		timeZone: z.string().optional(),
		locale: z.string().optional(),
		keyboard: z.string().optional(),
		wifiCountry: z.string().optional(),
		userDataSet: z.boolean(),
	})
	.meta({ id: "Customisation" });
export type Customisation = z.infer<typeof Customisation>;

/** null takes a field away: then the default holds, or the image's own. */
export const CustomisationChanges = z
	.strictObject({
		userName: fields.userName.nullable().optional(),
		password: Password.optional().describe(
			"In place of `passwordHash`: the server makes a SHA-512 hash of it, and keeps that alone.",
		),
		passwordHash: fields.passwordHash.nullable().optional(),
		authorizedKeys: fields.authorizedKeys.nullable().optional(),
		timeZone: fields.timeZone.nullable().optional(),
		locale: fields.locale.nullable().optional(),
		keyboard: fields.keyboard.nullable().optional(),
		wifiCountry: fields.wifiCountry.nullable().optional(),
		userData: fields.userData.nullable().optional(),
	})
	.refine(({ password, passwordHash }) => password === undefined || passwordHash === undefined, {
		error: "expected a password or its hash, not both",
	})
	.meta({ id: "CustomisationChanges" });
export type CustomisationChanges = z.infer<typeof CustomisationChanges>;
