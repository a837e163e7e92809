/**
 * Whose SSH keys open the Pis: `DATA_DIR/authorized_keys`. The first start fills it with the public keys of the person who
 * runs the server; from then on it is the person's file.
 */
import { readdir, readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { errorText, type Logger, systemCode } from "../base/index.ts";
import { parseAuthorizedKeys } from "../boot/index.ts";
import { writeSecretFile } from "../store/index.ts";

const HEADING = "# Public SSH keys that may log in to every Pi, one per line. They take effect at a Pi's next boot.\n";

export class LoginKeys {
	readonly #path: string;
	readonly #log: Logger;
	#keys: readonly string[] = [];

	constructor(dataDir: string, log: Logger) {
		this.#path = join(dataDir, "authorized_keys");
		this.#log = log;
	}

	/** Reads the file, or makes it. */
	async load(): Promise<void> {
		let text = await readIfThere(this.#path);
		if (text === undefined) {
			text = HEADING + (await this.#ownKeys()).map((line) => `${line}\n`).join("");
			await writeSecretFile(this.#path, text);
			this.#tell(text);
		}
		this.#take(text);
	}

	#tell(text: string): void {
		const count = parseAuthorizedKeys(text).keys.length;
		if (count > 0) this.#log.info(`${this.#path}: your ${count} public SSH key(s) will open the Pis`);
		else this.#log.warn(`${this.#path} is empty: put your public SSH key there to log in to the Pis`);
	}

	#take(text: string): void {
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

	/** The public keys in `~/.ssh` of the person who runs us, also where that person said `sudo`. */
	async #ownKeys(): Promise<string[]> {
		const found: string[] = [];
		for (const home of await homes()) found.push(...(await publicKeys(join(home, ".ssh"))));
		return [...new Set(found)];
	}
}

async function homes(): Promise<string[]> {
	const own = [homedir()];
	const user = process.env.SUDO_USER;
	if (process.getuid?.() !== 0 || user === undefined) return own;
	const passwd = (await readIfThere("/etc/passwd")) ?? "";
	const home = passwd
		.split("\n")
		.map((line) => line.split(":"))
		.find(([name]) => name === user)?.[5];
	return home === undefined ? own : [home];
}

async function publicKeys(folder: string): Promise<string[]> {
	const names = await readdir(folder).catch((error: unknown) => {
		if (systemCode(error) === "ENOENT" || systemCode(error) === "EACCES") return [];
		throw error;
	});
	const texts = await Promise.all(
		names.filter((name) => /^id_[a-z0-9_]+\.pub$/.test(name)).map((name) => readIfThere(join(folder, name))),
	);
	return texts.flatMap((text) => parseAuthorizedKeys(text ?? "").keys);
}

async function readIfThere(path: string): Promise<string | undefined> {
	try {
		return await readFile(path, "utf8");
	} catch (error) {
		if (systemCode(error) === "ENOENT") return undefined;
		throw error;
	}
}
