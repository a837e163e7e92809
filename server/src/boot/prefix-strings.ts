/**
 * Names under a string of the owner's choice (`TFTP_PREFIX=1`, `TFTP_PREFIX_STR=lab/`). The firmware puts it before every
 * name, once it found its first file there; so what stands before that one is the string.
 */

/** The bootloader keeps 32 characters; a string without a slash at its end names no folder, and is given up by the Pi. */
const FIRST = /^(.{1,31}\/)?(bootcode\.bin|start4?\.elf|config\.txt)$/i;

/** More Pis than boot at a time; a forgotten one asks for its first file again. */
const KEPT = 1000;

export class PrefixStrings {
	/** By device, the one that began last at the end. */
	readonly #strings = new Map<number, string>();

	/**
	 * A name without its Pi's string, or undefined when it does not begin with it.
	 *
	 * @param path normalised, without serial and MAC.
	 */
	plain(deviceKey: number, path: string): string | undefined {
		const first = FIRST.exec(path);
		if (first !== null) this.#learn(deviceKey, first[1]);
		const string = this.#strings.get(deviceKey);
		return string !== undefined && path.startsWith(string) ? path.slice(string.length) : undefined;
	}

	#learn(deviceKey: number, string: string | undefined): void {
		this.#strings.delete(deviceKey);
		if (string === undefined) return;
		this.#strings.set(deviceKey, string);
		const [oldest] = this.#strings.keys();
		if (this.#strings.size > KEPT && oldest !== undefined) this.#strings.delete(oldest);
	}
}
