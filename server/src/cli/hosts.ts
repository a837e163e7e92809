/** `pi-netboot hosts` */
import type { AllowedHosts } from "@pi-netboot/api";
import type { Command } from "commander";
import { call } from "./client.ts";
import { addClientFlags, type ClientFlags, clientOptions } from "./client-options.ts";
import { CommandError, exitCodes } from "./command-error.ts";
import { json, type Terminal, table } from "./terminal.ts";

type Flags = ClientFlags & { readonly json?: true };

export function addHosts(program: Command, terminal: Terminal): void {
	const hosts = program.command("hosts").description("the names that the page may be called by");
	const add = (command: Command, act: (flags: Flags, name: string) => Promise<AllowedHosts>) =>
		addClientFlags(command)
			.option("--json", "as JSON")
			.action(async (...given: unknown[]) => {
				const self = given.at(-1) as Command;
				const flags = self.optsWithGlobals<Flags>();
				const answer = await act(flags, self.args[0] ?? "");
				terminal.out(flags.json ? json(answer) : hostsText(answer));
			});
	const list = (flags: Flags) => call(clientOptions(flags, terminal), "getAllowedHosts");
	const change = async (flags: Flags, next: (names: readonly string[]) => string[]) =>
		call(clientOptions(flags, terminal), "setAllowedHosts", { body: { hosts: next((await list(flags)).hosts) } });
	add(hosts, list);
	add(hosts.command("list").description("list them"), list);
	add(hosts.command("add <name>").description("allow one, like netboot.example.org"), (flags, name) =>
		change(flags, (names) => [...names, name.toLowerCase()]),
	);
	add(hosts.command("remove <name>").description("allow it no longer"), (flags, name) =>
		change(flags, (names) => without(names, name.toLowerCase())),
	);
}

function without(names: readonly string[], name: string): string[] {
	if (names.includes(name)) return names.filter((other) => other !== name);
	throw new CommandError(exitCodes.failed, `${name} is none of the names that were allowed`, {
		hint: "`pi-netboot hosts` lists them. Those of --allow-host go when the server is started without it.",
	});
}

function hostsText({ hosts, given, own }: AllowedHosts): string {
	const rows = [
		...hosts.map((name) => [name, "allowed here"]),
		...given.map((name) => [name, "--allow-host"]),
		...own.map((name) => [name, "this machine's own"]),
	];
	return table(["NAME", "WHY"], rows);
}
