/**
 * The library: which images there are, in which builds, found by watching the folder and, because not every file system
 * tells of changes, by looking at it every few seconds.
 *
 * Finding out is a series of looks. A look lists the folder, decides which file is which image, and takes the files that
 * have stopped changing. Looks never overlap.
 */
import { EventEmitter } from "node:events";
import fs from "node:fs";
import path from "node:path";
import {
	type Clock,
	errorText,
	FileError,
	type Logger,
	type Startable,
	silentLogger,
	systemClock,
	systemCode,
} from "../base/index.ts";
import type { FileStamp } from "../vfs/index.ts";
import { assignFiles, hasSuperblock } from "./assign.ts";
import { DroppedSums } from "./dropped-sums.ts";
import { EarlyBuilds } from "./early-builds.ts";
import { ImageEntry, type LibraryImage } from "./entry.ts";
import { FolderWatch, findImages } from "./folder.ts";
import { FolderChanges } from "./folder-changes.ts";
import { ForgottenFiles, MemoryMarks } from "./forgotten.ts";
import type { FoundFile } from "./found.ts";
import { UnpackedFiles } from "./import/unpacked-files.ts";
import type { ImageEvents, ImageLibraryOptions } from "./library-options.ts";
import { Looks } from "./looks.ts";
import { ImageNews } from "./news.ts";
import { type Arrived, ImageOrigins, MemoryOrigins } from "./origins.ts";
import { newRecord, ReservedIds, seenRecord } from "./records.ts";
import { BuildShelf, type BuiltImage } from "./shelf.ts";
import type { Taken } from "./taking.ts";
import { TakingIn } from "./taking-in.ts";

/** A change is looked at so many milliseconds after it was told: many come at once. */
const GATHER_MS = 300;

/** See the head of this file. */
export class ImageLibrary implements Startable {
	readonly events = new EventEmitter<ImageEvents>();
	readonly #options: ImageLibraryOptions;
	readonly #clock: Clock;
	readonly #log: Logger;
	readonly #entries = new Map<string, ImageEntry>();
	readonly #shelf = new BuildShelf();
	readonly #forgotten: ForgottenFiles;
	/** Folders of the server besides that of the images. */
	readonly #own: readonly string[];
	readonly #folderChanges: FolderChanges;
	readonly #origins: ImageOrigins;
	readonly #sums: DroppedSums;
	readonly #ids = new ReservedIds((id) => this.#entries.has(id));
	readonly #watch: FolderWatch | undefined;
	readonly #unpacked: UnpackedFiles | undefined;
	readonly #early: EarlyBuilds | undefined;
	readonly #takingIn: TakingIn;
	readonly #news = new ImageNews(this.events);
	readonly #looks: Looks;
	#folderFailure: string | undefined;

