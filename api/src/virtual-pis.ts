/** Virtual Pis, for whoever has none at hand. */
import { z } from "zod";

export const VirtualModel = z.enum(["pi3bp", "pi4", "pi5"]);
export type VirtualModel = z.infer<typeof VirtualModel>;

export const NewVirtualPi = z.strictObject({ model: VirtualModel.default("pi5") }).meta({ id: "NewVirtualPi" });
export type NewVirtualPi = z.infer<typeof NewVirtualPi>;

export const VirtualPi = z
	.object({ model: VirtualModel, started: z.literal(true).describe("It boots now, and is a device like any other.") })
	.meta({ id: "VirtualPi" });
export type VirtualPi = z.infer<typeof VirtualPi>;
