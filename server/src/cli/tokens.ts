/** `pi-netboot tokens` */
import type { Token } from "@pi-netboot/api";
import type { Command } from "commander";
import { call } from "./client.ts";
import { addClientFlags, type ClientFlags, clientOptions } from "./client-options.ts";
import { json, printable, type Terminal, table } from "./terminal.ts";

type Flags = ClientFlags & { readonly json?: true };

export function addTokens(program: Command, terminal: Terminal): void {
	const tokens = program.command("tokens").description("tokens for programs, each with a name");
	const list = (command: Command) =>
		addClientFlags(command)
			.option("--json", "as JSON")
			.action((_flags: unknown, self: Command) => listTokens(self.optsWithGlobals(), terminal));
	list(tokens);
	list(tokens.command("list").description("list them"));
	addClientFlags(tokens.command("add <name>").description("make one; it is shown this once"))
		.option("--json", "as JSON")
		.action((name: string, _flags: unknown, self: Command) => add(name, self.optsWithGlobals(), terminal));
	addClientFlags(tokens.command("remove <id>").description("revoke one: it lets nobody in any more"))
		.option("--json", "as JSON")
		.action((id: string, _flags: unknown, self: Command) => remove(id, self.optsWithGlobals(), terminal));
}

async function listTokens(flags: Flags, terminal: Terminal): Promise<void> {
	const list = await call(clientOptions(flags, terminal), "listTokens");
	terminal.out(flags.json ? json(list) : tokensText(list.tokens));
}

function tokensText(tokens: readonly Token[]): string {
	if (tokens.length === 0) return "No token but the one in the data folder.\n";
	const rows = tokens.map(({ id, name, createdAt, lastUsedAt }) => [id, name, day(createdAt), day(lastUsedAt)]);
	return table(["ID", "NAME", "MADE", "LAST USED"], rows);
}

async function add(name: string, flags: Flags, terminal: Terminal): Promise<void> {
	const made = await call(clientOptions(flags, terminal), "createToken", { body: { name } });
	terminal.out(flags.json ? json(made) : `${made.token}\n`);
	if (!flags.json) terminal.err(`This is the only time that the token of ${printable(name)} is shown.\n`);
}

async function remove(id: string, flags: Flags, terminal: Terminal): Promise<void> {
	await call(clientOptions(flags, terminal), "deleteToken", { params: { id } });
	terminal.out(flags.json ? json({ id }) : `${id}: revoked\n`);
}

function day(time: number | null): string {
	return time === null ? "never" : new Date(time).toISOString().slice(0, 10);
}
