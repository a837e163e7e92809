/** `pi-netboot images` */
import type { Image } from "@pi-netboot/api";
import type { Command } from "commander";
import { call } from "./client.ts";
import { addClientFlags, type ClientFlags, clientOptions } from "./client-options.ts";
import { json, printable, type Terminal, table } from "./terminal.ts";

export function addImages(program: Command, terminal: Terminal): void {
	addClientFlags(program.command("images").description("list the images of the running server"))
		.option("--json", "as JSON")
		.action(async (flags: ClientFlags & { json?: true }) => {
			const list = await call(clientOptions(flags, terminal), "listImages");
			terminal.out(flags.json ? json(list) : imagesText(list.images));
		});
}

function imagesText(images: readonly Image[]): string {
	if (images.length === 0) return "No image yet. Copy an .img, an .img.xz or a .zip into the images folder.\n";
	const heading = ["ID", "STATE", "SIZE", "SYSTEM", "MODELS"];
	const rows = images.map((image) => [
		image.isDefault ? `${image.id} (default)` : image.id,
		image.state,
		sizeText(image.size),
		image.os?.name ?? "?",
		image.models.join(",") || "-",
	]);
	return table(heading, rows) + images.flatMap(findingLines).join("");
}

function findingLines({ id, findings }: Image): string[] {
	const serious = findings.filter((finding) => finding.severity !== "info");
	return serious.map(
		({ severity, message, fix }) => `${id}: ${severity}: ${printable([message, fix].filter(Boolean).join(" "))}\n`,
	);
}

/** Decimal units, as shops and disks have them. */
export function sizeText(bytes: number): string {
	return bytes < 1e9 ? `${Math.round(bytes / 1e6)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}
