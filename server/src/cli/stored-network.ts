/** What the page or the API set of the network, for `doctor`: the start's flags win over it. */
import { join } from "node:path";
import { errorText } from "../base/index.ts";
import type { Config } from "../config.ts";
import { readStoredSettings, type SettingChanges } from "../store/index.ts";
import { call, readToken } from "./client.ts";

/** The settings as the server has or would have them. */
export interface KnownConfig {
	readonly config: Config;
	/** In words what was stored and holds, and what could not be found out. */
	readonly notes: readonly string[];
}

/** @param isRunning the server has its database for itself then, and tells what holds. */
export async function withStoredNetwork(config: Config, isRunning: boolean): Promise<KnownConfig> {
	try {
		const stored = isRunning ? await askServer(config) : await readStoredSettings(join(config.dataDir, "netboot.db"));
		return merged(config, stored, isRunning ? "the running server has" : "set on the page:");
	} catch (error) {
		const what = isRunning ? "the running server does not tell" : "the data folder does not tell";
		return { config, notes: [`${what} what was set on the page: ${errorText(error)}`] };
	}
}

async function askServer({ httpPort, dataDir }: Config): Promise<SettingChanges> {
	const client = { url: `http://127.0.0.1:${httpPort}`, token: readToken(dataDir) };
	const { mode, insist } = await call(client, "getNetwork");
	return { dhcpMode: mode, dhcpInsist: insist };
}

/** Where each setting is stored, and the field of the configuration that wins over it. */
const STORED = [
	["dhcp", "dhcpMode"],
	["interface", "interface"],
	["serverIp", "serverIp"],
	["dhcpInsist", "dhcpInsist"],
] as const;

/** What holds without anybody saying so is no news. */
const DEFAULTS: SettingChanges = { dhcpMode: "proxy", dhcpInsist: false };

/** @param how the beginning of the sentence. */
function merged(config: Config, stored: SettingChanges, how: string): KnownConfig {
	const taken = STORED.filter(([field, setting]) => config[field] === undefined && stored[setting] !== undefined);
	const values = Object.fromEntries(taken.map(([field, setting]) => [field, stored[setting]]));
	const said = taken.filter(([, setting]) => stored[setting] !== DEFAULTS[setting]);
	const notes = said.length === 0 ? [] : [`${how} ${said.map(([field]) => `${field} ${values[field]}`).join(", ")}`];
	return { config: { ...config, ...values }, notes };
}
