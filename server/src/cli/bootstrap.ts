/** `pi-netboot devices install` and `pi-netboot images link`: one-time codes, as what a person does with them. */
import type { Command } from "commander";
import { call } from "./client.ts";
import { addClientFlags, type ClientFlags, clientOptions } from "./client-options.ts";
import { json, type Terminal } from "./terminal.ts";
import { urlForOthers } from "./url-for-others.ts";

type Flags = ClientFlags & { readonly json?: true };

/** Adds `install` to the command of the devices. */
export function addInstall(devices: Command, terminal: Terminal): void {
	const about =
		"print the line that installs the agent on a Pi that was booted by other means, once, within 15 minutes";
	addClientFlags(devices.command("install").description(about))
		.option("--json", "as JSON")
		.action(async (_flags: unknown, self: Command) => {
			const flags = self.optsWithGlobals<Flags>();
			const install = await call(clientOptions(flags, terminal), "createInstallCode");
			terminal.out(flags.json ? json(install) : `${install.command}\n`);
		});
}

/** Adds `link` to the command of the images. */
export function addLink(images: Command, terminal: Terminal): void {
	const about = "print a link to the whole image, unpacked, that works once, within 15 minutes, without a token";
	addClientFlags(images.command("link <id>").description(about))
		.option("--json", "as JSON")
		.action(async (id: string, _flags: unknown, self: Command) => {
			const flags = self.optsWithGlobals<Flags>();
			const client = clientOptions(flags, terminal);
			const link = await call(client, "createDownloadLink", { params: { id } });
			const url = new URL(link.path, await urlForOthers(client)).href;
			terminal.out(flags.json ? json({ ...link, url }) : `${url}\n`);
		});
}
