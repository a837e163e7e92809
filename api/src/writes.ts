/** Writing images to the disks of the Pis. */
import { z } from "zod";
import { Bytes, Time } from "./common.ts";
import { DeviceId } from "./devices.ts";
import { ImageId } from "./images.ts";

export const WriteId = z.string().regex(/^[0-9a-f]{16}$/, "expected 16 hex digits");

export const WriteStage = z
	.enum(["wiping", "writing", "verifying", "syncing", "complete", "failed", "cancelled"])
	.describe("`wiping` is 0 to 10 percent, `writing` and `verifying` 10 to 95, `syncing` 95 to 100.");
export type WriteStage = z.infer<typeof WriteStage>;

export const VerifyMode = z
	.enum(["full", "sample", "none"])
	.describe("What is read back from the disk and compared: all, a part, or nothing. What arrives is always checked.");
export type VerifyMode = z.infer<typeof VerifyMode>;

const DiskPath = z
	.string()
	.max(64)
	.regex(/^\/dev\/[a-z0-9]+$/, "expected a whole disk, like /dev/mmcblk0 or /dev/nvme0n1");

export const NewWrite = z
	.strictObject({
		imageId: ImageId.nullable().optional().describe("Missing or null: the image that the device boots."),
		target: z
			.union([
				DiskPath,
				z.strictObject({
					path: DiskPath,
					size: Bytes.optional(),
					identity: z.string().max(4096).optional().describe("As the device's inventory has it."),
				}),
			])
			.describe("With size or identity, it is refused when the disk is another one by now."),
		confirm: z.literal(true).describe("All that is on the disk is lost."),
		verify: VerifyMode.default("full"),
	})
	.meta({ id: "NewWrite" });
export type NewWrite = z.infer<typeof NewWrite>;

export const WriteWait = z
	.object({
		for: z.enum(["image", "turn", "device"]).describe("It is prepared; others are before it; the Pi is away."),
		message: z.string().describe("One sentence."),
		percent: z.number().min(0).max(100).optional().describe("Of an image: how far it is prepared."),
	})
	.meta({ id: "WriteWait" });

export const Write = z
	.object({
		id: WriteId,
		deviceId: DeviceId,
		deviceName: z.string(),
		imageId: ImageId,
		imageName: z.string(),
		buildId: z.string().nullable().describe("The build of the image; null until it is prepared."),
		map: z.string().nullable().describe("SHA-256 of the map: it stands for every byte that is written."),
		target: z.string().describe("The disk's path on the Pi."),
		disk: z
			.object({ model: z.string(), serial: z.string(), size: Bytes, identity: z.string() })
			.describe("The disk that was confirmed."),
		verify: VerifyMode,
		origin: z.enum(["person", "intent"]).describe("Whether somebody ordered it, or `write-then-disk` did."),
		stage: WriteStage,
		waiting: WriteWait.optional().describe("Why nothing is written at the moment."),
		cancelling: z.boolean().describe("It was cancelled, and the Pi was not heard yet."),
		percent: z.number().min(0).max(100).describe("Never falls, but for a retry."),
		bytesDone: Bytes,
		bytesTotal: Bytes,
		bytesPerSecond: Bytes.describe("Written or read back, lately."),
		secondsLeft: z.int().min(0).nullable().describe("An estimate; null while there is none."),
		wireBytes: Bytes.describe("Went over the network."),
		zeroedBytes: Bytes.describe("Zeros that had to be written, since the disk had something else."),
		verifiedBytes: Bytes,
		zeroBytes: Bytes.describe("Must read as zeros on the disk."),
		retries: z.int().min(0).describe("Chunks that were fetched or written once more."),
		attempts: z.int().min(0).describe("How often it was begun or taken up again, since the last retry."),
		times: z.array(z.object({ stage: WriteStage, at: Time })).describe("When it first came to each stage."),
		createdAt: Time,
		endedAt: Time.nullable(),
		error: z
			.object({
				code: z.string(),
				message: z.string(),
				hint: z.string().optional(),
				offset: Bytes.optional().describe("Byte of the disk."),
			})
			.optional(),
	})
	.meta({ id: "Write" });
export type Write = z.infer<typeof Write>;

export const WritesQuery = z.strictObject({
	device: DeviceId.optional().describe("Only those of this device."),
	open: z.stringbool().optional().describe("Only those that are not over, or only those that are."),
	before: WriteId.optional().describe("`next` of the page before."),
	limit: z.coerce.number().int().min(1).max(1000).default(100),
});
export type WritesQuery = z.infer<typeof WritesQuery>;

export const WriteList = z
	.object({
		writes: z.array(Write).describe("The newest first. All that run or wait are kept, and 2000 of the others."),
		next: WriteId.nullable().describe("`before` for the next page; null at the end."),
	})
	.meta({ id: "WriteList" });
export type WriteList = z.infer<typeof WriteList>;

export const RebootOrder = z
	.object({ id: DeviceId, ordered: z.literal(true).describe("Its agent was told.") })
	.meta({ id: "RebootOrder" });
export type RebootOrder = z.infer<typeof RebootOrder>;