	constructor(options: ImageLibraryOptions) {
		this.#options = { ...options, folder: path.resolve(options.folder) };
		this.#clock = options.clock ?? systemClock;
		this.#log = options.log ?? silentLogger;
		this.#forgotten = new ForgottenFiles(options.forgotten ?? new MemoryMarks());
		this.#own = options.unpackedFolder === undefined ? [] : [options.unpackedFolder];
		const { folder } = this.#options;
		this.#folderChanges = new FolderChanges({ folder, own: this.#own, forgotten: this.#forgotten });
		this.#origins = new ImageOrigins(options.origins ?? new MemoryOrigins(), this.#log);
		this.#sums = new DroppedSums({
			origins: this.#origins,
			log: this.#log,
			changed: () => this.#looks.soon(GATHER_MS),
		});
		this.#looks = new Looks({
			look: () => this.#look(),
			clock: this.#clock,
			log: this.#log,
			pollMs: options.pollMs ?? 3000,
		});
		if (options.watch !== false) {
			this.#watch = new FolderWatch(this.#options.folder, () => this.#looks.soon(GATHER_MS), this.#log);
		}
		const found = () => this.#looks.soon(0);
		if (options.unpackedFolder !== undefined) {
			this.#unpacked = new UnpackedFiles({
				folder: options.unpackedFolder,
				log: this.#log,
				changed: (key) => this.#unpackingChanged(key),
				limits: options.unpackLimits,
				promisedOf: (stamp) => this.#origins.promised(stamp),
			});
			this.#early = new EarlyBuilds({ unpacked: this.#unpacked, log: this.#log, found });
		}
		const taking = { inspect: options.inspect, clock: this.#clock, found };
		this.#takingIn = new TakingIn({ ...taking, unpacked: this.#unpacked, early: this.#early });
	}

	/** Resolves when the folder was looked at once: files that lay there are ready, and small directories. Makes it where it is missing. */
	async start(): Promise<void> {
		await fs.promises.mkdir(this.#options.folder, { recursive: true });
		await this.#unpacked?.start();
		for (const record of await this.#options.records.list()) this.#entries.set(record.id, new ImageEntry(record));
		await this.#looks.start();
	}

	async stop(): Promise<void> {
		await this.#looks.stop();
		await this.#sums.stop();
		await this.#unpacked?.stop();
		await this.#takingIn.stop();
		this.#watch?.close();
		await this.#shelf.close();
		this.#entries.clear();
		this.#news.clear();
	}

	/** All images, in the order in which they came. */
	list(): LibraryImage[] {
		const listed = [...this.#entries.values()].filter((entry) => entry.isListed).map((entry) => entry.view());
		return listed.sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1));
	}

	get(id: string): LibraryImage | undefined {
		const entry = this.#entries.get(id);
		return entry?.isListed ? entry.view() : undefined;
	}

	/**
	 * The image for devices that have none of their own: the chosen one; without a choice the newest that is ready and can start
	 * something. Somebody who puts a data disk or half a root beside it has not chosen that.
	 */
	get defaultId(): string | undefined {
		const chosen = this.#options.defaults.get();
		if (chosen !== undefined && this.#entries.get(chosen)?.isListed) return chosen;
		const images = this.list();
		const ready = images.filter(({ state }) => state === "ready");
		const starts = ready.findLast(({ facts }) => (facts?.models.length ?? 0) > 0);
		return (starts ?? ready.at(-1) ?? images.findLast((image) => image.isBootable))?.id;
	}

	/**
	 * Chooses the default image; undefined takes the choice back.
	 *
	 * @returns false when there is no such image.
	 */
	async setDefault(id: string | undefined): Promise<boolean> {
		if (id !== undefined && !this.#entries.get(id)?.isListed) return false;
		await this.#options.defaults.set(id);
		return true;
	}

	/** The image with this id (null: the default one) in its newest build; undefined when it cannot be booted now. */
	choose(imageId: string | null): BuiltImage | undefined {
		const entry = this.#entries.get(imageId ?? this.defaultId ?? "");
		if (!entry?.isReady || entry.buildId === undefined) return undefined;
		const image = this.#shelf.get(entry.buildId);
		return image && { ...image, imageId: entry.record.id };
	}

	/** A build that is the newest of an image, or that somebody holds. */
	build(buildId: string): BuiltImage | undefined {
		return this.#shelf.get(buildId);
	}

	/** Whether what there is of an image is looked over or unpacked now. */
	isImporting(id: string): boolean {
		return this.get(id)?.state === "importing";
	}

	/** Keeps a build open until `release`. @throws FileError ESTALE when it is not open. */
	hold(buildId: string): void {
		this.#shelf.hold(buildId);
	}

	release(buildId: string): void {
		const imageId = this.#shelf.get(buildId)?.imageId;
		this.#shelf.release(buildId);
		if (imageId !== undefined && !this.isRun(imageId)) this.events.emit("unused", imageId);
		for (const entry of this.#entries.values()) {
			if (entry.file === undefined && entry.isListed && entry.buildId === buildId) this.#forgetUnused(entry);
		}
	}

	/** Whether somebody runs an image, in whichever of its builds. */
	isRun(id: string): boolean {
		const buildId = this.#entries.get(id)?.buildId;
		return this.#shelf.isRun(id) || (buildId !== undefined && this.#shelf.holders(buildId) > 0);
	}

	/** Forgets an image, unless a Pi runs it; deletes its file only where that is asked for. A link to it always goes. */
	async remove(id: string, file: "forget" | "delete"): Promise<"removed" | "not-found" | "in-use"> {
		const entry = this.#entries.get(id);
		if (!entry?.isListed) return "not-found";
		if (this.isRun(id)) return "in-use";
		await this.#folderChanges.takeAway(entry, file === "delete");
		await this.refresh();
		if (this.#entries.get(id)?.file === undefined) {
			this.#entries.delete(id);
			await this.#options.records.remove(id);
			if (this.#options.defaults.get() === id) await this.#options.defaults.set(undefined);
		}
		return "removed";
	}

	/** Renames the file of an image, or its folder; the image stays the same. False when there is none. @throws see `renameImage`. */
	async rename(id: string, name: string): Promise<boolean> {
		const entry = this.#entries.get(id);
		if (!entry?.isListed || entry.file === undefined) return false;
		await this.#folderChanges.rename(entry.file, name);
		await this.refresh();
		return true;
	}

	/** Takes in an image that lies elsewhere on this machine, or one that was forgotten. Gives its id. @throws see `linkImage`. */
	async addPath(file: string, name?: string): Promise<string> {
		const link = await this.#folderChanges.link(file, name);
		await this.refresh();
		const known = [...this.#entries.values()].find(({ file }) => file?.path === link);
		return known?.record.id ?? this.reserveId(link);
	}

	/** The id that the image at this path has or, of a file that is about to come there, will have. */
	reserveId(file: string): string {
		const known = [...this.#entries.values()].find(({ record }) => record.path === file);
		return known?.record.id ?? this.#ids.of(file);
	}

	/** No file will come to this path. */
	releaseId(file: string): void {
		this.#ids.release(file);
	}

	/** Remembers how the file with this stamp came, which it keeps under any name. Durable when it resolves. */
	noteArrival(stamp: FileStamp, arrived: Arrived): Promise<void> {
		return this.#origins.note(stamp, arrived);
	}

	/** Looks at the folder now. Resolves when a look that began after this call has ended. */
	refresh(): Promise<void> {
		return this.#looks.now();
	}

	async #look(): Promise<void> {
		const found = await this.#find();
		if (found !== undefined) await this.#update(found);
	}

	/** A folder that cannot be read, as when its disk was pulled out, says nothing about its images. */
	async #find(): Promise<FoundFile[] | undefined> {
		try {
			await this.#watch?.refresh();
			const found = await findImages(this.#options.folder, this.#own);
			this.#folderFailure = undefined;
			return await this.#forgotten.without(found);
		} catch (error) {
			if (systemCode(error) === undefined) throw error;
			const text = `the folder of the images cannot be read: ${errorText(error)}`;
			if (this.#folderFailure !== text) this.#log.warn(text);
			this.#folderFailure = text;
			return undefined;
		}
	}

	async #update(found: readonly FoundFile[]): Promise<void> {
		const { assigned: files, left } = await assignFiles([...this.#entries.values()], found, (entry, file) =>
			this.#isImage(entry, file),
		);
		for (const file of left) files.set(this.#newEntry(file), file);
		this.#takingIn.keepOnly(found);
		for (const entry of [...this.#entries.values()]) {
			const file = files.get(entry);
			if (file === undefined) this.#lose(entry);
			else await this.#advance(entry, file);
			this.#news.tell(entry);
		}
		await this.#dropUnpacked();
	}

	/** Copies whose packed file is gone are of no use. Before every file was looked into, nobody knows which those are. */
	async #dropUnpacked(): Promise<void> {
		const present = [...this.#entries.values()].filter(({ file }) => file !== undefined);
		if (present.some((entry) => entry.taken === undefined && entry.unpackedKeys.length === 0)) return;
		const keys = new Set(present.flatMap(({ unpackedKeys }) => unpackedKeys));
		await this.#unpacked?.keepOnly(keys);
		await this.#early?.keepOnly(keys);
	}

	/** Whether a file is what an image was last seen as, under whatever name. */
	async #isImage(entry: ImageEntry, file: FoundFile): Promise<boolean> {
		return entry.isFile(file) ?? hasSuperblock(() => this.#takingIn.superblockOf(file), entry);
	}

	#newEntry(file: FoundFile): ImageEntry {
		const id = this.#ids.take(file.place, file.name);
		const entry = new ImageEntry(newRecord(id, file, this.#clock.now()));
		this.#entries.set(id, entry);
		return entry;
	}

	async #advance(entry: ImageEntry, file: FoundFile): Promise<void> {
		const now = this.#clock.monotonic();
		entry.see(file, now, this.#clock.now(), (seen) => this.#origins.of(seen));
		entry.sums = await this.#sums.beside(file);
		await entry.taken?.build?.check();
		entry.isListed = true;
		if (!entry.needsTaking(now)) {
			if (entry.isWhole) entry.percent = undefined;
			await this.#remember(entry, file);
			return;
		}
		const wait = entry.settlesIn(now);
		if (wait > 0) this.#looks.soon(wait);
		else await this.#take(entry, file);
	}

	async #take(entry: ImageEntry, file: FoundFile): Promise<void> {
		const taken = await this.#tryToTake(entry, file);
		if (taken === undefined) return;
		const before = entry.buildId;
		entry.sha256 = this.#origins.sumOf(file.stamp);
		const { build, facts } = taken;
		const placed = build && facts && this.#shelf.put({ imageId: entry.record.id, build, facts });
		entry.take({ ...taken, ...(placed && { build: placed.build }) }, file.stamp, this.#clock.monotonic());
		placed?.build.onInvalid(() => this.#looks.soon(0));
		if (before !== undefined) this.#shelf.retire(before);
		await this.#remember(entry, file);
	}

	/** A failure of ours with one image is logged and must not keep the others from being served. */
	async #tryToTake(entry: ImageEntry, file: FoundFile): Promise<Taken | undefined> {
		try {
			return await this.#unpackAndTake(entry, file);
		} catch (error) {
			if (error instanceof FileError && error.code === "EAGAIN") {
				entry.unsettle(this.#clock.monotonic());
				return undefined;
			}
			this.#log.error({ err: error }, `${file.path} could not be looked over: ${errorText(error)}`);
			const message = `an error of the server itself kept it from being used: ${errorText(error)}`;
			return { findings: [{ code: "image-failed", severity: "error", message }] };
		}
	}

	/** Undefined while the file is being read or unpacked. @throws FileError EAGAIN when it changes. */
	async #unpackAndTake(entry: ImageEntry, file: FoundFile): Promise<Taken | undefined> {
		const sum = await this.#sums.check(file, entry.sums);
		entry.percent = sum.state === "reading" ? sum.percent : undefined;
		if (sum.state === "reading") return undefined;
		if (sum.state === "wrong") return { findings: [sum.finding] };
		return await this.#takingIn.take(entry, file);
	}

	#unpackingChanged(key: string): void {
		const job = this.#unpacked?.get(key);
		if (job === undefined || job.failure !== undefined) {
			this.#looks.soon(0);
			return;
		}
		for (const entry of this.#entries.values()) {
			if (!entry.unpackedKeys.includes(key) || entry.percent === undefined) continue;
			entry.percent = job.percent;
			this.#news.tell(entry);
		}
	}

	/** Notes for the next start under which name and number the image was seen. Only what was once ready is kept. */
	async #remember(entry: ImageEntry, file: FoundFile): Promise<void> {
		if (!entry.isWhole) return;
		const { record, taken } = entry;
		const next = seenRecord(record, file, taken?.superblock);
		if (JSON.stringify(next) === JSON.stringify(record)) return;
		if (next.superblockIdentity !== "") await this.#options.records.save(next);
		entry.record = next;
	}

	#lose(entry: ImageEntry): void {
		entry.lose();
		if (entry.isListed) this.#forgetUnused(entry);
		else if (entry.record.superblockIdentity === "") this.#entries.delete(entry.record.id);
	}

	/** An image without a file stays as long as a Pi runs it; what is remembered of it stays, should the file come back. */
	#forgetUnused(entry: ImageEntry): void {
		const { buildId } = entry;
		if (buildId !== undefined && this.#shelf.holders(buildId) > 0) return;
		entry.isListed = false;
		entry.taken = undefined;
		if (buildId !== undefined) this.#shelf.retire(buildId);
		if (entry.record.superblockIdentity === "") this.#entries.delete(entry.record.id);
		this.#news.tell(entry);
	}
}
