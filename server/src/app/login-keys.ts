/**
 * Whose SSH keys open the Pis: `DATA_DIR/authorized_keys`. The first start fills it with the public keys of the person who
 * runs the server; from then on it is the person's file.
 */
import { lstat, readdir, readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { errorText, type Logger, systemCode } from "../base/index.ts";
import { parseAuthorizedKeys } from "../boot/index.ts";
import { writeSecretFile } from "../store/index.ts";

const HEADING = "# Public SSH keys that may log in to every Pi, one per line. They take effect at a Pi's next boot.\n";

export class LoginKeys {
	readonly #path: string;
	readonly #log: Logger;
	readonly #homes: () => Promise<readonly string[]>;
	/** What the file held when it was last read. */
	#text = "";
	#keys: readonly string[] = [];

	/** @param homes the home folders of the person who runs the server. */
	constructor(dataDir: string, log: Logger, homes = homesOfPerson) {
		this.#path = join(dataDir, "authorized_keys");
		this.#log = log;
		this.#homes = homes;
	}

	/** Makes the file, where there is none. @throws what the operating system says when the file cannot be written. */
	async load(): Promise<void> {
		if (await isThere(this.#path)) return;
		const text = HEADING + (await this.#ownKeys()).map((line) => `${line}\n`).join("");
		await writeSecretFile(this.#path, text);
		this.#tell(text);
	}

	#tell(text: string): void {
		const count = parseAuthorizedKeys(text).keys.length;
		if (count > 0) this.#log.info(`${this.#path}: your ${count} public SSH key(s) will open the Pis`);
		else this.#log.warn(`${this.#path} is empty: put your public SSH key there to log in to the Pis`);
	}

	#take(text: string): void {
		// Asked for with every root that is opened: what is wrong in the file is said once.
		if (text === this.#text) return;
		this.#text = text;
		const { keys, findings } = parseAuthorizedKeys(text);
		for (const finding of findings) this.#log.warn(finding);
		this.#keys = keys;
	}

	/** The keys as the file has them now; what cannot be read leaves them as they were. */
	async current(): Promise<readonly string[]> {
		try {
			this.#take((await readIfThere(this.#path)) ?? "");
		} catch (error) {
			this.#log.warn(`${this.#path} cannot be read: ${errorText(error)}`);
		}
		return this.#keys;
	}

	/** The public keys in `~/.ssh` of the person who runs us. What cannot be read there is no reason not to start. */
	async #ownKeys(): Promise<string[]> {
		const found: string[] = [];
		for (const home of await this.#homes()) {
			try {
				found.push(...(await publicKeys(join(home, ".ssh"))));
			} catch (error) {
				this.#log.warn(`no public key is taken from ${home}/.ssh: ${errorText(error)}`);
			}
		}
		return [...new Set(found)];
	}
}

/** Who runs the server. */
export interface Person {
	readonly home: string;
	readonly isRoot: boolean;
	/** Who said `sudo`. */
	readonly sudoUser: string | undefined;
	/** `/etc/passwd` */
	readonly passwd: string;
}

async function homesOfPerson(): Promise<readonly string[]> {
	const passwd = (await readIfThere("/etc/passwd")) ?? "";
	return [homeOf({ home: homedir(), isRoot: process.getuid?.() === 0, sudoUser: process.env.SUDO_USER, passwd })];
}

/** The home folder of the person, also where that person said `sudo`. */
export function homeOf({ home, isRoot, sudoUser, passwd }: Person): string {
	if (!isRoot || sudoUser === undefined) return home;
	const fields = passwd.split("\n").map((line) => line.split(":"));
	const own = fields.find(([name]) => name === sudoUser)?.[5];
	return own === undefined || own === "" ? home : own;
}

async function publicKeys(folder: string): Promise<string[]> {
	const names = await readdir(folder).catch((error: unknown) => {
		if (systemCode(error) === "ENOENT") return [];
		throw error;
	});
	const texts = await Promise.all(
		names.filter((name) => /^id_[a-z0-9_]+\.pub$/.test(name)).map((name) => readIfThere(join(folder, name))),
	);
	return texts.flatMap((text) => parseAuthorizedKeys(text ?? "").keys);
}

async function isThere(path: string): Promise<boolean> {
	try {
		await lstat(path);
		return true;
	} catch (error) {
		if (systemCode(error) === "ENOENT") return false;
		throw error;
	}
}

async function readIfThere(path: string): Promise<string | undefined> {
	try {
		return await readFile(path, "utf8");
	} catch (error) {
		if (systemCode(error) === "ENOENT") return undefined;
		throw error;
	}
}
