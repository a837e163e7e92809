/** `pi-netboot images` */
import type { Image } from "@pi-netboot/api";
import type { Command } from "commander";
import { addLink } from "./bootstrap.ts";
import { call } from "./client.ts";
import { addClientFlags, type ClientFlags, clientOptions } from "./client-options.ts";
import { addImageChanges } from "./image-changes.ts";
import { findingLines, isSerious } from "./image-findings.ts";
import { addImageSources } from "./image-sources.ts";
import { sizeText } from "./sizes.ts";
import { json, printable, type Terminal, table } from "./terminal.ts";

type ListFlags = ClientFlags & { readonly json?: true };

/** Adds the command and those below it. Flags of the server may stand before or behind their names. */
export function addImages(program: Command, terminal: Terminal): void {
	const images = program.command("images").description("list the images of the running server");
	const list = (command: Command) =>
		addClientFlags(command)
			.option("--json", "as JSON")
			.action((_flags: unknown, self: Command) => listImages(self.optsWithGlobals(), terminal));
	list(images);
	list(images.command("list").description("list them"));
	addClientFlags(images.command("show <id>").description("all that is known of one: origin, kernels, who runs it"))
		.option("--json", "as JSON")
		.action((id: string, _flags: unknown, self: Command) => showImage(id, self.optsWithGlobals(), terminal));
	addImageChanges(images, terminal);
	addImageSources(images, terminal);
	addLink(images, terminal);
}

async function listImages(flags: ListFlags, terminal: Terminal): Promise<void> {
	const list = await call(clientOptions(flags, terminal), "listImages");
	terminal.out(flags.json ? json(list) : imagesText(list.images));
}

async function showImage(id: string, flags: ListFlags, terminal: Terminal): Promise<void> {
	const image = await call(clientOptions(flags, terminal), "getImage", { params: { id } });
	terminal.out(flags.json ? json(image) : imageText(image));
}

function imageText(image: Image): string {
	const { id, isDefault, name, source, state, percent, size, usedBytes, os, kernels, models, usedBy, builds, sha256 } =
		image;
	const used = usedBytes === null ? "" : `, ${sizeText(usedBytes)} used`;
	const lines = [
		["id", isDefault ? `${id} (default)` : id],
		["name", name],
		["state", percent === undefined ? state : `${state} ${percent} %`],
		["file", source],
		["origin", originText(image)],
		["size", sizeText(size) + used],
		["sha256", sha256 ?? "?"],
		["system", [os?.name ?? "?", os?.architecture ?? ""].join(" ").trim()],
		["kernels", kernels.map(({ file, version }) => [file, version ?? ""].join(" ").trim()).join(", ") || "-"],
		["models", models.join(", ") || "-"],
		["run by", usedBy.join(", ") || "-"],
		...builds.map((build) => ["build", buildText(build)]),
	];
	const text = lines.map(([key = "", value = ""]) => `${key.padEnd(8)} ${printable(value)}\n`).join("");
	return text + findingLines(image).join("");
}

function buildText({ id, isNewest, usedBy, roots, bytes }: Image["builds"][number]): string {
	const taken = roots === 0 ? [] : [`${roots} ${roots === 1 ? "root" : "roots"} of ${sizeText(bytes)}`];
	const users = usedBy.length === 0 ? [] : [`run by ${usedBy.join(", ")}`];
	return [`${id}${isNewest ? " (newest)" : ""}`, ...users, ...taken].join(", ");
}

function originText({ origin: { kind, at, url, entry, path, checked } }: Image): string {
	const date = at === undefined ? "" : `, ${new Date(at).toISOString().slice(0, 16).replace("T", " ")} UTC`;
	const sum = checked === true ? ", its checksum was right" : "";
	const ways = {
		folder: "put into the folder",
		path: `a link to ${path}`,
		download: `downloaded from ${url}`,
		catalog: `${entry ?? "an entry"} of the catalogue, ${url}`,
		upload: "uploaded",
	};
	return ways[kind] + date + sum;
}

function imagesText(images: readonly Image[]): string {
	if (images.length === 0) return "No image yet. Copy an .img, an .img.xz or a .zip into the images folder.\n";
	const heading = ["ID", "STATE", "SIZE", "SYSTEM", "MODELS", "FINDINGS"];
	const rows = images.map((image) => [
		image.isDefault ? `${image.id} (default)` : image.id,
		image.percent === undefined ? image.state : `${image.state} ${image.percent} %`,
		sizeText(image.size),
		image.os?.name ?? "?",
		image.models.join(",") || "-",
		countText(image),
	]);
	const hint = images.some(({ findings }) => findings.some(isSerious))
		? "`pi-netboot images show ID` tells them.\n"
		: "";
	return table(heading, rows) + hint;
}

/** `1 error, 2 warnings` */
function countText({ findings }: Image): string {
	const counts = (["error", "warning"] as const).map((severity) => {
		const count = findings.filter((finding) => finding.severity === severity).length;
		return count === 0 ? "" : `${count} ${severity}${count === 1 ? "" : "s"}`;
	});
	return counts.filter(Boolean).join(", ") || "-";
}
