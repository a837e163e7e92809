/** Host names: what a device is called until somebody calls it otherwise, and what it can be called. */
import { DeviceError } from "./errors.ts";

/** RFC 1123 section 2.1 and RFC 1034 section 3.1: one label. */
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** Names that mean something else on every machine. */
const RESERVED = new Set(["localhost", "localdomain"]);

/**
 * A name that nobody has: `raspberrypi-06da` after the last digits of the id, more of them where that is taken.
 *
 * @param taken tells whether a name is in use.
 */
export function defaultName(id: string, taken: (name: string) => boolean): string {
	for (const digits of [4, 6, 8, 12]) {
		const name = `raspberrypi-${id.slice(-digits)}`;
		if (!taken(name)) return name;
	}
	for (let number = 2; ; number++) {
		const name = `raspberrypi-${id}-${number}`;
		if (!taken(name)) return name;
	}
}

/**
 * Checks a name that a person gave, and gives it in lower case: host names do not know the difference.
 *
 * @throws DeviceError `invalid-request` that says what is wrong with it.
 */
export function checkedName(name: string): string {
	const lower = name.toLowerCase();
	if (RESERVED.has(lower)) throw new DeviceError("invalid-request", `"${lower}" is the name of every machine itself`);
	if (LABEL.test(lower)) return lower;
	throw new DeviceError("invalid-request", `"${name.slice(0, 80)}" is not a host name: ${complaint(lower)}`);
}

function complaint(name: string): string {
	if (name === "") return "it is empty";
	if (name.length > 63) return `it has ${name.length} characters, 63 are allowed`;
	if (name.startsWith("-") || name.endsWith("-")) return "it must not begin or end with a dash";
	if (name.includes(".")) return "it must be one word without dots";
	return "only letters a to z, digits and dashes are allowed";
}
