/** `pi-netboot devices set`, `devices reboot` and `devices reset` */
import { type DeviceChanges, Intent, RootMode } from "@pi-netboot/api";
import { type Command, Option } from "commander";
import { call } from "./client.ts";
import { addClientFlags, type ClientFlags, clientOptions } from "./client-options.ts";
import { CommandError, exitCodes } from "./command-error.ts";
import { addCustomisationFlags, type CustomisationFlags, customisationOf, parseQuota } from "./customisation-flags.ts";
import { deviceIdOf } from "./device-name.ts";
import { json, printable, type Terminal } from "./terminal.ts";

interface SetFlags extends ClientFlags, CustomisationFlags {
	readonly name?: string;
	readonly image?: string;
	readonly mode?: RootMode | "default";
	readonly quota?: number | "default";
	readonly intent?: Intent;
	readonly target?: string;
	readonly tags?: string;
	readonly json?: true;
}

/** Adds them below `devices`. Flags of the server may stand before or behind their names. */
export function addDeviceChanges(devices: Command, terminal: Terminal): void {
	const setting = devices.command("set <device>").description("change a device; it takes effect at its next boot");
	addCustomisationFlags(addClientFlags(setting))
		.option("--name <name>", "its host name")
		.option("--image <id>", "its image, or `default`")
		.addOption(new Option("--mode <mode>", "what becomes of its changes").choices([...RootMode.options, "default"]))
		.option("--quota <size>", "what its root may hold, like 4G, none, or default", parseQuota)
		.addOption(new Option("--intent <intent>", "what it does when it is powered on").choices(Intent.options))
		.option("--target <path>", "the disk that the intent write-then-disk writes, like /dev/mmcblk0")
		.option("--tags <words>", "words to sort it by, between commas; empty takes them away")
		.option("--json", "as JSON")
		.action((device: string, _flags: unknown, command: Command) => set(device, command.optsWithGlobals(), terminal));
	addClientFlags(devices.command("reboot <device>").description("reboot a device through its agent"))
		.option("--json", "as JSON")
		.action((device: string, _flags: unknown, command: Command) => reboot(device, command.optsWithGlobals(), terminal));
	addClientFlags(devices.command("reset <device>").description("give a device a fresh root at its next boot"))
		.option("--json", "as JSON")
		.action((device: string, _flags: unknown, command: Command) => reset(device, command.optsWithGlobals(), terminal));
}

async function set(word: string, flags: SetFlags, terminal: Terminal): Promise<void> {
	const customisation = customisationOf(flags);
	const changes: DeviceChanges = {
		...(flags.name !== undefined && { name: flags.name }),
		...(flags.image !== undefined && { imageId: flags.image === "default" ? null : flags.image }),
		...(flags.mode !== undefined && { rootMode: flags.mode === "default" ? null : flags.mode }),
		...(flags.quota !== undefined && { quotaBytes: flags.quota === "default" ? null : flags.quota }),
		...(customisation !== undefined && { customisation }),
		...(flags.intent !== undefined && { intent: flags.intent }),
		...(flags.target !== undefined && { writeTarget: flags.target }),
		...(flags.tags !== undefined && {
			tags: flags.tags.split(",").flatMap((tag) => (tag.trim() === "" ? [] : [tag.trim()])),
		}),
	};
	if (Object.keys(changes).length === 0) {
		throw new CommandError(exitCodes.usage, "nothing to change: give --name, --image, --mode, ... (--help lists all)");
	}
	const client = clientOptions(flags, terminal);
	const id = await deviceIdOf(client, word);
	const device = await call(client, "changeDevice", { params: { id }, body: changes });
	const image = device.imageId ?? "the default image";
	const text = `${device.id}: ${device.name}, ${image}, ${device.rootMode}, ${device.intent}`;
	terminal.out(flags.json ? json(device) : `${printable(text)}\n`);
}

async function reset(word: string, flags: ClientFlags & { json?: true }, terminal: Terminal): Promise<void> {
	const client = clientOptions(flags, terminal);
	const answer = await call(client, "resetRoot", { params: { id: await deviceIdOf(client, word) } });
	terminal.out(flags.json ? json(answer) : `${answer.id}: gets a fresh root at its next boot\n`);
}

async function reboot(word: string, flags: ClientFlags & { json?: true }, terminal: Terminal): Promise<void> {
	const client = clientOptions(flags, terminal);
	const answer = await call(client, "rebootDevice", { params: { id: await deviceIdOf(client, word) } });
	terminal.out(flags.json ? json(answer) : `${answer.id}: reboots\n`);
}
