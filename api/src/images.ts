/** The images in the folder. */
import { z } from "zod";
import { Bytes, Finding, PageLimit, Time } from "./common.ts";

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

/** How the file of an image came into the folder. */
export const ImageOrigin = z
	.object({
		kind: z
			.enum(["folder", "path", "download", "catalog", "upload"])
			.describe("`folder`: somebody put it there. `path`: a link to a file elsewhere on the server."),
		at: Time.optional().describe("When it arrived."),
		url: z.string().optional().describe("Of a download, without what lets one in there."),
		entry: z.string().optional().describe("The name of the entry of the catalogue."),
		path: z.string().optional().describe("Where the link leads."),
		checked: z.boolean().optional().describe("Whether its checksum was known beforehand, and is right."),
	})
	.meta({ id: "ImageOrigin" });
export type ImageOrigin = z.infer<typeof ImageOrigin>;

export const Kernel = z
	.object({
		file: z.string().describe("Its name on the boot volume."),
		version: z.string().optional().describe("`6.12.47+rpt-rpi-v8`."),
		bits: z.union([z.literal(32), z.literal(64)]).optional(),
	})
	.meta({ id: "Kernel" });
export type Kernel = z.infer<typeof Kernel>;

export const ImageBuild = z
	.object({
		id: z.string(),
		isNewest: z.boolean().describe("What the next boot gets."),
		usedAt: Time.nullable().describe("When a Pi booted it last, as far as is remembered."),
		usedBy: z.array(z.string()).describe("The names of the devices whose boots from it go on."),
		roots: z.int().min(0).describe("Of devices, that belong to it; counted every half minute."),
		bytes: Bytes.describe("What these take on the disk."),
	})
	.meta({ id: "ImageBuild" });

export const Image = z
	.object({
		id: ImageId,
		name: z.string(),
		source: z.string().describe("The path of the file; of what is downloaded now, its address."),
		origin: ImageOrigin,
		state: z.enum(["importing", "ready", "broken"]),
		bootable: z
			.boolean()
			.describe(
				"Whether a Pi can boot it now: one that is unpacked may be before that has ended; a Pi waits for what is missing.",
			),
		percent: z.int().min(0).max(100).optional().describe("How far its download, upload or unpacking is."),
		size: Bytes.describe("Of its file, packed as it may be; of a directory, what is in it."),
		usedBytes: Bytes.nullable().describe("What its file systems really use; null while that is unknown."),
		diskBytes: Bytes.nullable().describe(
			"What a disk must have to be written with it, unpacked; null while that is unknown, and where it is no whole disk.",
		),
		sha256: z.string().optional().describe("Of the file as it came, where that is known."),
		os: OperatingSystem.nullable(),
		kernels: z.array(Kernel),
		models: z.array(z.string()).describe("Models that it can boot: `pi4`, `pi5`."),
		usedBy: z.array(z.string()).describe("The names of the devices that run it now."),
		builds: z.array(ImageBuild).describe("The newest first; then those that Pis still run, or that roots are kept of."),
		findings: z.array(Finding),
		isDefault: z.boolean().describe("What devices without an image of their own get."),
		modifiedAt: Time,
	})
	.meta({ id: "Image" });
export type Image = z.infer<typeof Image>;

export const ImageList = z
	.object({
		images: z.array(Image),
		next: ImageId.nullable().describe("`after` for the next page; null at the end."),
	})
	.meta({ id: "ImageList" });
export type ImageList = z.infer<typeof ImageList>;

export const ImagesQuery = z.strictObject({
	after: ImageId.optional().describe("`next` of the page before."),
	limit: PageLimit,
});

const Sha256 = z.string().regex(/^[0-9a-fA-F]{64}$/, "expected 64 hexadecimal digits");

const NewName = z.string().min(1).max(200).describe("The file's name; without an ending it keeps the one it has.");

/** Where an image comes from: one of these. */
export const NewImage = z
	.union([
		z.strictObject({
			url: z.string().max(4000).describe("To be downloaded into the images folder."),
			sha256: Sha256.optional().describe(
				"Of the file at the address. Without it, a `.sha256` beside it is looked for.",
			),
			name: NewName.optional(),
			replace: z.boolean().optional().describe("Whether it takes the place of a file of its name."),
		}),
		z.strictObject({
			path: z
				.string()
				.max(4000)
				.regex(/^[^\0]*$/, "expected a path")
				.describe("Absolute, on the machine of the server: used where it lies, by a link."),
			name: NewName.optional(),
		}),
		z.strictObject({
			catalog: z.string().max(300).describe("The id of an entry of the catalogue: downloaded, with its checksum."),
			name: NewName.optional(),
			replace: z.boolean().optional(),
		}),
	])
	.meta({ id: "NewImage" });
export type NewImage = z.infer<typeof NewImage>;

/** An upload that is not finished; its bytes go to `/api/v1/uploads/ID` as tus 1.0.0 has it. */
export const Upload = z
	.object({
		id: z.string(),
		imageId: ImageId,
		name: z.string(),
		size: Bytes.describe("Of the whole."),
		offset: Bytes.describe("That are there."),
		createdAt: Time,
		fingerprint: z.string().optional().describe("What its client knows the file by: `fingerprint` of its metadata."),
	})
	.meta({ id: "Upload" });
export type Upload = z.infer<typeof Upload>;

export const UploadList = z.object({ uploads: z.array(Upload) }).meta({ id: "UploadList" });
export type UploadList = z.infer<typeof UploadList>;

export const ImageChanges = z.strictObject({ name: NewName }).meta({ id: "ImageChanges" });
export type ImageChanges = z.infer<typeof ImageChanges>;

export const RemoveQuery = z.strictObject({
	file: z
		.enum(["keep", "delete"])
		.default("keep")
		.describe("What becomes of its file. One that is kept is an image again when it changes, or is added by its path."),
});

export const CatalogEntry = z
	.object({
		id: z.string().describe("Stable as long as its name and place in the list are."),
		name: z.string(),
		description: z.string(),
		category: z.array(z.string()).describe("The lists that lead to it, outermost first."),
		url: z.string().nullable(),
		size: Bytes.nullable().describe("Unpacked."),
		downloadSize: Bytes.nullable(),
		releaseDate: z.string().nullable(),
		models: z.array(z.string()).describe("Models that it is for and that can boot from the network; empty: not said."),
		canNetboot: z.boolean(),
		reason: z.string().optional().describe("Why it cannot be booted from the network."),
	})
	.meta({ id: "CatalogEntry" });
export type CatalogEntry = z.infer<typeof CatalogEntry>;

export const Catalog = z
	.object({
		url: z.string().describe("Where the list came from."),
		fetchedAt: Time,
		notes: z.array(z.string()).describe("What of it could not be had or understood."),
		entries: z.array(CatalogEntry),
	})
	.meta({ id: "Catalog" });
export type Catalog = z.infer<typeof Catalog>;

export const DefaultImage = z
	.strictObject({
		id: ImageId.nullable().describe("null leaves the choice to the server: the newest ready image."),
	})
	.meta({ id: "DefaultImage" });
export type DefaultImage = z.infer<typeof DefaultImage>;
