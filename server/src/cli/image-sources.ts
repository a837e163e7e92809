/** `pi-netboot images add` and `images catalog` */
import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Catalog, Image, NewImage } from "@pi-netboot/api";
import type { Command } from "commander";
import { type ClientOptions, call } from "./client.ts";
import { addClientFlags, type ClientFlags, clientOptions } from "./client-options.ts";
import { CommandError, exitCodes } from "./command-error.ts";
import { findingLines } from "./image-findings.ts";
import { ProgressBar } from "./progress-bar.ts";
import { sizeText } from "./sizes.ts";
import { json, printable, type Terminal, table } from "./terminal.ts";
import { uploadFile } from "./upload.ts";

interface AddFlags extends ClientFlags {
	readonly name?: string;
	readonly sha256?: string;
	readonly replace?: true;
	readonly upload?: true;
	readonly wait: boolean;
	readonly json?: true;
}

/** Milliseconds between two looks at an image that arrives. */
const LOOK_EVERY = 500;

/** Looks in a row that no server answers. */
const MOST_MISSED = 20;

/** Milliseconds; the server fetches the list, and those that it refers to. */
const CATALOG_PATIENCE = 45_000;

export function addImageSources(images: Command, terminal: Terminal): void {
	addClientFlags(images.command("add <source>").description("bring in an image: an address, a file, or catalog:ID"))
		.option("--name <name>", "the name that its file gets")
		.option("--sha256 <checksum>", "what the file has to hash to")
		.option("--replace", "in place of a file that has its name")
		.option("--upload", "send the file, also to a server on this machine (which else uses it where it lies)")
		.option("--no-wait", "do not wait until it is ready")
		.option("--json", "as JSON")
		.action((source: string, _flags: unknown, self: Command) => add(source, self.optsWithGlobals(), terminal));
	addClientFlags(images.command("catalog").description("list the images that Raspberry Pi Imager offers"))
		.option("--all", "also what cannot be booted from the network, with the reason")
		.option("--json", "as JSON")
		.action((_flags: unknown, self: Command) => listCatalog(self.optsWithGlobals(), terminal));
}

async function add(source: string, flags: AddFlags, terminal: Terminal): Promise<void> {
	const client = clientOptions(flags, terminal);
	const bar = new ProgressBar(terminal);
	try {
		const isUpload = !isAddress(source) && (flags.upload === true || !isHere(client));
		const id = isUpload ? await uploadFile(client, source, flags, bar) : (await begin(client, source, flags)).id;
		const image = flags.wait ? await arrival(client, id, bar) : await look(client, id);
		bar.end();
		tell(image, flags, terminal);
	} finally {
		bar.end();
	}
}

function begin(client: ClientOptions, source: string, flags: AddFlags): Promise<Image> {
	return call(client, "addImage", { body: wishOf(source, flags), patience: CATALOG_PATIENCE });
}

function isAddress(source: string): boolean {
	return /^(https?:\/\/|catalog:)/i.test(source);
}

/** Whether the server sees the same files. */
function isHere({ url }: ClientOptions): boolean {
	return /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(new URL(url).hostname);
}

function wishOf(source: string, { name, sha256, replace }: AddFlags): NewImage {
	const named = name === undefined ? {} : { name };
	const replacing = replace === undefined ? {} : { replace };
	if (source.startsWith("catalog:")) {
		if (sha256 !== undefined) throw unused("--sha256", "the catalogue has the checksum");
		return { catalog: source.slice("catalog:".length), ...named, ...replacing };
	}
	if (!isAddress(source)) {
		const flag = sha256 !== undefined ? "--sha256" : replace === true ? "--replace" : undefined;
		if (flag !== undefined) throw unused(flag, "the server uses the file where it lies", "Add --upload to send it.");
		return { path: resolve(source), ...named };
	}
	return { url: source, ...named, ...replacing, ...(sha256 !== undefined && { sha256 }) };
}

/** A wish that would be passed over is told instead. */
function unused(flag: string, why: string, hint?: string): CommandError {
	return new CommandError(exitCodes.usage, `${flag} has no effect here: ${why}`, hint === undefined ? {} : { hint });
}

function look(client: ClientOptions, id: string): Promise<Image> {
	return call(client, "getImage", { params: { id } });
}

/** Waits until the image is ready, or is known not to be; over a restart of the server, too. */
async function arrival(client: ClientOptions, id: string, bar: ProgressBar): Promise<Image> {
	const said = new Set<string>();
	for (let failures = 0; ; ) {
		try {
			const image = await look(client, id);
			failures = 0;
			if (image.state !== "importing" && image.percent === undefined) return image;
			for (const { severity, message } of image.findings) {
				if (severity === "warning" && !said.has(message)) bar.say(message);
				said.add(message);
			}
			bar.show(image.name, image.percent);
		} catch (error) {
			const isAway = error instanceof CommandError && error.exitCode === exitCodes.notReachable;
			if (!isAway || ++failures >= MOST_MISSED) throw error;
		}
		await sleep(LOOK_EVERY);
	}
}

function tell(image: Image, { json: asJson }: AddFlags, terminal: Terminal): void {
	const problem = image.findings.find(({ severity }) => severity === "error");
	if (image.state === "broken") {
		const hint = problem?.fix === undefined ? {} : { hint: problem.fix };
		throw new CommandError(exitCodes.failed, `${image.name}: ${problem?.message ?? "it cannot be used"}`, hint);
	}
	terminal.out(asJson ? json(image) : `${printable(resultText(image))}\n`);
	if (!asJson) terminal.err(findingLines(image).join(""));
}

function resultText({ id, state, name, os, models }: Image): string {
	const boots = models.length > 0 ? `, boots ${models.join(", ")}` : state === "ready" ? ", boots no model" : "";
	return `${id}: ${state}, ${os?.name ?? name}${boots}`;
}

async function listCatalog(flags: ClientFlags & { all?: true; json?: true }, terminal: Terminal): Promise<void> {
	const catalog = await call(clientOptions(flags, terminal), "getCatalog", { patience: CATALOG_PATIENCE });
	terminal.out(flags.json ? json(catalog) : catalogText(catalog, flags.all === true));
}

function catalogText({ entries, notes }: Catalog, isAll: boolean): string {
	const shown = entries.filter(({ canNetboot }) => isAll || canNetboot);
	const heading = ["ID", "DOWNLOAD", "DATE", "NAME", ...(isAll ? ["WHY NOT"] : [])];
	const rows = shown.map(({ id, downloadSize, releaseDate, name, reason }) => [
		id,
		downloadSize === null ? "?" : sizeText(downloadSize),
		releaseDate ?? "?",
		name,
		...(isAll ? [reason ?? ""] : []),
	]);
	const hint = "Bring one in with: pi-netboot images add catalog:ID\n";
	return table(heading, rows) + notes.map((note) => `${printable(note)}\n`).join("") + hint;
}
