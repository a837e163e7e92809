/** Virtual Pis, for whoever has none at hand. */
import { z } from "zod";

export const VirtualModel = z.enum(["pi3bp", "pi4", "pi5"]);
export type VirtualModel = z.infer<typeof VirtualModel>;

/** What can go wrong with a virtual Pi on the server's own machine, as the simulator calls it. */
export const VirtualFailure = z
	.enum([
		...(["deaf", "no-acks", "slow", "stops", "config-loop", "dead-kernel"] as const),
		...(["no-nfs", "portmap-only", "old-root", "no-init", "reboots"] as const),
	])
	.describe("What goes wrong with it, to see what is said of that; simulator/README.md tells what each does.");
export type VirtualFailure = z.infer<typeof VirtualFailure>;

export const NewVirtualPi = z
	.strictObject({ model: VirtualModel.default("pi5"), plays: VirtualFailure.optional() })
	.meta({ id: "NewVirtualPi" });
export type NewVirtualPi = z.infer<typeof NewVirtualPi>;

export const VirtualPi = z
	.object({ model: VirtualModel, started: z.literal(true).describe("It boots now, and is a device like any other.") })
	.meta({ id: "VirtualPi" });
export type VirtualPi = z.infer<typeof VirtualPi>;
