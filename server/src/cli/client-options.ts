/** The flags of all commands that ask a running server. */
import { resolve } from "node:path";
import type { Command } from "commander";
import { ownUrl, settings } from "../config.ts";
import { type ClientOptions, readToken } from "./client.ts";
import { CommandError, exitCodes } from "./command-error.ts";
import type { Terminal } from "./terminal.ts";

/** As `serve` would have it: a shell or a container that gives it another port gives it to us as well. */
function defaultUrl(env: NodeJS.ProcessEnv): string {
	return ownUrl(env.HTTP_HOST?.trim() || settings.httpHost.fallback, Number(env.HTTP_PORT?.trim() || defaultPort));
}

const defaultPort = settings.httpPort.fallback;

export interface ClientFlags {
	readonly url?: string;
	readonly data?: string;
}

export function addClientFlags(command: Command): Command {
	return command
		.option("--url <url>", `where the server is (environment: PI_NETBOOT_URL; default: ${defaultUrl({})})`)
		.option(
			"--data <folder>",
			"the server's data folder, which holds the token (environment: DATA_DIR; default: ./data)",
		);
}

/** @throws CommandError when the address is none. */
export function clientOptions(flags: ClientFlags, { env }: Terminal): ClientOptions {
	const url = flags.url ?? (env.PI_NETBOOT_URL || defaultUrl(env));
	if (!/^https?:$/.test(URL.parse(url)?.protocol ?? "")) {
		throw new CommandError(exitCodes.usage, `"${url}" is no address of a server`, {
			hint: `It looks like ${defaultUrl({})}.`,
		});
	}
	return { url, token: env.PI_NETBOOT_TOKEN || readToken(resolve(flags.data ?? (env.DATA_DIR || "./data"))) };
}
