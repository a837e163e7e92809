/** The settings that a server which does not run has left behind. */
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { systemCode } from "../base/index.ts";
import type { SettingChanges } from "./settings.ts";

/**
 * Reads the settings out of a copy, so that nothing of the data folder is locked, changed, or made to belong to somebody else.
 *
 * @param path of the database.
 * @returns none where there is no database yet.
 * @throws the operating system's or SQLite's error when it cannot be read.
 */
export async function readStoredSettings(path: string): Promise<SettingChanges> {
	const folder = await mkdtemp(join(tmpdir(), "pi-netboot-"));
	try {
		const copy = join(folder, "netboot.db");
		if (!(await copyIfThere(path, copy))) return {};
		// What was not written to the file itself yet.
		await copyIfThere(`${path}-wal`, `${copy}-wal`);
		return settingsIn(copy);
	} finally {
		await rm(folder, { recursive: true, force: true });
	}
}

async function copyIfThere(from: string, to: string): Promise<boolean> {
	try {
		await copyFile(from, to);
		return true;
	} catch (error) {
		if (systemCode(error) === "ENOENT") return false;
		throw error;
	}
}

function settingsIn(path: string): SettingChanges {
	const database = new DatabaseSync(path);
	try {
		const rows = database.prepare("select key, value from settings").all();
		return Object.fromEntries(rows.map(({ key, value }) => [String(key), JSON.parse(String(value))]));
	} finally {
		database.close();
	}
}
