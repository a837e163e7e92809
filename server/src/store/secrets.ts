/** The secrets of the installation: one file each in the data folder, readable by its owner only. */
import { randomBytes } from "node:crypto";
import { chmod, mkdir, open, readFile, rename, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ExternalError, syncPath, systemCode } from "../base/index.ts";

export interface Secrets {
	/** Signs NFS file handles, 32 bytes. A new one makes every mounted root stale. */
	readonly handleKey: Buffer;
	/** What programs send as `Authorization: Bearer TOKEN`; the file is `DATA_DIR/token`. */
	readonly apiToken: string;
}

/** Shorter than this was not written by us: a person's own token is welcome, an empty file is not. */
const TOKEN_MIN = 16;

/**
 * Writes a file so that after a crash it is there whole or not at all, with mode 0600 from its first moment.
 *
 * @throws the operating system's error.
 */
export async function writeSecretFile(path: string, content: string): Promise<void> {
	const temporary = `${path}.${randomBytes(6).toString("hex")}.tmp`;
	try {
		const file = await open(temporary, "wx", 0o600);
		try {
			await file.writeFile(content);
			await file.sync();
		} finally {
			await file.close();
		}
		await rename(temporary, path);
	} catch (error) {
		await removeIfThere(temporary);
		throw error;
	}
	await syncPath(dirname(path));
}

async function removeIfThere(path: string): Promise<void> {
	try {
		await unlink(path);
	} catch (error) {
		if (systemCode(error) !== "ENOENT") throw error;
	}
}

/** The trimmed content of a file, or undefined when there is none. Takes away what others may do with it. */
async function readSecretFile(path: string): Promise<string | undefined> {
	try {
		const content = await readFile(path, "utf8");
		await chmod(path, 0o600);
		return content.trim();
	} catch (error) {
		if (systemCode(error) === "ENOENT") return undefined;
		throw error;
	}
}

async function secret(path: string, valid: RegExp): Promise<string> {
	const stored = await readSecretFile(path);
	if (stored === undefined) {
		const made = randomBytes(32).toString("hex");
		await writeSecretFile(path, `${made}\n`);
		return made;
	}
	if (valid.test(stored)) return stored;
	throw new ExternalError(
		"secret-invalid",
		`${path}: expected a line that matches ${valid}, got ${stored.length} bytes`,
		{
			hint: "Delete the file: the next start makes a new one. Then restart the Pis that are running.",
		},
	);
}

/**
 * Reads the secrets of the installation and makes those that are missing.
 *
 * @param directory the data folder; made when it is missing.
 * @throws ExternalError `secret-invalid` for a damaged file; the operating system's error when it cannot be read.
 */
export async function loadSecrets(directory: string): Promise<Secrets> {
	await mkdir(directory, { recursive: true, mode: 0o700 });
	const handleKey = await secret(join(directory, "handle-key"), /^[0-9a-f]{64}$/);
	const apiToken = await secret(join(directory, "token"), new RegExp(`^[\\x21-\\x7e]{${TOKEN_MIN},256}$`));
	return { handleKey: Buffer.from(handleKey, "hex"), apiToken };
}
