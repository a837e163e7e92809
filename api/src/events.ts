/**
 * The live events: `text/event-stream`, each with its `type` as the event's name and `data` as JSON. Whoever connects asks
 * for the lists after the stream is open, so that nothing falls between.
 */
import { z } from "zod";
import { Device, DeviceId } from "./devices.ts";
import { Image, ImageId } from "./images.ts";
import { LogLine } from "./logs.ts";
import { Network } from "./network.ts";

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

export const ServerEvent = z
	.discriminatedUnion("type", [
		z.object({ type: z.literal("device"), data: DeviceEvent }),
		z.object({ type: z.literal("image"), data: ImageEvent }),
		z.object({ type: z.literal("network"), data: Network }),
		z.object({ type: z.literal("log"), data: LogLine }),
	])
	.meta({ id: "ServerEvent" });
export type ServerEvent = z.infer<typeof ServerEvent>;
export type ServerEventType = ServerEvent["type"];

export const serverEventTypes: readonly ServerEventType[] = ["device", "image", "network", "log"];

export const EventsQuery = z.strictObject({
	types: z
		.string()
		.max(200)
		.transform((text) => text.split(","))
		.pipe(z.array(z.enum(serverEventTypes)))
		.optional()
		.describe("Only these, comma-separated: `device,image`."),
});
export type EventsQuery = z.infer<typeof EventsQuery>;
