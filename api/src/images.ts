/** The images in the folder. */
import { z } from "zod";
import { Bytes, Finding, Time } from "./common.ts";

export const ImageId = z
	.string()
	.regex(/^[a-z0-9][a-z0-9._-]{0,127}$/, "expected lower-case letters, digits, dots, dashes and underscores")
	.describe("Made once from the file's first name; stays when the file is renamed.");

export const OperatingSystem = z
	.object({
		id: z.string().describe("`ID` of os-release: `debian`, `raspios`, `ubuntu`."),
		name: z.string().describe("For people: `Debian GNU/Linux 12 (bookworm)`."),
		version: z.string().optional(),
		codename: z.string().optional(),
		architecture: z.string().optional(),
	})
	.meta({ id: "OperatingSystem" });
export type OperatingSystem = z.infer<typeof OperatingSystem>;

export const Image = z
	.object({
		id: ImageId,
		name: z.string(),
		source: z.string().describe("Where it came from: the path of the file, or the address of the download."),
		state: z.enum(["importing", "ready", "broken"]),
		percent: z.int().min(0).max(100).optional().describe("How far its unpacking is, as long as it is unpacked."),
		size: Bytes,
		usedBytes: Bytes.nullable().describe("What its file systems really use; null while that is unknown."),
		sha256: z.string().optional(),
		os: OperatingSystem.nullable(),
		models: z.array(z.string()).describe("Models that it can boot: `pi4`, `pi5`."),
		findings: z.array(Finding),
		isDefault: z.boolean().describe("What devices without an image of their own get."),
		modifiedAt: Time,
	})
	.meta({ id: "Image" });
export type Image = z.infer<typeof Image>;

export const ImageList = z.object({ images: z.array(Image) }).meta({ id: "ImageList" });
export type ImageList = z.infer<typeof ImageList>;

export const DefaultImage = z
	.strictObject({ id: ImageId.nullable().describe("null leaves the choice to the server: the newest ready image.") })
	.meta({ id: "DefaultImage" });
export type DefaultImage = z.infer<typeof DefaultImage>;
