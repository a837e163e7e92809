/** Which disks of which Pis are meant, and whether the person really means them. */
import type { AgentDisk, Device, Image } from "@pi-netboot/api";
import { type ClientOptions, call } from "./client.ts";
import { CommandError, exitCodes } from "./command-error.ts";
import { deviceNamed } from "./device-name.ts";
import { sizeText } from "./sizes.ts";
import { printable, type Terminal } from "./terminal.ts";
import type { WriteFlags } from "./write.ts";
import { contentText, diskText } from "./write-text.ts";

export interface Plan {
	readonly device: Device;
	readonly image: Image;
	readonly disk: AgentDisk;
}

/** @param name of a device: its name or one of its ids. @throws CommandError. */
export async function planWrites(client: ClientOptions, name: string | undefined, flags: WriteFlags): Promise<Plan[]> {
	const { devices } = await call(client, "listDevices");
	const { images } = await call(client, "listImages");
	if (name !== undefined) return [planOf(deviceNamed(devices, name), images, flags)];
	const there = devices.filter((device) => device.agent?.online && candidates(device, flags).length > 0);
	if (there.length > 0) return there.map((device) => planOf(device, images, flags));
	throw new CommandError(exitCodes.failed, "no Pi that runs from the network has a disk that can be written");
}

function planOf(device: Device, images: readonly Image[], flags: WriteFlags): Plan {
	return { device, image: imageFor(device, images, flags), disk: diskOf(device, flags) };
}

function imageFor({ imageId, name }: Device, images: readonly Image[], flags: WriteFlags): Image {
	const id = flags.image ?? imageId ?? images.find(({ isDefault }) => isDefault)?.id;
	const found = images.find((image) => image.id === id);
	if (found !== undefined) return found;
	const problem = id === undefined ? `there is no image for ${name} yet` : `there is no image "${id}"`;
	throw new CommandError(exitCodes.failed, problem, { hint: "`pi-netboot images` lists them." });
}

/** The disks that are meant, or could be. */
function candidates({ agent }: Device, { target }: WriteFlags): AgentDisk[] {
	const disks = agent?.inventory.disks ?? [];
	return disks.filter((disk) => (target === undefined ? disk.use === null && !disk.readOnly : disk.path === target));
}

function diskOf(device: Device, flags: WriteFlags): AgentDisk {
	const { agent, name } = device;
	if (agent === null) {
		throw new CommandError(exitCodes.failed, `nothing is known of the disks of ${name} yet`, {
			hint: "Boot it from the network, with an image that has Python 3.",
		});
	}
	const [disk, ...others] = candidates(device, flags);
	if (disk !== undefined && others.length === 0) return disk;
	const all = agent.inventory.disks.map((each) => `${each.path} (${diskText(each)})`).join(", ");
	const hint = all === "" ? "It has none. Is the card in its slot?" : `It has ${all}. Say which with --target.`;
	const problem =
		flags.target !== undefined
			? `${name} has no disk ${flags.target}`
			: `${name} has ${disk === undefined ? "no disk" : "more than one disk"} that can be written`;
	throw new CommandError(exitCodes.failed, problem, { hint: printable(hint) });
}

/** Asks once for all. @throws CommandError when the answer is not yes, or nobody is there to ask. */
export async function confirmWrites(plans: readonly Plan[], flags: WriteFlags, terminal: Terminal): Promise<void> {
	const lines = plans.map(({ device, image, disk }) => {
		const pi = device.modelName === null ? device.name : `${device.name} (${device.modelName})`;
		const what = `${image.name} (${sizeText(image.size)}) to ${disk.path} of ${pi}: ${diskText(disk)}`;
		return `${printable(`${what}. On it now: ${contentText(disk)}.`)}\n`;
	});
	for (const line of lines) terminal.err(line);
	if (flags.yes) return;
	const lost =
		plans.length === 1 ? "All that is on it is lost." : `All that is on these ${plans.length} disks is lost.`;
	const answer = await terminal.ask?.(`${lost} Type yes to go on: `);
	if (answer === undefined) {
		throw new CommandError(exitCodes.usage, "nobody is there to ask", {
			hint: "With --yes it goes on without asking.",
		});
	}
	if (answer.trim().toLowerCase() !== "yes") throw new CommandError(exitCodes.failed, "nothing was written");
}
