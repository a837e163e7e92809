/**
 * The live events: `text/event-stream`, each with its `type` as the event's name, an `id`, and `data` as JSON. Whoever connects
 * asks for the lists after the stream is open, so that nothing falls between. Who comes back with the last id
 * (`Last-Event-ID`, as browsers do) gets what was missed, or `reset` where that is not known any more.
 */
import { z } from "zod";
import { Bystander } from "./boots.ts";
import { Device, DeviceId } from "./devices.ts";
import { Image, ImageId } from "./images.ts";
import { LogLine } from "./logs.ts";
import { Network } from "./network.ts";
import { Defaults } from "./roots.ts";
import { Write, WriteId } from "./writes.ts";

export const DeviceEvent = z
	.object({
		id: DeviceId,
		formerId: DeviceId.optional().describe("The id until now, where it has changed."),
		device: Device.optional().describe("Missing when the device is gone."),
	})
	.meta({ id: "DeviceEvent" });

export const ImageEvent = z
	.object({ id: ImageId, image: Image.optional().describe("Missing when the image is gone.") })
	.meta({ id: "ImageEvent" });

export const WriteEvent = z.object({ id: WriteId, write: Write }).meta({ id: "WriteEvent" });

export const ServerEvent = z
	.discriminatedUnion("type", [
		z.object({ type: z.literal("device"), data: DeviceEvent }),
		z.object({ type: z.literal("image"), data: ImageEvent }),
		z.object({ type: z.literal("write"), data: WriteEvent }),
		z.object({ type: z.literal("network"), data: Network }),
		z.object({ type: z.literal("log"), data: LogLine }),
		z.object({ type: z.literal("bystander"), data: Bystander }),
		z.object({
			type: z.literal("defaults"),
			data: Defaults.describe(
				"They were changed; what a device shows of them is another now, without an event of its own.",
			),
		}),
		z.object({
			type: z.literal("reset"),
			data: z.strictObject({}).describe("Events were missed, or the server started anew: ask for the lists again."),
		}),
	])
	.meta({ id: "ServerEvent" });
export type ServerEvent = z.infer<typeof ServerEvent>;
export type ServerEventType = ServerEvent["type"];

export const serverEventTypes: readonly ServerEventType[] = [
	"device",
	"image",
	"write",
	"network",
	"log",
	"bystander",
	"defaults",
	"reset",
];

export const EventsQuery = z.strictObject({
	types: z
		.string()
		.max(200)
		.transform((text) => text.split(","))
		.pipe(z.array(z.enum(serverEventTypes)))
		.optional()
		.describe("Only these, comma-separated: `device,image`. `reset` comes in any case."),
	after: z.string().max(64).optional().describe("The last id that was seen, where no `Last-Event-ID` can be sent."),
});
export type EventsQuery = z.infer<typeof EventsQuery>;
