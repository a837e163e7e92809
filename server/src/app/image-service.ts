/** The images as the API shows them: those of the library, and those that are on their way. */
import type { Image as ApiImage, Catalog, ImageChanges, NewImage } from "@pi-netboot/api";
import { NetbootError } from "../base/index.ts";
import type { ImageService } from "../http/index.ts";
import {
	type Arrival,
	type Arrivals,
	type CatalogList,
	type Downloads,
	type DownloadWish,
	type ImageCatalog,
	type ImageLibrary,
	type ImageOrigin,
	type KernelFacts,
	type LibraryImage,
	percentOf,
	type Uploads,
} from "../images/index.ts";

export interface ImageSources {
	readonly library: ImageLibrary;
	readonly arrivals: Arrivals;
	readonly downloads: Downloads;
	readonly uploads: Uploads;
	readonly catalog: ImageCatalog;
	/** The names of the devices that run an image. */
	readonly runBy: (imageId: string) => readonly string[];
	/** The builds that count for somebody. */
	readonly buildsOf: (image: LibraryImage) => ApiImage["builds"];
	/** Lets go of images that no Pi runs. */
	readonly letGo: () => void;
}

type CatalogWish = Extract<NewImage, { catalog: string }>;

export class ImageAnswers implements ImageService {
	/** Told when somebody has chosen the default: the library does not count that as a change of an image. */
	onDefault: (() => void) | undefined;
	readonly #sources: ImageSources;

	constructor(sources: ImageSources) {
		this.#sources = sources;
	}

	list(): ApiImage[] {
		const { library, arrivals } = this.#sources;
		const images = library.list();
		const known = new Set(images.map(({ id }) => id));
		const arriving = arrivals.list().filter(({ id }) => !known.has(id));
		return [...images.map((image) => this.show(image)), ...arriving.map((arrival) => this.#showArrival(arrival))];
	}

	get(id: string): ApiImage | undefined {
		const { library, arrivals } = this.#sources;
		const image = library.get(id);
		if (image !== undefined) return this.show(image);
		const arrival = arrivals.get(id);
		return arrival === undefined ? undefined : this.#showArrival(arrival);
	}

	async add(wish: NewImage): Promise<ApiImage> {
		const id = "path" in wish ? await this.#sources.library.addPath(wish.path, wish.name) : await this.#download(wish);
		const image = this.get(id);
		if (image !== undefined) return image;
		throw new NetbootError("import-failed", "The file is there, but the images folder does not show it.", {
			hint: "Its name must end as those of images do.",
		});
	}

	async change(id: string, { name }: ImageChanges): Promise<ApiImage | undefined> {
		return (await this.#sources.library.rename(id, name)) ? this.get(id) : undefined;
	}

	async remove(id: string, file: "keep" | "delete") {
		// What arrives to replace an image is given up alone.
		if (await this.#giveUp(id)) return "removed";
		this.#sources.letGo();
		const outcome = await this.#sources.library.remove(id, file === "delete" ? "delete" : "forget");
		if (outcome === "in-use") return { usedBy: this.#sources.runBy(id) };
		return outcome;
	}

	async setDefault(id: string | null): Promise<boolean> {
		const { library } = this.#sources;
		const isDone = await library.setDefault(id ?? undefined);
		this.onDefault?.();
		return isDone;
	}

	/** One image. What arrives to take the place of its file is told with it. */
	show(image: LibraryImage): ApiImage {
		const { id, name, path, state, size, usedBytes, diskBytes, facts, findings, modifiedAt, origin, sha256 } = image;
		const arrival = this.#sources.arrivals.get(id);
		const percent = image.percent ?? (arrival?.state === "importing" ? percentOf(arrival) : undefined);
		return {
			id,
			name,
			source: path,
			state,
			bootable: image.isBootable,
			...(percent !== undefined && { percent }),
			origin: showOrigin(origin),
			size,
			usedBytes,
			diskBytes,
			...(sha256 !== undefined && { sha256 }),
			os: facts?.os === undefined ? null : { ...facts.os },
			kernels: facts?.kernels.map(showKernel) ?? [],
			models: facts?.models.map(({ model }) => model) ?? [],
			usedBy: this.#sources.library.isRun(id) ? [...this.#sources.runBy(id)] : [],
			findings: [...findings.map((finding) => ({ ...finding })), ...(arrival ? findingsOf(arrival, "warning") : [])],
			builds: this.#sources.buildsOf(image),
			isDefault: this.#sources.library.defaultId === id,
			modifiedAt: Math.max(0, modifiedAt),
		};
	}

	#showArrival(arrival: Arrival): ApiImage {
		const { id, name, source, way, state, bytes, total, startedAt } = arrival;
		const percent = state === "importing" ? percentOf(arrival) : undefined;
		return {
			id,
			name,
			source,
			state,
			bootable: false,
			...(percent !== undefined && { percent }),
			origin: { kind: way, ...(way !== "upload" && { url: source }) },
			size: total ?? bytes,
			usedBytes: null,
			diskBytes: null,
			os: null,
			kernels: [],
			models: [],
			usedBy: [],
			builds: [],
			findings: findingsOf(arrival, "error"),
			isDefault: false,
			modifiedAt: startedAt,
		};
	}

	async #download(wish: DownloadWish | CatalogWish) {
		const { downloads, catalog } = this.#sources;
		if (!("catalog" in wish)) return (await downloads.add(wish)).id;
		const { url, sha256, origin } = await catalog.choose(wish.catalog);
		const { name, replace } = wish;
		return (await downloads.add({ url, name, replace, entry: origin, ...(sha256 !== null && { sha256 }) })).id;
	}

	/** False when there is nothing to give up. Of an arrival that has failed only the word is left. */
	async #giveUp(id: string): Promise<boolean> {
		const { arrivals, downloads, library, uploads } = this.#sources;
		const upload = uploads.ofImage(id);
		const isGivenUp = upload === undefined ? await downloads.cancel(id) : await uploads.remove(upload.id);
		const isOnlyWord = arrivals.get(id) !== undefined && library.get(id) === undefined;
		arrivals.end(id);
		return isGivenUp || isOnlyWord;
	}
}

export function showCatalog({ url, fetchedAt, entries, notes }: CatalogList): Catalog {
	return {
		url,
		fetchedAt,
		notes: [...notes],
		entries: entries.map(({ sha256: _, origin: __, reason, category, models, ...entry }) => ({
			...entry,
			category: [...category],
			models: [...models],
			canNetboot: reason === undefined,
			...(reason !== undefined && { reason }),
		})),
	};
}

function showOrigin(origin: ImageOrigin): ApiImage["origin"] {
	if (origin.kind === "folder" || origin.kind === "path") return { ...origin };
	const { kind, at, url, entry, isChecked } = origin;
	return {
		kind,
		at,
		...(url !== undefined && { url }),
		...(entry !== undefined && { entry: entry.name }),
		checked: isChecked === true,
	};
}

function showKernel({ file, version, bits }: KernelFacts): ApiImage["kernels"][number] {
	return { file, ...(version !== undefined && { version }), ...(bits !== undefined && { bits }) };
}

function findingsOf({ failure, remark }: Arrival, severity: "error" | "warning"): ApiImage["findings"] {
	if (failure === undefined) return remark === undefined ? [] : [{ ...remark }];
	const { code, message, hint } = failure;
	return [{ code, severity, message, ...(hint !== undefined && { fix: hint }) }];
}
