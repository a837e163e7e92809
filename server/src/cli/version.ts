/** `pi-netboot version` */
import type { Command } from "commander";
import { readVersion } from "../version.ts";
import { json, type Terminal } from "./terminal.ts";

export function addVersion(program: Command, terminal: Terminal): void {
	program
		.command("version")
		.description("print the version")
		.option("--json", "as JSON, with the runtime's")
		.action((flags: { json?: true }) => {
			const version = readVersion();
			const { arch, platform } = process;
			terminal.out(flags.json ? json({ version, node: process.version, platform, arch }) : `${version}\n`);
		});
}
