/** `pi-netboot devices changes`, `snapshot` and `defaults` */
import type { Defaults, DefaultsChanges, RootChange, Snapshot } from "@pi-netboot/api";
import { RootMode } from "@pi-netboot/api";
import { type Command, InvalidArgumentError, Option } from "commander";
import { call } from "./client.ts";
import { addClientFlags, type ClientFlags, clientOptions } from "./client-options.ts";
import { CommandError, exitCodes } from "./command-error.ts";
import {
	addCustomisationFlags,
	type CustomisationFlags,
	customisationOf,
	parseQuota,
	parseSize,
} from "./customisation-flags.ts";
import { deviceIdOf } from "./device-name.ts";
import { sizeText } from "./sizes.ts";
import { json, printable, type Terminal, table } from "./terminal.ts";

/** Milliseconds: a root of some gigabytes is copied on a slow disk. */
const COPY_PATIENCE = 30 * 60_000;

/** Looking through a root for the first time takes longer than an answer from memory. */
const LOOK_PATIENCE = 120_000;

type Flags = ClientFlags & { readonly json?: true };

/** Adds them below `devices`. Flags of the server may stand before or behind their names. */
export function addDeviceRoots(devices: Command, terminal: Terminal): void {
	addClientFlags(devices.command("changes <device>").description("what a device changed of its image"))
		.option("--json", "as JSON")
		.action((device: string, _flags: unknown, command: Command) =>
			changes(device, command.optsWithGlobals(), terminal),
		);
	addClientFlags(
		devices
			.command("snapshot <device> [name]")
			.description("keep a device's root under a name, have it back, or list what is kept"),
	)
		.option("--restore", "begin its next boot with it")
		.addOption(new Option("--delete", "delete it").conflicts("restore"))
		.option("--json", "as JSON")
		.action((device: string, name: string | undefined, _flags: unknown, command: Command) =>
			snapshot(device, name, command.optsWithGlobals(), terminal),
		);
	const defaults = devices
		.command("defaults")
		.description("show or change what devices have that have nothing of their own");
	addCustomisationFlags(addClientFlags(defaults))
		.addOption(new Option("--mode <mode>", "what becomes of their changes").choices(RootMode.options))
		.option("--quota <size>", "what a root may hold, like 4G, or none", parseQuota)
		.option("--keep-builds <count>", "roots of older builds that each device keeps per image", wholeNumber)
		.option("--keep-days <days>", "for so long after their last use, or forever", daysOrForever)
		.option("--budget <size>", "while all roots have more, those of older builds go; or none", budget)
		.option("--json", "as JSON")
		.action((_flags: unknown, command: Command) => changeDefaults(command.optsWithGlobals(), terminal));
}

async function changes(word: string, flags: Flags, terminal: Terminal): Promise<void> {
	const client = clientOptions(flags, terminal);
	const id = await deviceIdOf(client, word);
	const all: RootChange[] = [];
	for (let after: string | undefined; ; ) {
		const query = { limit: 1000, ...(after !== undefined && { after }) };
		const page = await call(client, "listRootChanges", { params: { id }, query, patience: LOOK_PATIENCE });
		all.push(...page.changes);
		if (page.next === null) break;
		after = page.next;
	}
	terminal.out(flags.json ? json({ changes: all }) : changesText(all));
}

const MARKS = { added: "+", changed: "~", removed: "-" } as const;

function changesText(all: readonly RootChange[]): string {
	if (all.length === 0) return "It is as the image has it.\n";
	return all.map(({ kind, path, bytes }) => `${MARKS[kind]} ${printable(path)}  ${bytes}\n`).join("");
}

type SnapshotFlags = Flags & { readonly restore?: true; readonly delete?: true };

