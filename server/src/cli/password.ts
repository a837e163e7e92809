/** `pi-netboot password` */
import type { Command } from "commander";
import { call } from "./client.ts";
import { addClientFlags, type ClientFlags, clientOptions } from "./client-options.ts";
import { CommandError, exitCodes } from "./command-error.ts";
import type { Terminal } from "./terminal.ts";

type Flags = ClientFlags & { readonly clear?: true };

const NOTES = `
It asks for the password twice; where nobody types, it is the first line of standard input:
  pi-netboot password < password.txt

All browsers have to log in again. A link that \`pi-netboot login\` prints lets in with or without a password.`;

export function addPassword(program: Command, terminal: Terminal): void {
	addClientFlags(program.command("password").description("set the password that opens the page"))
		.option("--clear", "take it away: then only links and tokens let anybody in")
		.addHelpText("after", NOTES)
		.action((flags: Flags) => setPassword(flags, terminal));
}

async function setPassword(flags: Flags, terminal: Terminal): Promise<void> {
	const client = clientOptions(flags, terminal);
	const password = flags.clear === true ? null : await askTwice(terminal);
	await call(client, "setPassword", { body: { password } });
	terminal.out(password === null ? "There is no password any more.\n" : "The password is set.\n");
}

async function askTwice({ askSecret }: Terminal): Promise<string> {
	const first = await askSecret?.("New password: ");
	if (first === undefined || first.text === "") {
		throw new CommandError(exitCodes.usage, "no password was given", {
			hint: "Type it, or give it as the first line of standard input; --clear takes the old one away.",
		});
	}
	if (!first.isTyped) return first.text;
	const second = await askSecret?.("Again: ");
	if (second?.text === first.text) return first.text;
	throw new CommandError(exitCodes.usage, "these were two different passwords; nothing was changed");
}
