/** The Pis. */
import { z } from "zod";
import { AgentInventory } from "./agent.ts";
import { Bytes, Diagnosis, Finding, Ipv4, PageLimit, Time } from "./common.ts";
import { Customisation, CustomisationChanges } from "./customisation.ts";
import { ImageId } from "./images.ts";

export const DeviceId = z
	.string()
	.regex(/^(?:[0-9a-f]{8}|[0-9a-f]{12})$/, "expected 8 hex digits of the serial, or 12 of the MAC")
	.describe("The low 32 bits of the serial, or the MAC without colons until that is known. Former ids keep working.");

export const Stage = z.enum(["dhcp", "firmware", "kernel", "root", "userspace", "agent"]);
export type Stage = z.infer<typeof Stage>;

export const RootMode = z
	.enum(["persistent", "ephemeral", "read-only"])
	.describe("Its changes are kept, dropped at each boot, or refused.");
export type RootMode = z.infer<typeof RootMode>;

export const Intent = z
	.enum(["netboot", "disk", "write-then-disk", "ignore"])
	.describe(
		"What its next power-on shall do. With `disk` we are silent, so that it goes on to its own disk. `write-then-disk` writes its image to `writeTarget` first, once.",
	);
export type Intent = z.infer<typeof Intent>;

/** A host name as RFC 1123 allows it: one label. */
export const HostName = z
	.string()
	.regex(
		/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/,
		"expected a host name: up to 63 lower-case letters, digits and dashes, no dash at either end",
	);

export const ReachedStage = z.object({ stage: Stage, at: Time }).meta({ id: "ReachedStage" });
export type ReachedStage = z.infer<typeof ReachedStage>;

/** A path that cannot be a partition's or lie anywhere but in /dev; which disks are written, the agent decides. */
const WriteTarget = z
	.string()
	.max(64)
	.regex(/^\/dev\/[a-z0-9]+$/, "expected a whole disk, like /dev/mmcblk0 or /dev/nvme0n1")
	.describe("The disk that `write-then-disk` writes.");

export const DeviceAgent = z
	.object({
		online: z.boolean().describe("It was heard within the last minute."),
		version: z.string(),
		heardAt: Time,
		inventory: AgentInventory,
	})
	.meta({ id: "DeviceAgent" });
export type DeviceAgent = z.infer<typeof DeviceAgent>;

/** A word that people sort their devices by. */
const Tag = z
	.string()
	.regex(/^[\p{L}\p{N}][\p{L}\p{N}._-]{0,31}$/u, "expected a tag: up to 32 letters, digits and . _ -");

export const Device = z
	.object({
		id: DeviceId,
		mac: z.string().nullable(),
		ip: Ipv4.nullable(),
		model: z.string().nullable().describe("`pi4`, `pi5`, ...; null until it is known."),
		modelName: z.string().nullable().describe("For people: `Raspberry Pi 5 Model B, 8 GB`."),
		name: z.string().describe("Its host name."),
		imageId: ImageId.nullable().describe("null = the default image."),
		tags: z.array(Tag).describe("Words that it is sorted by, each once, in their order."),
		rootMode: RootMode,
		intent: Intent,
		writeTarget: WriteTarget.nullable(),
		customisation: Customisation.describe("What was set for this device alone; `/api/v1/defaults` has the rest."),
		quotaBytes: Bytes.nullable().describe("What its root may hold; null = the default quota, 0 = no limit."),
		rootBytes: Bytes.describe("What its roots and snapshots take on the server's disk."),
		stage: Stage.nullable().describe("How far its last boot came; null before the first."),
		stages: z.array(ReachedStage).describe("Of the last boot, in the order of their times."),
		bootCount: z.int().min(0),
		lastBootAt: Time.nullable(),
		boot: z
			.object({ imageId: ImageId, buildId: z.string(), rootMode: RootMode })
			.nullable()
			.describe(
				"What the boot that goes on was given: what is set since then holds from the next one on. null: none goes on.",
			),
		agent: DeviceAgent.nullable().describe("What the program on the Pi said last; null before it was heard."),
		findings: z.array(Finding).describe("What was set for it and its image could not take at its last boot."),
		diagnosis: Diagnosis.optional().describe("Why its boot stands still, and what to do."),
	})
	.meta({ id: "Device" });
export type Device = z.infer<typeof Device>;

export const DevicesQuery = z.strictObject({
	after: DeviceId.optional().describe("`next` of the page before."),
	limit: PageLimit,
});

export const DeviceList = z
	.object({
		devices: z.array(Device).describe("In the order in which they were first seen."),
		next: DeviceId.nullable().describe("`after` for the next page; null at the end."),
	})
	.meta({ id: "DeviceList" });
export type DeviceList = z.infer<typeof DeviceList>;

export const DeviceChanges = z
	.strictObject({
		name: HostName.optional(),
		imageId: ImageId.nullable().optional(),
		tags: z.array(Tag).max(16).optional().describe("All of them: those that are left out go."),
		rootMode: RootMode.nullable().optional().describe("null = the default mode."),
		intent: Intent.optional(),
		writeTarget: WriteTarget.optional().describe("Comes with the intent `write-then-disk`; other intents drop it."),
		quotaBytes: Bytes.nullable().optional().describe("null = the default quota, 0 = no limit."),
		customisation: CustomisationChanges.optional(),
	})
	.meta({ id: "DeviceChanges" });
export type DeviceChanges = z.infer<typeof DeviceChanges>;

export const RootReset = z
	.object({ id: DeviceId, pending: z.literal(true).describe("The layer is dropped at the device's next boot.") })
	.meta({ id: "RootReset" });
export type RootReset = z.infer<typeof RootReset>;