async function snapshot(
	word: string,
	name: string | undefined,
	flags: SnapshotFlags,
	terminal: Terminal,
): Promise<void> {
	const client = clientOptions(flags, terminal);
	const tell = (answer: unknown, text: string) => terminal.out(flags.json ? json(answer) : text);
	const patience = COPY_PATIENCE;
	if (name === undefined && (flags.restore || flags.delete)) {
		throw new CommandError(exitCodes.usage, "which snapshot? Give its name");
	}
	const id = await deviceIdOf(client, word);
	if (name === undefined) {
		const list = await call(client, "listSnapshots", { params: { id } });
		tell(list, snapshotsText(list.snapshots));
	} else if (flags.delete) {
		await call(client, "deleteSnapshot", { params: { id, name } });
		tell({ id, name, deleted: true }, `${id}: ${name} is deleted\n`);
	} else if (flags.restore) {
		tell(
			await call(client, "restoreSnapshot", { params: { id, name }, patience }),
			`${id}: begins its next boot with ${name}\n`,
		);
	} else {
		const made = await call(client, "createSnapshot", { params: { id }, body: { name }, patience });
		tell(made, `${id}: ${name} is kept (${sizeText(made.bytes)})\n`);
	}
}

function snapshotsText(snapshots: readonly Snapshot[]): string {
	if (snapshots.length === 0) return "Nothing is kept. `pi-netboot devices snapshot ID NAME` keeps its root.\n";
	const rows = snapshots.map(({ name, imageId, createdAt, bytes }) => [
		name,
		new Date(createdAt).toISOString().slice(0, 16).replace("T", " "),
		sizeText(bytes),
		imageId,
	]);
	return table(["NAME", "MADE (UTC)", "SIZE", "IMAGE"], rows);
}

interface DefaultsFlags extends Flags, CustomisationFlags {
	readonly mode?: RootMode;
	readonly quota?: number | "default";
	readonly keepBuilds?: number;
	readonly keepDays?: number | "forever";
	readonly budget?: number | "none";
}

async function changeDefaults(flags: DefaultsFlags, terminal: Terminal): Promise<void> {
	const client = clientOptions(flags, terminal);
	const wanted = defaultsOf(flags);
	const answer =
		Object.keys(wanted).length === 0
			? await call(client, "getDefaults")
			: await call(client, "changeDefaults", { body: wanted });
	terminal.out(flags.json ? json(answer) : defaultsText(answer));
}

function defaultsOf(flags: DefaultsFlags): DefaultsChanges {
	const customisation = customisationOf(flags);
	const oldRoots = {
		...(flags.keepBuilds !== undefined && { kept: flags.keepBuilds }),
		...(flags.keepDays !== undefined && { days: flags.keepDays === "forever" ? null : flags.keepDays }),
		...(flags.budget !== undefined && { budgetBytes: flags.budget === "none" ? null : flags.budget }),
	};
	return {
		...(flags.mode !== undefined && { rootMode: flags.mode }),
		...(flags.quota !== undefined && { quotaBytes: flags.quota === "default" ? 0 : flags.quota }),
		...(customisation !== undefined && { customisation }),
		...(Object.keys(oldRoots).length > 0 && { oldRoots }),
	};
}

function defaultsText({ rootMode, quotaBytes, customisation, oldRoots, bytes, freeBytes }: Defaults): string {
	const { kept, days, budgetBytes } = oldRoots;
	const { passwordSet, userDataSet, authorizedKeys = [], ...open } = customisation;
	const lines = [
		`root mode: ${rootMode}`,
		`quota: ${quotaBytes === 0 ? "none" : sizeText(quotaBytes)}`,
		`roots of older builds: ${kept} per device and image, ${days === null ? "for ever" : `${days} days`}`,
		`budget of all roots: ${budgetBytes === null ? "none" : sizeText(budgetBytes)}`,
		`all roots: ${sizeText(bytes)}, free on their disk: ${sizeText(freeBytes)}`,
		...Object.entries(open).map(([key, value]) => `${key}: ${value}`),
		...(authorizedKeys.length > 0 ? [`SSH keys: ${authorizedKeys.length}`] : []),
		...(passwordSet ? ["password: set"] : []),
		...(userDataSet ? ["user-data: set"] : []),
	];
	return lines.map((line) => `${printable(line)}\n`).join("");
}

function wholeNumber(text: string): number {
	if (/^\d{1,4}$/.test(text)) return Number(text);
	throw new InvalidArgumentError("Expected a whole number.");
}

function daysOrForever(text: string): number | "forever" {
	return text === "forever" ? text : wholeNumber(text);
}

function budget(text: string): number | "none" {
	return text === "none" ? text : parseSize(text);
}
