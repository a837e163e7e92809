/** `pi-netboot login` */
import type { Command } from "commander";
import { call } from "./client.ts";
import { addClientFlags, type ClientFlags, clientOptions } from "./client-options.ts";
import { json, type Terminal } from "./terminal.ts";
import { urlForOthers } from "./url-for-others.ts";

export function addLogin(program: Command, terminal: Terminal): void {
	addClientFlags(program.command("login").description("print a link that opens the page, once, within 15 minutes"))
		.option("--json", "as JSON")
		.action(async (flags: ClientFlags & { json?: true }) => {
			const client = clientOptions(flags, terminal);
			const login = await call(client, "createLoginCode");
			const link = new URL(`/?code=${login.code}`, await urlForOthers(client)).href;
			terminal.out(flags.json ? json({ ...login, url: link }) : `${link}\n`);
		});
}
