/** Images: what there is, how one comes in, what Pis get by default, and links to their files. */
import { type BootstrapCodes, downloadPath } from "./bootstrap.ts";
import { ApiError } from "./errors.ts";
import type { Operations } from "./operations.ts";
import { pageOf } from "./paging.ts";
import type { Services, UnfinishedUpload } from "./services.ts";

type ImageOperation =
	| "listImages"
	| "getImage"
	| "addImage"
	| "changeImage"
	| "deleteImage"
	| "getCatalog"
	| "listUploads"
	| "setDefaultImage"
	| "createDownloadLink";

type ImageServices = Pick<Services, "images" | "uploads" | "catalog">;

export function imageOperations(
	{ images, uploads, catalog }: ImageServices,
	codes: BootstrapCodes,
): Pick<Operations, ImageOperation> {
	return {
		listImages: async ({ query }) => {
			const { shown, next } = pageOf(await images.list(), query, ({ id }) => id);
			return { images: shown, next };
		},
		getImage: async ({ params }) => (await images.get(params.id)) ?? noImage(params.id),
		addImage: ({ body }) => images.add(body),
		changeImage: async ({ params, body }) => (await images.change(params.id, body)) ?? noImage(params.id),
		deleteImage: async ({ params, query }) => removed(params.id, await images.remove(params.id, query.file)),
		getCatalog: () => catalog.catalog(),
		listUploads: () => ({ uploads: uploads.list().map(showUpload) }),
		setDefaultImage: async ({ body }) => ((await images.setDefault(body.id)) ? body : noImage(body.id)),
		createDownloadLink: async ({ params }) => {
			const { id } = (await images.get(params.id)) ?? noImage(params.id);
			const code = codes.create(`download ${id}`);
			return { path: downloadPath(id, code), expiresAt: code.expiresAt };
		},
	};
}

function showUpload({ id, imageId, name, size, offset, createdAt, fingerprint }: UnfinishedUpload) {
	return { id, imageId, name, size, offset, createdAt, ...(fingerprint !== undefined && { fingerprint }) };
}

function noImage(id: string | null): never {
	throw new ApiError("image-not-found", `There is no image "${id}".`, { hint: "`pi-netboot images` lists them." });
}

function removed(id: string, outcome: "removed" | "not-found" | { readonly usedBy: readonly string[] }): undefined {
	if (outcome === "not-found") noImage(id);
	if (outcome !== "removed") {
		const names = outcome.usedBy.length === 0 ? "A device" : outcome.usedBy.join(", ");
		const verb = outcome.usedBy.length > 1 ? "run" : "runs";
		throw new ApiError("image-in-use", `${names} ${verb} from "${id}".`, {
			hint: "Shut down first, or give another image and reboot.",
		});
	}
	return undefined;
}
