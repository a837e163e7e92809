/** `pi-netboot write` */
import { VerifyMode, type Write, type WriteList } from "@pi-netboot/api";
import { type Command, Option } from "commander";
import { call } from "./client.ts";
import { addClientFlags, type ClientFlags, clientOptions } from "./client-options.ts";
import { CommandError, exitCodes } from "./command-error.ts";
import { json, type Terminal, table } from "./terminal.ts";
import { followWrites } from "./write-follow.ts";
import { confirmWrites, type Plan, planWrites } from "./write-plan.ts";
import { receiptText } from "./write-text.ts";

export interface WriteFlags extends ClientFlags {
	readonly image?: string;
	readonly target?: string;
	readonly verify?: VerifyMode;
	readonly all?: true;
	readonly yes?: true;
	/** commander's form of `--no-wait`. */
	readonly wait: boolean;
	readonly list?: true;
	readonly before?: string;
	readonly cancel?: string;
	readonly retry?: string;
	readonly json?: true;
}

const EXAMPLES = `
Examples:
  pi-netboot write pi-8f79 --target /dev/mmcblk0
  pi-netboot write --all --image raspios --target /dev/nvme0n1 --yes
  pi-netboot write --list

A Pi must run from the network to be written. When its disk is done it reboots from it, and boots from it from then on.`;

export function addWrite(program: Command, terminal: Terminal): void {
	addClientFlags(program.command("write [device]").description("write an image to a disk of a Pi, or of all Pis"))
		.option("--image <id>", "the image (default: the one that the Pi boots)")
		.option("--target <path>", "the disk, like /dev/mmcblk0 (default: the only one that can be written)")
		.addOption(
			new Option("--verify <mode>", "what is read back and compared").choices(VerifyMode.options).default("full"),
		)
		.option("--all", "all Pis that are there and have such a disk")
		.option("--yes", "do not ask")
		.option("--no-wait", "do not wait for the end")
		.option("--list", "list the writes, the newest hundred")
		.option("--before <id>", "with --list: the hundred before this one")
		.option("--cancel <id>", "stop a write; a disk that was begun does not boot")
		.option("--retry <id>", "begin a write again that failed or was cancelled")
		.option("--json", "as JSON")
		.addHelpText("after", EXAMPLES)
		.action((device: string | undefined, flags: WriteFlags) => write(device, flags, terminal));
}

async function write(device: string | undefined, flags: WriteFlags, terminal: Terminal): Promise<void> {
	checkUsage(device, flags);
	const client = clientOptions(flags, terminal);
	if (flags.list) {
		const query = { limit: 100, ...(flags.before !== undefined && { before: flags.before }) };
		return list(await call(client, "listWrites", { query }), flags, terminal);
	}
	if (flags.cancel !== undefined) {
		const write = await call(client, "cancelWrite", { params: { id: flags.cancel } });
		terminal.out(flags.json ? json(write) : `${write.id}: ${write.endedAt === null ? "stops" : "is stopped"}\n`);
		return;
	}
	if (flags.retry !== undefined) {
		return finish([await call(client, "retryWrite", { params: { id: flags.retry } })], flags, terminal);
	}
	const plans = await planWrites(client, device, flags);
	await confirmWrites(plans, flags, terminal);
	await finish(await order(plans, flags, terminal), flags, terminal);
}

/** Exactly one of them is meant. */
function checkUsage(device: string | undefined, { all, list: listed, before, cancel, retry }: WriteFlags): void {
	const meant = [device, all, listed, cancel, retry].filter((each) => each !== undefined);
	if (before !== undefined && listed === undefined)
		throw new CommandError(exitCodes.usage, "--before goes with --list");
	if (meant.length === 1) return;
	const problem = meant.length === 0 ? "which Pi? Give its name or id, or --all" : "only one of these goes at a time";
	throw new CommandError(exitCodes.usage, `${problem} (a device, --all, --list, --cancel, --retry)`);
}

/** With several, one that is refused does not keep the others. */
async function order(plans: readonly Plan[], flags: WriteFlags, terminal: Terminal): Promise<Write[]> {
	const client = clientOptions(flags, terminal);
	const orders = plans.map(({ device, image, disk }) => {
		const { path, size, identity } = disk;
		const verify = flags.verify ?? "full";
		const body = { imageId: image.id, target: { path, size, identity }, confirm: true as const, verify };
		return call(client, "startWrite", { params: { id: device.id }, body });
	});
	const results = await Promise.allSettled(orders);
	const refused = results.flatMap((result) => (result.status === "rejected" ? [result.reason] : []));
	const ordered = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
	if (ordered.length === 0) throw refused[0];
	for (const error of refused) terminal.err(`${error instanceof Error ? error.message : error}\n`);
	if (refused.length > 0) terminal.err(`${refused.length} of ${plans.length} were refused\n`);
	return ordered;
}

/** Waits for the end of all, and says how it went. @throws CommandError when one did not end well. */
async function finish(writes: readonly Write[], flags: WriteFlags, terminal: Terminal): Promise<void> {
	const show = (some: readonly Write[]) => {
		if (flags.json) terminal.out(json({ writes: some }));
		else for (const write of some) terminal.out(`${receiptText(write)}\n`);
	};
	if (!flags.wait) return show(writes);
	const ended = await followWrites(clientOptions(flags, terminal), writes, terminal);
	show(ended);
	const bad = ended.filter(({ stage }) => stage !== "complete");
	if (bad.length === 0) return;
	throw new CommandError(exitCodes.failed, `${bad.length} of ${ended.length} did not end well`, {
		hint: `Once the cause is away: pi-netboot write --retry ${bad[0]?.id}`,
	});
}

function list({ writes, next }: WriteList, flags: WriteFlags, terminal: Terminal): void {
	terminal.out(flags.json ? json({ writes, next }) : listText(writes));
	if (next !== null && !flags.json) terminal.err(`There are older ones: pi-netboot write --list --before ${next}\n`);
}

function listText(writes: readonly Write[]): string {
	if (writes.length === 0) return "No write yet.\n";
	const heading = ["ID", "DEVICE", "IMAGE", "DISK", "STATE", "DONE"];
	const rows = writes.map(({ id, deviceName, imageName, target, stage, waiting, percent }) => {
		const state = waiting === undefined ? stage : `waits for the ${waiting.for}`;
		return [id, deviceName, imageName, target, state, `${Math.floor(percent)} %`];
	});
	return table(heading, rows);
}
