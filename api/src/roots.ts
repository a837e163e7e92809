/** What the devices change of their images: how much, what, and kept under a name. */
import { z } from "zod";
import { Bytes, Time } from "./common.ts";
import { Customisation, CustomisationChanges } from "./customisation.ts";
import { RootMode } from "./devices.ts";
import { ImageId } from "./images.ts";

export const SnapshotName = z
	.string()
	.regex(
		/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/,
		"expected a name of up to 63 letters, digits, dots, dashes and underscores, a letter or digit first",
	);

export const Snapshot = z
	.object({
		name: SnapshotName,
		imageId: ImageId,
		buildId: z.string().describe("The build of the image that it belongs to; it can be had back on that one only."),
		createdAt: Time,
		bytes: Bytes.describe("On the disk. Where the file system shares blocks, those count for the root, too."),
	})
	.meta({ id: "Snapshot" });
export type Snapshot = z.infer<typeof Snapshot>;

export const SnapshotList = z.object({ snapshots: z.array(Snapshot) }).meta({ id: "SnapshotList" });
export type SnapshotList = z.infer<typeof SnapshotList>;

export const NewSnapshot = z.strictObject({ name: SnapshotName }).meta({ id: "NewSnapshot" });
export type NewSnapshot = z.infer<typeof NewSnapshot>;

export const DeviceRoot = z
	.object({
		bytes: Bytes.describe("Of all of its roots and snapshots."),
		quotaBytes: Bytes.nullable().describe("What its root may hold; null = no limit but the disk's."),
		roots: z.array(
			z.object({
				imageId: ImageId,
				buildId: z.string(),
				mode: RootMode,
				bytes: Bytes,
				createdAt: Time,
				lastUsedAt: Time,
				isCurrent: z.boolean().describe("It runs from this one, or its next boot gets it."),
			}),
		),
		snapshots: z.array(Snapshot),
	})
	.meta({ id: "DeviceRoot" });
export type DeviceRoot = z.infer<typeof DeviceRoot>;

export const RootChange = z
	.object({
		path: z.string(),
		kind: z
			.enum(["added", "changed", "removed"])
			.describe(
				"`removed` and `added` where something was moved; what lies in a moved or removed directory is not named.",
			),
		type: z.enum(["file", "directory", "symlink", "block", "character", "fifo", "socket"]),
		bytes: Bytes.describe("Its size; of what was removed, as it was."),
	})
	.meta({ id: "RootChange" });
export type RootChange = z.infer<typeof RootChange>;

export const RootChangesQuery = z.strictObject({
	after: z.string().max(4096).optional().describe("The last path of the page before."),
	limit: z.coerce.number().int().min(1).max(1000).default(200),
});
export type RootChangesQuery = z.infer<typeof RootChangesQuery>;

export const RootChanges = z
	.object({
		changes: z.array(RootChange).describe("Sorted by path."),
		total: z.int().min(0).describe("Of all pages."),
		bytes: Bytes.describe("Of all that was added or changed."),
		next: z.string().nullable().describe("`after` for the next page; null at the end."),
		isComplete: z.boolean().describe("False when there are more than 100,000."),
	})
	.meta({ id: "RootChanges" });
export type RootChanges = z.infer<typeof RootChanges>;

const QuotaBytes = z.int().min(0).describe("0 = no limit but the disk's.");

/** What holds for every device that has nothing of its own, and what becomes of old roots. */
export const Defaults = z
	.object({
		rootMode: RootMode,
		quotaBytes: QuotaBytes,
		customisation: Customisation,
		oldRoots: z
			.object({
				kept: z.int().min(0).describe("Roots of older builds that each device keeps per image."),
				days: z.int().min(0).nullable().describe("For so long after their last use; null = for ever."),
				budgetBytes: Bytes.nullable().describe("While all roots have more, those of older builds go; null = no limit."),
			})
			.describe("A root belongs to one build of an image; the one in use never goes."),
		bytes: Bytes.describe("Of all roots and snapshots now."),
		freeBytes: Bytes.describe("Of the disk that they are on."),
	})
	.meta({ id: "Defaults" });
export type Defaults = z.infer<typeof Defaults>;

/** What is left out stays. */
export const DefaultsChanges = z
	.strictObject({
		rootMode: RootMode.optional(),
		quotaBytes: QuotaBytes.optional(),
		customisation: CustomisationChanges.optional(),
		oldRoots: z
			.strictObject({
				kept: z.int().min(0).max(1000).optional(),
				days: z.int().min(0).max(36_500).nullable().optional(),
				budgetBytes: Bytes.nullable().optional(),
			})
			.optional(),
	})
	.meta({ id: "DefaultsChanges" });
export type DefaultsChanges = z.infer<typeof DefaultsChanges>;
