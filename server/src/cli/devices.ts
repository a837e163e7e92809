/** `pi-netboot devices` */
import type { Device } from "@pi-netboot/api";
import type { Command } from "commander";
import { addInstall } from "./bootstrap.ts";
import { call } from "./client.ts";
import { addClientFlags, type ClientFlags, clientOptions } from "./client-options.ts";
import { addDeviceChanges } from "./device-changes.ts";
import { addDeviceRoots } from "./device-roots.ts";
import { addDeviceShow } from "./device-show.ts";
import { json, localTime, printable, type Terminal, table } from "./terminal.ts";

export function addDevices(program: Command, terminal: Terminal): void {
	const devices = program.command("devices").description("list the devices that the running server knows");
	const list = (command: Command) =>
		addClientFlags(command)
			.option("--json", "as JSON")
			.action((_flags: unknown, self: Command) => listDevices(self.optsWithGlobals(), terminal));
	list(devices);
	list(devices.command("list").description("list them"));
	addDeviceShow(devices, terminal);
	addDeviceChanges(devices, terminal);
	addDeviceRoots(devices, terminal);
	addInstall(devices, terminal);
}

async function listDevices(flags: ClientFlags & { json?: true }, terminal: Terminal): Promise<void> {
	const list = await call(clientOptions(flags, terminal), "listDevices");
	terminal.out(flags.json ? json(list) : devicesText(list.devices));
}

function devicesText(devices: readonly Device[]): string {
	if (devices.length === 0) return "No device yet. Power on a Pi on this network, with no SD card in it.\n";
	const heading = ["ID", "NAME", "MODEL", "ADDRESS", "STAGE", "BOOTS", "LAST BOOT", "IMAGE"];
	const rows = devices.map((device) => [
		device.id,
		device.name,
		device.model ?? "?",
		device.ip ?? "-",
		device.stage ?? "-",
		String(device.bootCount),
		device.lastBootAt === null ? "-" : localTime(device.lastBootAt),
		device.imageId ?? "default",
	]);
	return table(heading, rows) + devices.flatMap(findingLines).join("");
}

function findingLines({ name, diagnosis, findings }: Device): string[] {
	const all = diagnosis === undefined ? findings : [diagnosis, ...findings];
	return all.map(({ message, fix }) => `${printable([`${name}:`, message, fix].filter(Boolean).join(" "))}\n`);
}
