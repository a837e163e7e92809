/** `pi-netboot images remove`, `images rename` and `images default` */
import type { Command } from "commander";
import { call } from "./client.ts";
import { addClientFlags, type ClientFlags, clientOptions } from "./client-options.ts";
import { json, printable, type Terminal } from "./terminal.ts";

type Flags = ClientFlags & { readonly json?: true };

export function addImageChanges(images: Command, terminal: Terminal): void {
	addClientFlags(images.command("remove <id>").description("forget an image, or give up one that is arriving"))
		.option("--delete", "delete its file, too")
		.option("--json", "as JSON")
		.action((id: string, _flags: unknown, self: Command) => remove(id, self.optsWithGlobals(), terminal));
	addClientFlags(images.command("rename <id> <name>").description("rename an image's file; its id stays"))
		.option("--json", "as JSON")
		.action((id: string, name: string, _flags: unknown, self: Command) =>
			rename(id, name, self.optsWithGlobals(), terminal),
		);
	addClientFlags(images.command("default <id>").description("what Pis without an image of their own get; or `newest`"))
		.option("--json", "as JSON")
		.action((id: string, _flags: unknown, self: Command) => choose(id, self.optsWithGlobals(), terminal));
}

async function remove(id: string, flags: Flags & { delete?: true }, terminal: Terminal): Promise<void> {
	const query = { file: flags.delete ? "delete" : "keep" } as const;
	await call(clientOptions(flags, terminal), "deleteImage", { params: { id }, query });
	const text = `${id}: ${flags.delete ? "removed with its file" : "forgotten; a file of yours is where it was"}\n`;
	terminal.out(flags.json ? json({ id, ...query }) : text);
}

async function rename(id: string, name: string, flags: Flags, terminal: Terminal): Promise<void> {
	const image = await call(clientOptions(flags, terminal), "changeImage", { params: { id }, body: { name } });
	terminal.out(flags.json ? json(image) : `${id}: is ${printable(image.name)} now\n`);
}

async function choose(id: string, flags: Flags, terminal: Terminal): Promise<void> {
	const body = { id: id === "newest" ? null : id };
	const answer = await call(clientOptions(flags, terminal), "setDefaultImage", { body });
	const text = answer.id === null ? "the newest image is the default\n" : `${answer.id}: is the default image\n`;
	terminal.out(flags.json ? json(answer) : text);
}
