/** The flags of all commands that ask a running server. */
import type { Command } from "commander";
import { ownUrl, readSettings, settings } from "../config.ts";
import { type ClientOptions, readToken } from "./client.ts";
import { CommandError, exitCodes } from "./command-error.ts";
import type { Terminal } from "./terminal.ts";

const USUAL_URL = ownUrl(settings.httpHost.fallback, Number(settings.httpPort.fallback));

export interface ClientFlags {
	readonly url?: string;
	readonly data?: string;
}

export function addClientFlags(command: Command): Command {
	return command
		.option("--url <url>", `where the server is (environment: PI_NETBOOT_URL; default: ${USUAL_URL})`)
		.option(
			"--data <folder>",
			"the server's data folder, which holds the token (environment: DATA_DIR; default: ./data)",
		);
}

/** @throws CommandError, ConfigError when the address, the token or the folder is none. */
export function clientOptions(flags: ClientFlags, { env }: Terminal): ClientOptions {
	return { url: flags.url === undefined ? urlIn(env) : checkedUrl("--url", flags.url), token: tokenOf(flags, env) };
}

function urlIn(env: NodeJS.ProcessEnv): string {
	const url = env.PI_NETBOOT_URL?.trim() ?? "";
	return url === "" ? defaultUrl(env) : checkedUrl("PI_NETBOOT_URL", url);
}

function checkedUrl(name: string, url: string): string {
	const { protocol = "", username = "", password = "" } = URL.parse(url) ?? {};
	if (username + password !== "") {
		throw new CommandError(exitCodes.usage, `${name} has a name or a password in it, which this server does not take`, {
			hint: "Give the address alone; the token (PI_NETBOOT_TOKEN) says who you are.",
		});
	}
	if (/^https?:$/.test(protocol)) return url;
	throw new CommandError(exitCodes.usage, `${name} "${url}" is no address of a server`, {
		hint: `It looks like ${USUAL_URL}.`,
	});
}

/** As `serve` would have it: a shell or a container that gives it another port gives it to us as well. */
function defaultUrl(env: NodeJS.ProcessEnv): string {
	const { httpHost, httpPort } = readSettings(["httpHost", "httpPort"], {}, env);
	if (httpPort !== 0) return ownUrl(httpHost, httpPort);
	throw new CommandError(exitCodes.usage, "HTTP_PORT is 0, which is any port that is free", {
		hint: "Say with --url which one the server has: its first line tells it.",
	});
}

function tokenOf({ data }: ClientFlags, env: NodeJS.ProcessEnv): string | undefined {
	const token = env.PI_NETBOOT_TOKEN?.trim() ?? "";
	if (token === "") return readToken(readSettings(["dataDir"], { dataDir: data }, env).dataDir);
	// It is sent in a header.
	if (/^[\x21-\x7e]+$/.test(token)) return token;
	throw new CommandError(
		exitCodes.usage,
		"PI_NETBOOT_TOKEN is no token: expected letters, digits and signs in one line",
	);
}
