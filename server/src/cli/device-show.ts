/** `pi-netboot devices show` */
import type { Device, DeviceRoot } from "@pi-netboot/api";
import type { Command } from "commander";
import { call } from "./client.ts";
import { addClientFlags, type ClientFlags, clientOptions } from "./client-options.ts";
import { deviceIdOf } from "./device-name.ts";
import { sizeText } from "./sizes.ts";
import { json, localTime, printable, type Terminal, table } from "./terminal.ts";

/** Adds it below `devices`. Flags of the server may stand before or behind its name. */
export function addDeviceShow(devices: Command, terminal: Terminal): void {
	addClientFlags(
		devices.command("show <device>").description("what one is set to, and what its roots take on the disk"),
	)
		.option("--json", "as JSON")
		.action((device: string, _flags: unknown, command: Command) => show(device, command.optsWithGlobals(), terminal));
}

async function show(word: string, flags: ClientFlags & { json?: true }, terminal: Terminal): Promise<void> {
	const client = clientOptions(flags, terminal);
	const id = await deviceIdOf(client, word);
	const device = await call(client, "getDevice", { params: { id } });
	const root = await call(client, "getRoot", { params: { id } });
	terminal.out(flags.json ? json({ ...device, root }) : deviceText(device, root) + rootsText(root));
}

function deviceText(device: Device, { bytes, quotaBytes }: DeviceRoot): string {
	const { id, name, mac, ip, model, modelName, imageId, rootMode, intent, stage, tags } = device;
	const lines = [
		["id", id],
		["name", name],
		["model", modelName ?? model ?? "?"],
		["address", [ip ?? "-", mac ?? ""].join(" ").trim()],
		["tags", tags.join(", ") || "-"],
		["image", imageId ?? "default"],
		["root", rootMode],
		["quota", quotaBytes === null ? "none" : sizeText(quotaBytes)],
		["on disk", sizeText(bytes)],
		["intent", intent],
		["stage", stage ?? "-"],
	];
	return lines.map(([key = "", value = ""]) => `${key.padEnd(8)} ${printable(value)}\n`).join("");
}

function rootsText({ roots, snapshots }: DeviceRoot): string {
	const kept = roots.map(({ imageId, buildId, mode, bytes, lastUsedAt, isCurrent }) => [
		isCurrent ? "current" : mode,
		imageId,
		buildId,
		sizeText(bytes),
		localTime(lastUsedAt),
	]);
	const named = snapshots.map(({ name, imageId, buildId, bytes, createdAt }) => [
		`snapshot ${name}`,
		imageId,
		buildId,
		sizeText(bytes),
		localTime(createdAt),
	]);
	if (kept.length + named.length === 0) return "";
	return `\n${table(["ROOT", "IMAGE", "BUILD", "SIZE", "LAST USED"], [...kept, ...named])}`;
}
