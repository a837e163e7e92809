/** What the library is given, and what it tells. */
import type { Clock, Logger } from "../base/index.ts";
import type { LibraryImage } from "./entry.ts";
import type { ForgottenMarks } from "./forgotten.ts";
import type { UnpackLimits } from "./import/limits.ts";
import type { KeptOrigins } from "./origins.ts";
import type { ImageRecords } from "./records.ts";
import type { Inspect } from "./taking.ts";

export interface ImageLibraryOptions {
	readonly folder: string;
	readonly records: ImageRecords;
	/** Where packed images are unpacked to; without it only raw ones can be booted. */
	readonly unpackedFolder?: string;
	readonly unpackLimits?: UnpackLimits;
	/** Looks an image over, once per build. */
	readonly inspect: Inspect;
	/** Where the id of the image that was chosen as the default is kept. */
	readonly defaults: DefaultImage;
	/** Where it is kept which files of the folder are no longer wanted; without it until the end of the process. */
	readonly forgotten?: ForgottenMarks;
	/** Where it is kept how the files came; without it until the end of the process. */
	readonly origins?: KeptOrigins;
	readonly clock?: Clock;
	readonly log?: Logger;
	/** Milliseconds between two looks; default 3000. */
	readonly pollMs?: number;
	/** Whether to ask the operating system for changes too; default true. */
	readonly watch?: boolean;
}

export interface DefaultImage {
	get(): string | undefined;
	set(id: string | undefined): Promise<void>;
}

export interface ImageEvents {
	added: [LibraryImage];
	changed: [LibraryImage];
	removed: [LibraryImage];
	/** The last one who ran an image, by its id, is gone. */
	unused: [string];
}
